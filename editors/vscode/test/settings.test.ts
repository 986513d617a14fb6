import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { FOLLOWED, LANGUAGES, told } from "../src/settings";

interface Manifest {
  readonly activationEvents: readonly string[];
  readonly contributes: {
    readonly commands: readonly { readonly command: string }[];
    readonly configuration: { readonly properties: Readonly<Record<string, { readonly default?: unknown }>> };
  };
}

const manifest = JSON.parse(readFileSync(join(process.cwd(), "package.json"), "utf8")) as Manifest;
const { properties } = manifest.contributes.configuration;
const OWN = ["adalint.enable", "adalint.path", "adalint.trace.server"];

void test("every setting is one that the server follows, or one of this extension's own", () => {
  const followed = FOLLOWED.map((key) => `adalint.${key}`);
  assert.deepEqual(Object.keys(properties).sort(), [...OWN, ...followed].sort());
});

void test("a setting that nobody has set is null, and says nothing to the server", () => {
  const defaults = Object.fromEntries(FOLLOWED.map((key) => [key, properties[`adalint.${key}`]?.default]));
  assert.deepEqual(new Set(Object.values(defaults)), new Set([null]));
  assert.deepEqual(told(defaults), {});
});

void test("what is set is told as it stands, false, empty and nought too", () => {
  const set = { select: [], ignore: ["ADA101"], pedantic: false, debounce: 0, targetPeft: "0.15.2" };
  assert.deepEqual(told(set), set);
});

void test("what is this extension's own is not told", () => {
  assert.deepEqual(told({ path: "/opt/adalint", enable: true, trace: { server: "verbose" }, lang: "zh" }), {
    lang: "zh",
  });
});

void test("a section that is no section says nothing", () => {
  for (const nothing of [null, undefined, "text", 1, []]) {
    assert.deepEqual(told(nothing), {});
  }
});

void test("the extension wakes for each language that the server reads, and for notebooks", () => {
  assert.deepEqual(
    [...manifest.activationEvents].sort(),
    [...LANGUAGES.map((language) => `onLanguage:${language}`), "onNotebook:jupyter-notebook"].sort(),
  );
});

void test("each command of the manifest is registered, and no other", () => {
  const source = readFileSync(join(process.cwd(), "src", "extension.ts"), "utf8");
  const registered = [...source.matchAll(/registerCommand\("([^"]+)"/g)].map((one) => one[1]);
  assert.deepEqual(registered.sort(), manifest.contributes.commands.map((one) => one.command).sort());
});
