import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { builtinModules } from "node:module";
import { join } from "node:path";
import { before, test } from "node:test";

import * as yauzl from "yauzl";

import { folder } from "./conversation";

const LIMIT = { timeout: 120_000 };
const vsix = join(folder(), "adalint.vsix");
const files = new Map<string, Buffer>();

/** Read every file of an archive. */
async function unpack(archive: string): Promise<void> {
  const zip = await yauzl.openPromise(archive);
  for await (const entry of zip.eachEntry()) {
    const chunks: Buffer[] = [];
    for await (const chunk of await zip.openReadStreamPromise(entry)) {
      chunks.push(chunk as Buffer);
    }
    files.set(entry.fileName, Buffer.concat(chunks));
  }
}

before(async () => {
  execFileSync("npm", ["run", "package", "--silent", "--", "--out", vsix], { stdio: ["ignore", "ignore", "inherit"] });
  await unpack(vsix);
}, LIMIT);

void test("the package holds the bundle, its licences, what is read by people, and nothing else", () => {
  assert.deepEqual([...files.keys()].sort(), [
    "[Content_Types].xml",
    "extension.vsixmanifest",
    "extension/LICENSE.txt",
    "extension/changelog.md",
    "extension/out/NOTICES.txt",
    "extension/out/extension.js",
    "extension/package.json",
    "extension/readme.md",
  ]);
});

void test("the package is small", () => {
  assert.ok(statSync(vsix).size < 300_000, `${String(statSync(vsix).size)} bytes`);
});

void test("the bundle needs what VS Code and Node have, and no more", () => {
  const bundle = files.get("extension/out/extension.js")?.toString() ?? "";
  const needed = new Set([...bundle.matchAll(/\brequire\("([^"]+)"\)/g)].map((one) => one[1] ?? ""));
  assert.ok(needed.has("vscode"));
  const strange = [...needed].filter((name) => name !== "vscode" && !builtinModules.includes(name.replace("node:", "")));
  assert.deepEqual(strange, []);
});

void test("the licence is the project's", () => {
  assert.equal(files.get("extension/LICENSE.txt")?.toString(), readFileSync(join("..", "..", "LICENSE"), "utf8"));
});

void test("the licences of what the bundle holds come with it", () => {
  const notices = files.get("extension/out/NOTICES.txt")?.toString() ?? "";
  for (const name of ["vscode-languageclient", "vscode-languageserver-protocol", "vscode-jsonrpc", "semver"]) {
    assert.match(notices, new RegExp(`^${name} \\d+\\.\\d+\\.\\d+ \\((MIT|ISC)\\)$`, "m"));
  }
});
