import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test from "node:test";
import * as client from "../src/index.js";

const read = (path) => readFile(new URL(path, import.meta.url), "utf8");

test("the types name what there is", async () => {
  const types = await read("../src/index.d.ts");
  const values = [...types.matchAll(/^export (?:class|function|const) (\w+)/gm)].map(([, name]) => name);
  assert.deepEqual(values.sort(), Object.keys(client).sort());
  const body = /^export class GenPulse \{(.*?)^\}/ms.exec(types)[1];
  const methods = [...body.matchAll(/^ {2}(\w+)\(/gm)].map(([, name]) => name);
  const there = Object.getOwnPropertyNames(client.GenPulse.prototype).filter((name) => name !== "verifyWebhook");
  assert.deepEqual(methods.sort(), there.sort());
});

test("the version is that of the package", async () => {
  assert.equal(JSON.parse(await read("../package.json")).version, client.VERSION);
});
