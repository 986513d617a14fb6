import assert from "node:assert/strict";
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { find, foldersOf, isProgram, type Launch } from "../src/command";
import { start } from "../src/server";
import { failed, INSTALL, missing, status } from "../src/words";
import { folder, installed, program } from "./conversation";

const LIMIT = { timeout: 60_000 };

/** Start what is no server, and say what became of it. */
async function told(launch: Launch, environment: NodeJS.ProcessEnv = process.env): Promise<string> {
  const server = start(launch, folder(), environment);
  return failed(launch, await server.ended);
}

function interpreter(): string {
  const found = foldersOf(process.env.PATH, false)
    .map((one) => join(one, "python3"))
    .find(isProgram);
  assert.ok(found !== undefined, "these tests need python3 on the search path");
  return found;
}

void test("nothing at all: how adalint is installed is said", () => {
  const text = missing({ found: "nothing", configured: undefined });
  assert.match(text, /not installed/);
  assert.ok(text.includes(INSTALL));
});

void test("a setting that names nothing is shown as it was understood", () => {
  assert.match(missing({ found: "nothing", configured: "/a b/adalint" }), /adalint\.path names \/a b\/adalint,/);
});

void test("an interpreter without adalint says where to install it", LIMIT, async () => {
  const empty = { PATH: process.env.PATH, PYTHONPATH: folder() };
  // -S leaves the installed packages out, whichever interpreter this is.
  const args = ["-S", "-m", "adalint", "server", "--stdio"];
  const python = interpreter();
  const text = await told({ found: "interpreter", program: python, args }, empty);
  assert.match(text, /not installed for the selected interpreter/);
  assert.ok(text.includes(python) && text.includes(INSTALL));
});

void test("a folder named adalint in the workspace is not what is run", LIMIT, async () => {
  const workspace = folder();
  mkdirSync(join(workspace, "adalint"));
  for (const name of ["__init__.py", "__main__.py"]) {
    writeFileSync(join(workspace, "adalint", name), "raise SystemExit('the one of the workspace')\n");
  }
  const python = interpreter();
  const args = ["-m", "adalint", "no-such-command"];
  const server = start({ found: "interpreter", program: python, args }, workspace, process.env);
  const { errors } = await server.ended;
  assert.doesNotMatch(errors, /of the workspace/);
});

void test("the last line of what it said is why it ended", LIMIT, async () => {
  const text = await told(program("echo 'a warning' >&2; echo \"adalint: pip install 'adalint[lsp]'\" >&2; exit 2"));
  assert.match(text, /ended with 2: pip install 'adalint\[lsp\]'$/);
});

void test("a server that says nothing tells its exit code", LIMIT, async () => {
  assert.match(await told(program("exit 7")), /adalint server --stdio ended with 7$/);
});

void test("a server that is killed is said to be", LIMIT, async () => {
  assert.match(await told(program("kill -9 $$")), /was killed$/);
});

void test("an adalint that has no server is to be upgraded", LIMIT, async () => {
  const launch = installed();
  const text = await told({ ...launch, args: ["server", "--no-such-option"] });
  assert.match(text, /ended with 2: .*no-such-option/i);
  const old = program("echo \"Error: No such command 'server'.\" >&2; exit 2");
  assert.match(await told(old), /without a language server.*pip install -U/);
});

void test("a program that cannot be run at all is named, with the reason", LIMIT, async () => {
  const launch = program("exit 0");
  writeFileSync(launch.program, "#!/no/such/shell\n");
  chmodSync(launch.program, 0o755);
  assert.match(await told(launch), /cannot be started: .*ENOENT.*adalint\.path/);
});

void test("thousands of lines on the error stream neither block nor pile up", LIMIT, async () => {
  const server = start(program("i=0; while [ $i -lt 20000 ]; do echo line $i >&2; i=$((i+1)); done; exit 3"), folder(), {
    PATH: process.env.PATH,
  });
  const ended = await server.ended;
  assert.equal(ended.code, 3);
  assert.ok(ended.errors.length <= 4000);
  assert.match(ended.errors, /line 19999\n$/);
});

void test("only files that can be run are programs", () => {
  const place = folder();
  writeFileSync(join(place, "text"), "");
  chmodSync(join(place, "text"), 0o644);
  mkdirSync(join(place, "folder"));
  symlinkSync(join(place, "nowhere"), join(place, "dangling"));
  for (const name of ["text", "folder", "dangling", "absent"]) {
    assert.equal(isProgram(join(place, name)), false, name);
  }
  assert.equal(isProgram(process.execPath), true);
});

void test("the status item shows the release and where the server was found", () => {
  const launch = find({
    configured: "/opt/adalint",
    folder: undefined,
    home: "/",
    searched: [],
    interpreter: undefined,
    windows: false,
    isProgram: () => true,
  });
  assert.ok(launch.found !== "nothing");
  assert.deepEqual(status.running(launch, "1.2.3"), {
    text: "adalint 1.2.3",
    detail: "/opt/adalint (from adalint.path)",
    severity: "information",
    busy: false,
  });
  assert.equal(status.broken("why").severity, "error");
});
