import assert from "node:assert/strict";
import { test } from "node:test";

import { find, foldersOf, type Surroundings } from "../src/command";

function where(programs: string[], given: Partial<Surroundings> = {}): Surroundings {
  return {
    configured: "",
    folder: "/work space",
    home: "/home/量",
    searched: ["/usr/local/bin", "/usr/bin"],
    interpreter: undefined,
    windows: false,
    isProgram: (file) => programs.includes(file),
    ...given,
  };
}

void test("the setting wins over everything", () => {
  const programs = ["/opt/adalint", "/usr/bin/adalint", "/venv/bin/python"];
  const found = find(where(programs, { configured: "/opt/adalint", interpreter: "/venv/bin/python" }));
  assert.deepEqual(found, { found: "setting", program: "/opt/adalint", args: ["server", "--stdio"] });
});

for (const [configured, program] of [
  [".venv/bin/adalint", "/work space/.venv/bin/adalint"],
  ["./adalint", "/work space/adalint"],
  ["${workspaceFolder}/.venv/bin/adalint", "/work space/.venv/bin/adalint"],
  ["~/bin/adalint", "/home/量/bin/adalint"],
  ["  /opt/adalint ", "/opt/adalint"],
] as const) {
  void test(`the setting ${JSON.stringify(configured)} means ${program}`, () => {
    assert.deepEqual(find(where([program], { configured })), {
      found: "setting",
      program,
      args: ["server", "--stdio"],
    });
  });
}

void test("a setting that names no program is not made good by another adalint", () => {
  const found = find(where(["/usr/bin/adalint"], { configured: "/opt/adalint" }));
  assert.deepEqual(found, { found: "nothing", configured: "/opt/adalint" });
});

void test("the first on the search path is taken", () => {
  const found = find(where(["/usr/bin/adalint", "/usr/local/bin/adalint"]));
  assert.deepEqual(found, { found: "search path", program: "/usr/local/bin/adalint", args: ["server", "--stdio"] });
});

void test("what lies in a relative folder of the search path is never run", () => {
  const found = find(where(["adalint", "./adalint", "bin/adalint"], { searched: [".", "bin", ""] }));
  assert.deepEqual(found, { found: "nothing", configured: undefined });
});

void test("the selected interpreter is asked where nothing is on the search path", () => {
  const found = find(where(["/venv/bin/python"], { interpreter: "/venv/bin/python" }));
  assert.deepEqual(found, {
    found: "interpreter",
    program: "/venv/bin/python",
    args: ["-m", "adalint", "server", "--stdio"],
  });
});

void test("an interpreter that is gone is not asked", () => {
  assert.equal(find(where([], { interpreter: "/venv/bin/python" })).found, "nothing");
});

void test("on Windows it is adalint.exe, between backslashes", () => {
  const program = "C:\\Program Files\\Python\\Scripts\\adalint.exe";
  const searched = foldersOf('"C:\\Program Files\\Python\\Scripts";C:\\Windows', true);
  assert.deepEqual(find(where([program], { searched, windows: true })), {
    found: "search path",
    program,
    args: ["server", "--stdio"],
  });
});

void test("without a folder, a relative setting is taken as it is", () => {
  const found = find(where([], { configured: "bin/adalint", folder: undefined }));
  assert.deepEqual(found, { found: "nothing", configured: "bin/adalint" });
});

void test("an environment without a search path has no folders", () => {
  assert.deepEqual(foldersOf(undefined, false), []);
  assert.deepEqual(foldersOf("", false), []);
  assert.deepEqual(foldersOf("/a b::/c", false), ["/a b", "/c"]);
});
