import assert from "node:assert/strict";
import test from "node:test";
import { EventParser, LONGEST_EVENT } from "../src/sse.js";

function parsed(...chunks) {
  const parser = new EventParser();
  return chunks.flatMap((chunk) => parser.feed(Buffer.from(chunk)));
}

test("a stream says the same wherever it is split", () => {
  for (const end of ["\n", "\r\n", "\r"]) {
    const text = `\ufeff: hello${end}id: 1${end}event: task${end}data: {"a":${end}data: "ä€😀"}${end}${end}retry: 5${end}data:x${end}${end}`;
    const bytes = Buffer.from(text + (end === "\r" ? ":" : ""));
    const events = [
      { id: "1", name: "task", data: '{"a":\n"ä€😀"}' },
      { id: "1", name: "message", data: "x" },
    ];
    for (let one = 0; one <= bytes.length; one++) {
      for (const other of [one, one + 1, one + 7, bytes.length]) {
        const chunks = [bytes.subarray(0, one), bytes.subarray(one, other), bytes.subarray(other)];
        assert.deepEqual(parsed(...chunks), events, `${JSON.stringify(end)} ${one} ${other}`);
      }
    }
  }
});

const STANDARD = [
  ["data\n\n", [{ id: "", name: "message", data: "" }]],
  ["data:no blank\n\n", [{ id: "", name: "message", data: "no blank" }]],
  ["event: x\n\n", []],
  ["id: 1\n\ndata: a\n\n", [{ id: "1", name: "message", data: "a" }]],
  ["id: 1\0\ndata: a\n\n", [{ id: "", name: "message", data: "a" }]],
  [":\n\n: keep-alive\n\n", []],
  ["data: a\n", []],
];
for (const [text, events] of STANDARD) {
  test(`the standard is kept to: ${JSON.stringify(text)}`, () => assert.deepEqual(parsed(text), events));
}

test("an event has a greatest length", () => {
  const line = Buffer.from(`data: ${"x".repeat(2 ** 20)}\n`);
  const parser = new EventParser();
  assert.throws(() => {
    for (let at = 0; at <= LONGEST_EVENT / line.length + 1; at++) parser.feed(line);
  }, /longer than/);
});
