import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import {
  createProtocolConnection,
  type Diagnostic,
  DidOpenTextDocumentNotification,
  ExitNotification,
  InitializedNotification,
  InitializeRequest,
  type InitializeResult,
  type ProtocolConnection,
  PublishDiagnosticsNotification,
  ShutdownRequest,
  StreamMessageReader,
  StreamMessageWriter,
} from "vscode-languageserver-protocol/node";

import { find, foldersOf, isProgram, type Launch } from "../src/command";
import { start, type Started } from "../src/server";
import { told } from "../src/settings";

/** Find the server that is installed here, as the extension does; the tests are about that one. */
export function installed(): Launch {
  const launch = find({
    configured: "",
    folder: undefined,
    home: "/",
    searched: foldersOf(process.env.PATH, false),
    interpreter: undefined,
    windows: false,
    isProgram,
  });
  assert.ok(launch.found !== "nothing", "these tests need adalint[lsp] on the search path");
  return launch;
}

/** Make an empty folder for one test. */
export function folder(): string {
  return mkdtempSync(join(tmpdir(), "adalint 量 "));
}

/** Write a program that does what some lines of shell do, and give how it is started as a server. */
export function program(script: string): Launch {
  const file = join(folder(), "adalint");
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  return { found: "setting", program: file, args: ["server", "--stdio"] };
}

/** A conversation with a real server, without VS Code but with what VS Code can do. */
export class Conversation {
  /** What the editor's settings say of adalint. */
  section: unknown = {};
  result: InitializeResult | undefined;
  private readonly published = new Map<string, Diagnostic[]>();
  private readonly looking = new Set<() => void>();
  private readonly server: Started;
  readonly connection: ProtocolConnection;

  constructor(
    readonly root: string,
    launch: Launch = installed(),
  ) {
    this.server = start(launch, root, process.env);
    const { stdout, stdin } = this.server.process;
    this.connection = createProtocolConnection(new StreamMessageReader(stdout), new StreamMessageWriter(stdin));
    this.connection.onNotification(PublishDiagnosticsNotification.type, ({ uri, diagnostics }) => {
      this.published.set(uri, diagnostics);
      for (const look of this.looking) {
        look();
      }
    });
    this.connection.onRequest("workspace/configuration", ({ items }: { items: unknown[] }) =>
      items.map(() => told(this.section)),
    );
    this.connection.onRequest("client/registerCapability", () => null);
    this.connection.listen();
  }

  /** Begin, with the abilities of VS Code that matter here. */
  async begin(): Promise<this> {
    const uri = pathToFileURL(this.root).href;
    this.result = await this.connection.sendRequest(InitializeRequest.type, {
      processId: process.pid,
      // eslint-disable-next-line @typescript-eslint/no-deprecated -- the protocol's types want it all the same
      rootUri: null,
      workspaceFolders: [{ uri, name: "work" }],
      capabilities: {
        general: { positionEncodings: ["utf-16"] },
        workspace: {
          configuration: true,
          didChangeConfiguration: { dynamicRegistration: true },
          didChangeWatchedFiles: { dynamicRegistration: true },
          workspaceEdit: { documentChanges: true },
          workspaceFolders: true,
        },
        textDocument: {
          codeAction: {
            codeActionLiteralSupport: { codeActionKind: { valueSet: ["", "quickfix", "source"] } },
            dataSupport: true,
            isPreferredSupport: true,
            resolveSupport: { properties: ["edit"] },
          },
        },
        notebookDocument: { synchronization: { dynamicRegistration: true, executionSummarySupport: true } },
      },
    });
    await this.connection.sendNotification(InitializedNotification.type, {});
    return this;
  }

  /** Open a text, and give its name in the protocol. */
  async open(name: string, languageId: string, text: string): Promise<string> {
    const uri = pathToFileURL(join(this.root, name)).href;
    const textDocument = { uri, languageId, version: 1, text };
    await this.connection.sendNotification(DidOpenTextDocumentNotification.type, { textDocument });
    return uri;
  }

  /** Wait until what is published of a document is so. */
  diagnostics(uri: string, isWanted: (found: Diagnostic[]) => boolean): Promise<Diagnostic[]> {
    return new Promise((resolve) => {
      const look = (): void => {
        const found = this.published.get(uri);
        if (found !== undefined && isWanted(found)) {
          this.looking.delete(look);
          resolve(found);
        }
      };
      this.looking.add(look);
      look();
    });
  }

  /** Take leave in order; give the exit code of the server. */
  async end(): Promise<number | null> {
    await this.connection.sendRequest(ShutdownRequest.type);
    await this.connection.sendNotification(ExitNotification.type);
    const { code } = await this.server.ended;
    this.connection.dispose();
    return code;
  }
}

/** Run a conversation for one test, whatever comes of it, and see that the server ends in order. */
export async function converse(talk: (conversation: Conversation) => Promise<void>): Promise<void> {
  const conversation = await new Conversation(folder()).begin();
  try {
    await talk(conversation);
  } finally {
    assert.equal(await conversation.end(), 0);
  }
}
