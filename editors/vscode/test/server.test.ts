import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { test } from "node:test";

import {
  CodeActionRequest,
  CodeActionResolveRequest,
  CompletionRequest,
  DidChangeConfigurationNotification,
  DidOpenNotebookDocumentNotification,
  HoverRequest,
  TextDocumentEdit,
  type TextEdit,
} from "vscode-languageserver-protocol/node";

import { type Conversation, converse, installed } from "./conversation";

const LIMIT = { timeout: 60_000 };
const REVERSED = "from peft import AdaLoraConfig\n\nconfig = AdaLoraConfig(init_r=8, target_r=16, total_step=100)\n";
const SPARE = "from peft import AdaLoraConfig\n\nconfig = AdaLoraConfig(r=16, init_r=12, total_step=10_000)\n";
const YAML = "peft:\n  peft_type: ADALORA\n  r: 16  # 秩\n  init_r: 12\n  total_step: 10000\n";
const JSON_TEXT = '{\n  "peft_type": "ADALORA",\n  "r": 16,\n  "init_r": 12,\n  "total_step": 10000\n}\n';

function some(found: readonly unknown[]): boolean {
  return found.length > 0;
}

/** Run the command line on a text, and give what it prints. */
function byTheCommandLine(cwd: string, input: string, options: readonly string[]): string {
  return execFileSync(installed().program, options, { cwd, input, stdio: ["pipe", "pipe", "ignore"] }).toString();
}

/** Apply edits as an editor does, last first; lines end with a newline here. */
function edited(text: string, edits: readonly TextEdit[]): string {
  const lines = text.split("\n");
  const offset = ({ line, character }: { line: number; character: number }): number =>
    lines.slice(0, line).reduce((sum, one) => sum + one.length + 1, 0) + character;
  return edits
    .map((edit) => ({ start: offset(edit.range.start), stop: offset(edit.range.end), text: edit.newText }))
    .sort((one, other) => other.start - one.start)
    .reduce((sum, edit) => sum.slice(0, edit.start) + edit.text + sum.slice(edit.stop), text);
}

/** Take the actions of a kind for a whole document, resolved, as VS Code does when it applies one. */
async function editsOf(conversation: Conversation, uri: string, kind: string): Promise<TextEdit[]> {
  const diagnostics = await conversation.diagnostics(uri, some);
  const range = { start: { line: 0, character: 0 }, end: { line: 9, character: 0 } };
  const offered = await conversation.connection.sendRequest(CodeActionRequest.type, {
    textDocument: { uri },
    range,
    context: { diagnostics, only: [kind] },
  });
  const [action] = (offered ?? []).filter((one) => "kind" in one && (kind !== "quickfix" || one.isPreferred === true));
  assert.ok(action !== undefined && "kind" in action, `no action of the kind ${kind}`);
  const resolved = await conversation.connection.sendRequest(CodeActionResolveRequest.type, action);
  const changes = (resolved.edit?.documentChanges ?? []).filter((one) => TextDocumentEdit.is(one));
  return changes.flatMap((one) => one.edits as TextEdit[]);
}

for (const [name, language, text] of [
  ["train.py", "python", SPARE],
  ["exp %23 量.yaml", "yaml", YAML],
  ["adapter_config.json", "json", JSON_TEXT],
  ["notes.md", "markdown", `# 量\n\n\`\`\`python\n${SPARE}\`\`\`\n`],
  ["train.sh", "shellscript", "# 量\nswift sft --tuner_type adalora --adalora_init_r 8 --adalora_target_r 16\n"],
  ["Makefile", "makefile", "run:\n\tswift sft --tuner_type adalora --adalora_init_r 8 --adalora_target_r 16\n"],
] as const) {
  void test(`${name} has the findings of the command line`, LIMIT, async () => {
    await converse(async (conversation) => {
      const uri = await conversation.open(name, language, text);
      const options = ["check", "--exit-zero", "--output-format", "json", "--stdin-filename", name, "-"];
      const printed = byTheCommandLine(conversation.root, text, options);
      const told = JSON.parse(printed) as { code: string; message: string; location: { row: number } }[];
      assert.ok(told.length > 0);
      assert.deepEqual(
        (await conversation.diagnostics(uri, some)).map((one) => [one.code, one.message, one.range.start.line + 1]),
        told.map((one) => [one.code, one.message, one.location.row]),
      );
    });
  });

  for (const kind of ["source.fixAll.adalint", "quickfix"]) {
    void test(`${kind} gives ${name} what adalint fix gives`, LIMIT, async () => {
      await converse(async (conversation) => {
        const uri = await conversation.open(name, language, text);
        const options = ["fix", "--exit-zero", "--stdin-filename", name, "-"];
        const wanted = byTheCommandLine(conversation.root, text, options);
        assert.notEqual(wanted, text);
        assert.equal(edited(text, await editsOf(conversation, uri, kind)), wanted);
      });
    });
  }
}

void test("a cell of a notebook has its findings and its fixes", LIMIT, async () => {
  await converse(async (conversation) => {
    const uri = pathToFileURL(join(conversation.root, "train.ipynb")).href;
    const cell = uri.replace("file:", "vscode-notebook-cell:") + "#W1sZmlsZQ==";
    await conversation.connection.sendNotification(DidOpenNotebookDocumentNotification.type, {
      notebookDocument: { uri, notebookType: "jupyter-notebook", version: 1, cells: [{ kind: 2, document: cell }] },
      cellTextDocuments: [{ uri: cell, languageId: "python", version: 1, text: SPARE }],
    });
    const found = await conversation.diagnostics(cell, some);
    assert.deepEqual(
      found.map((one) => [one.code, one.range.start.line]),
      [["ADA101", 2]],
    );
    const after = edited(SPARE, await editsOf(conversation, cell, "source.fixAll.adalint"));
    assert.equal(after, SPARE.replace("r=16, init_r", "init_r"));
  });
});

void test("a field explains itself, and names of fields are offered", LIMIT, async () => {
  await converse(async (conversation) => {
    const textDocument = { uri: await conversation.open("train.py", "python", REVERSED) };
    const hover = await conversation.connection.sendRequest(HoverRequest.type, {
      textDocument,
      position: { line: 2, character: REVERSED.split("\n")[2]?.indexOf("target_r") ?? 0 },
    });
    assert.match(JSON.stringify(hover?.contents), /target_r.*16/);
    const offered = await conversation.connection.sendRequest(CompletionRequest.type, {
      textDocument,
      position: { line: 2, character: (REVERSED.split("\n")[2]?.indexOf("(") ?? 0) + 1 },
    });
    const items = (Array.isArray(offered) ? offered : (offered?.items ?? []));
    const labels = items.map((one) => one.label);
    assert.ok(labels.includes("deltaT"));
    assert.ok(!labels.includes("target_r"), "it is given already");
  });
});

void test("settings of the editor are followed, and those that are taken back", LIMIT, async () => {
  await converse(async (conversation) => {
    const uri = await conversation.open("train.py", "python", REVERSED);
    assert.deepEqual((await conversation.diagnostics(uri, some)).map((one) => one.code), ["ADA102"]);
    for (const section of [{ ignore: ["ADA102"] }, { ignore: null }, { select: ["ADA101"] }, {}]) {
      conversation.section = section;
      await conversation.connection.sendNotification(DidChangeConfigurationNotification.type, { settings: null });
      const isSilent = (section.ignore ?? section.select ?? []).length > 0;
      await conversation.diagnostics(uri, (found) => some(found) !== isSilent);
    }
  });
});

void test("a project's own settings hold where the editor says nothing", LIMIT, async () => {
  await converse(async (conversation) => {
    writeFileSync(join(conversation.root, "adalint.toml"), 'ignore = ["ADA102"]\n');
    const both = await conversation.open("train.py", "python", `${SPARE}${REVERSED}`);
    assert.deepEqual((await conversation.diagnostics(both, some)).map((one) => one.code), ["ADA101"]);
  });
});

void test("the server says which release it is", LIMIT, async () => {
  await converse((conversation) => {
    const version = execFileSync(installed().program, ["--version"]).toString();
    assert.ok(version.includes(conversation.result?.serverInfo?.version ?? "no version"));
    return Promise.resolve();
  });
});
