import { homedir } from "node:os";

import * as vscode from "vscode";
import {
  CloseAction,
  ErrorAction,
  LanguageClient,
  type LanguageClientOptions,
} from "vscode-languageclient/node";

import { find, foldersOf, isProgram, type Launch, type Surroundings } from "./command";
import { interpreterIn } from "./interpreter";
import { start, type Started } from "./server";
import { LANGUAGES, RESTARTING, told } from "./settings";
import { failed, INSTALL, missing, type Status, status } from "./words";

const SELECTOR = [
  ...LANGUAGES.flatMap((language) => [
    { scheme: "file", language },
    { scheme: "untitled", language },
  ]),
  { scheme: "vscode-notebook-cell", language: "python" },
];

const SEVERITIES = {
  information: vscode.LanguageStatusSeverity.Information,
  warning: vscode.LanguageStatusSeverity.Warning,
  error: vscode.LanguageStatusSeverity.Error,
} as const;

// A message has room for four short words.
const [COPY, SETTINGS, OUTPUT, RESTART] = ["Copy pip line", "Settings", "Output", "Restart"] as const;

/** Milliseconds that a server has for its end, once it is asked for it. */
const FAREWELL = 5000;

/** The server, its client, and what is shown of them. */
class Session implements vscode.Disposable {
  private readonly output = vscode.window.createOutputChannel("adalint", { log: true });
  private readonly item = vscode.languages.createLanguageStatusItem("adalint", SELECTOR);
  private client: LanguageClient | undefined;
  private server: Started | undefined;
  private work: Promise<void> = Promise.resolve();

  constructor() {
    this.item.name = "adalint";
    this.item.command = { command: "adalint.showOutput", title: "Show output" };
  }

  /** Start the server anew, once all that was asked for before is done. */
  restart(): Promise<void> {
    return this.afterwards(async () => {
      await this.leave();
      await this.begin();
    });
  }

  /** Stop the server, once all that was asked for before is done. */
  stop(): Promise<void> {
    return this.afterwards(() => this.leave());
  }

  /** Do something once all before it is done; what fails is shown, and stands in nobody's way. */
  private afterwards(work: () => Promise<void>): Promise<void> {
    this.work = this.work.then(work).catch((error: unknown) => {
      this.complain(`adalint cannot be started: ${String(error)}`);
    });
    return this.work;
  }

  showOutput(): void {
    this.output.show(true);
  }

  dispose(): void {
    this.item.dispose();
    this.output.dispose();
  }

  private async begin(): Promise<void> {
    const settings = vscode.workspace.getConfiguration("adalint");
    if (!settings.get<boolean>("enable", true)) {
      this.show(status.off());
      return;
    }
    this.show(status.starting());
    const launch = find(await surroundings(settings.get<string>("path", "")));
    if (launch.found === "nothing") {
      this.complain(missing(launch));
      return;
    }
    this.output.info(`starting ${[launch.program, ...launch.args].join(" ")}`);
    await this.connect(launch);
  }

  private async connect(launch: Launch): Promise<void> {
    const server = start(launch, firstFolder(), process.env);
    const client = new LanguageClient("adalint", "adalint", () => Promise.resolve(server.process), this.options());
    this.server = server;
    this.client = client;
    // Whichever comes first: the server is there, or it is gone before it said anything.
    const reason = await Promise.race([
      client.start().then(
        () => undefined,
        (error: unknown) => Promise.race([server.ended, later({ error: String(error), code: null, errors: "" })]),
      ),
      server.ended,
    ]);
    if (reason !== undefined) {
      await this.leave();
      this.complain(failed(launch, reason));
      return;
    }
    this.show(status.running(launch, client.initializeResult?.serverInfo?.version));
    void server.ended.then((ended) => {
      if (this.server === server) {
        this.complain(failed(launch, ended));
      }
    });
  }

  private options(): LanguageClientOptions {
    return {
      documentSelector: SELECTOR,
      outputChannel: this.output,
      initializationFailedHandler: () => false,
      // What has ended says why, and "adalint: Restart Server" starts it again; five crashes in a row help nobody.
      errorHandler: {
        error: () => ({ action: ErrorAction.Continue, handled: true }),
        closed: () => ({ action: CloseAction.DoNotRestart, handled: true }),
      },
      middleware: {
        workspace: {
          configuration: async (params, token, next) => {
            const answer = await next(params, token);
            return Array.isArray(answer) ? answer.map(told) : answer;
          },
        },
      },
    };
  }

  private async leave(): Promise<void> {
    const { client, server } = this;
    this.client = undefined;
    this.server = undefined;
    if (client?.isRunning() === true) {
      await client.stop(FAREWELL).catch((error: unknown) => {
        this.output.warn(String(error));
      });
    }
    await client?.dispose().catch(() => undefined);
    if (server !== undefined && (await Promise.race([server.ended, later(undefined)])) === undefined) {
      server.process.kill("SIGKILL");
    }
  }

  private show(now: Status): void {
    this.item.text = now.text;
    this.item.detail = now.detail;
    this.item.severity = SEVERITIES[now.severity];
    this.item.busy = now.busy;
  }

  private complain(why: string): void {
    this.output.error(why);
    this.show(status.broken(why));
    void vscode.window
      .showErrorMessage(why, COPY, SETTINGS, OUTPUT, RESTART)
      .then(async (chosen) => {
        if (chosen === COPY) {
          await vscode.env.clipboard.writeText(INSTALL);
        } else if (chosen === SETTINGS) {
          await vscode.commands.executeCommand("workbench.action.openSettings", "adalint.path");
        } else if (chosen === OUTPUT) {
          this.showOutput();
        } else if (chosen === RESTART) {
          await this.restart();
        }
      });
  }
}

function firstFolder(): string | undefined {
  return vscode.workspace.workspaceFolders?.find((folder) => folder.uri.scheme === "file")?.uri.fsPath;
}

async function surroundings(configured: string): Promise<Surroundings> {
  const windows = process.platform === "win32";
  return {
    configured,
    folder: firstFolder(),
    home: homedir(),
    searched: foldersOf(process.env.PATH, windows),
    interpreter: await interpreterIn(vscode.workspace.workspaceFolders?.[0]?.uri),
    windows,
    isProgram,
  };
}

function later<T>(value: T): Promise<T> {
  return new Promise((resolve) => setTimeout(resolve, FAREWELL, value));
}

async function fixAll(): Promise<void> {
  await vscode.commands.executeCommand("editor.action.sourceAction", {
    kind: "source.fixAll.adalint",
    apply: "first",
  });
}

let session: Session | undefined;

export function activate(context: vscode.ExtensionContext): void {
  const started = new Session();
  session = started;
  context.subscriptions.push(
    started,
    vscode.commands.registerCommand("adalint.restart", () => started.restart()),
    vscode.commands.registerCommand("adalint.fixAll", fixAll),
    vscode.commands.registerCommand("adalint.showOutput", () => {
      started.showOutput();
    }),
    vscode.workspace.onDidChangeConfiguration((change) => {
      if (RESTARTING.some((key) => change.affectsConfiguration(key))) {
        void started.restart();
      }
    }),
  );
  void started.restart();
}

export async function deactivate(): Promise<void> {
  await session?.stop();
}
