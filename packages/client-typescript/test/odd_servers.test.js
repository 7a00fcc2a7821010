import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import * as client from "../src/index.js";
import { answer, BATCH, DONE, freeUrl, problem, serve, shown, stream, TASK } from "./server.js";

const { ApiRefused, ApiTimeout, ApiUnreachable, DownloadBroken, GenPulse, InvalidId, TaskNotEnded, UnexpectedAnswer } = client;
const CONTENT = Buffer.from("0123456789".repeat(1000));
const ASSET = {
  id: "a1",
  url: "http://x/a1",
  media_type: "text/plain",
  bytes: CONTENT.length,
  sha256: createHash("sha256").update(CONTENT).digest("hex"),
};

for (const status of [429, 503]) {
  for (const [form, least] of [["0", 0], ["1", 1], [new Date(0).toUTCString(), 0], ["nonsense", 0], ["-5", 0], [undefined, 0]]) {
    test(`${status} with Retry-After: ${form} is waited for`, async (t) => {
      const headers = form === undefined ? {} : { "Retry-After": form };
      const { asked, genpulse } = await serve(t, [problem(status, "busy", headers), shown(TASK, 202)]);
      const begun = performance.now();
      assert.equal((await genpulse.submit("art/easel", {})).id, TASK.id);
      assert.ok(performance.now() - begun >= least * 990);
      assert.equal(asked.length, 2);
      assert.equal(new Set(asked.map((one) => one.headers["idempotency-key"])).size, 1);
      assert.match(asked[0].headers["idempotency-key"], /^[0-9a-f]{32}$/);
    });
  }
}

test("who asks for too long is not waited for", async (t) => {
  const { asked, genpulse } = await serve(t, [problem(429, "rate_limited", { "Retry-After": "3600" })]);
  await assert.rejects(genpulse.submit("art/easel", {}), (error) => {
    assert.ok(error instanceof ApiRefused);
    assert.deepEqual([error.retryAfterS, error.code, error.status, error.name], [3600, "rate_limited", 429, "ApiRefused"]);
    return true;
  });
  assert.equal(asked.length, 1);
});

test("patience has an end", async (t) => {
  const { genpulse } = await serve(t, [problem(503, "away", { "Retry-After": "0" })], { retries: { busyS: 0.2 } });
  await assert.rejects(genpulse.get("x"), /It is away/);
});

test("a retry is not sent again where nobody knows whether it was done", async (t) => {
  const { asked, genpulse } = await serve(t, [problem(503, "away", { "Retry-After": "0" })]);
  await assert.rejects(genpulse.retry(TASK), ApiRefused);
  await assert.rejects(genpulse.retryBatch("b1"), ApiRefused);
  assert.equal(asked.length, 2);
});

test("a batch is sent again only under keys", async (t) => {
  const [order, keyed] = [{ model: "a/b", input: {} }, { model: "a/b", input: {}, idempotencyKey: "two" }];
  const keysOf = async (orders, options) => {
    const { asked, genpulse } = await serve(t, [problem(503, "away", { "Retry-After": "0" }), shown({ data: [TASK] })]);
    assert.equal((await genpulse.submitBatch(orders, options)).length, 1);
    assert.equal(asked.length, 2);
    assert.equal(asked[0].body, asked[1].body);
    assert.equal(asked[0].headers["idempotency-key"], asked[1].headers["idempotency-key"]);
    return [asked[0].headers["idempotency-key"], JSON.parse(asked[0].body).tasks.map((task) => task.idempotency_key)];
  };
  assert.deepEqual(await keysOf([order], { idempotencyKey: "k" }), ["k", [undefined]]);
  assert.deepEqual(await keysOf([keyed]), [undefined, ["two"]]);
  const [own, [none]] = await keysOf([order]);
  assert.match(own, /^[0-9a-f]{32}$/);
  assert.equal(none, undefined);
  await assert.rejects(keysOf([order, keyed]), ApiRefused);
});

test("a refusal names what does not fit", async (t) => {
  const document = { detail: "It does not fit.", code: "invalid_input", errors: [{ pointer: "/input/width", detail: "too wide" }, 5] };
  const { genpulse } = await serve(t, [shown(document, 422)]);
  await assert.rejects(genpulse.submit("a/b", {}), (error) => {
    assert.deepEqual(error.problems, [{ place: "/input/width", detail: "too wide" }]);
    assert.match(error.message, /\/input\/width: too wide/);
    assert.deepEqual(error.problem, document);
    return true;
  });
});

const NO_GENPULSE = [
  ["a page of a proxy", answer(200, "<h1>Welcome", { "Content-Type": "text/html" }), /is not GenPulse: 200, text\/html: <h1>/],
  ["no task", shown([]), /no task/],
  ["null", shown(null), /no task/],
  ["a redirect", answer(302, "", { Location: "https://elsewhere.example/" }), /leads to https:\/\/elsewhere/],
];
for (const [what, given, message] of NO_GENPULSE) {
  test(`${what} is an unexpected answer`, async (t) => {
    const { asked, genpulse } = await serve(t, [given]);
    await assert.rejects(genpulse.get("x"), (error) => error instanceof UnexpectedAnswer && message.test(error.message));
    assert.equal(asked.length, 1);
  });
}

test("a page of HTML with a status of its own is a refusal", async (t) => {
  const { genpulse } = await serve(t, [answer(403, "<h1>No", { "Content-Type": "text/html" })]);
  await assert.rejects(genpulse.get("x"), (error) => error instanceof ApiRefused && error.code === "unknown" && error.status === 403);
});

test("nothing that answers is told at once, and a submit waits for it", async (t) => {
  const nobody = new GenPulse(await freeUrl(), "", { retries: { unreachableS: 0.3 } });
  await assert.rejects(nobody.get("x"), (error) => error instanceof ApiUnreachable && !error.sent && error.code === "unreachable");
  const begun = performance.now();
  await assert.rejects(nobody.submit("a/b", {}), ApiUnreachable);
  assert.ok(performance.now() - begun >= 150);
});

test("a connection that breaks in an answer is tried again", async (t) => {
  const cut = (response) => {
    response.writeHead(200, { "Content-Length": "100" });
    response.write("{", () => setTimeout(() => response.destroy(), 20));
  };
  const { asked, genpulse } = await serve(t, [(response) => response.destroy(), cut, shown(TASK)]);
  assert.equal((await genpulse.get("x")).id, TASK.id);
  assert.equal(asked.length, 3);
});

test("silence has an end", async (t) => {
  const { genpulse } = await serve(t, [() => {}], { silenceS: 0.1, retries: { unreachableS: 0 } });
  await assert.rejects(genpulse.get("x"), (error) => error instanceof ApiTimeout && error.code === "timeout");
  const slow = (response) => response.writeHead(200, { "Content-Type": "text/event-stream" }).write(":\n\n");
  const watched = await serve(t, [slow], { silenceS: 0.1, retries: { unreachableS: 0 } });
  await assert.rejects(watched.genpulse.wait("x"), ApiTimeout);
});

test("a file that is brought may take its time", async (t) => {
  const late = (response) => setTimeout(() => shown(ASSET, 201)(response), 300);
  const { asked, genpulse } = await serve(t, [late], { silenceS: 0.1 });
  assert.equal((await genpulse.upload(new Blob(["words"]), { name: "words.txt" })).id, "a1");
  assert.match(asked[0].headers["content-type"], /^multipart\/form-data; boundary=/);
  assert.match(asked[0].body, /name="file"; filename="words.txt"/);
});

test("a file that is brought by an address is sent again, and its key goes nowhere", async (t) => {
  const busy = problem(429, "upload_in_progress", { "Retry-After": "0" });
  const { url, asked } = await serve(t, [(response) => response.destroy(), busy, shown(ASSET, 200)]);
  const asset = await client.uploadTo(`${url}/v1/uploads/a1?signature=a-b_c`, new Blob(["words"], { type: "text/plain" }));
  assert.equal(asset.id, "a1");
  assert.deepEqual(asked.map(({ method, url: path, body }) => [method, path, body]), Array(3).fill(["PUT", "/v1/uploads/a1?signature=a-b_c", "words"]));
  assert.deepEqual([asked[0].headers["content-type"], asked[0].headers.authorization], ["text/plain", undefined]);
  const never = { retries: { busyS: 0, unreachableS: 0 } };
  const { url: away } = await serve(t, [busy]);
  await assert.rejects(client.uploadTo(`${away}/v1/uploads/a1`, new Uint8Array(5), never), { code: "upload_in_progress" });
});

test("what is no file or no address is refused before it is sent", async () => {
  const place = "http://127.0.0.1:1/v1/uploads/a1";
  for (const source of [undefined, null, "words", { size: 5 }, new FormData()]) {
    await assert.rejects(client.uploadTo(place, source), TypeError);
  }
  for (const upload of [undefined, null, "", "/v1/uploads/a1", "ftp://x/y", {}, { url: 5 }]) {
    await assert.rejects(client.uploadTo(upload, new Blob()), TypeError);
  }
  await assert.rejects(client.uploadTo(place, new Blob(), { silence: 5 }), TypeError);
  await assert.rejects(client.uploadTo(place, new Blob(), { retries: { busy: 5 } }), TypeError);
  await assert.rejects(new GenPulse(place).createUpload({ max_bytes: 5 }), TypeError);
});

test("a stream that breaks is taken up where it was", async (t) => {
  const first = stream([["task", TASK], ["progress", { progress: 0.5, message: "half" }]], { broken: true });
  const { asked, genpulse } = await serve(t, [first, problem(502, "x"), (response) => response.destroy(), stream([["done", DONE]])]);
  const events = [];
  for await (const event of genpulse.watch(TASK)) events.push(event);
  assert.deepEqual(events.map(({ name }) => name), ["task", "progress", "done"]);
  assert.deepEqual([events[1].progress, events[1].message], [0.5, "half"]);
  assert.deepEqual(asked.map((one) => one.headers["last-event-id"]), [undefined, "2", "2", "2"]);
});

test("a stream that ends early is followed by a look", async (t) => {
  const { genpulse } = await serve(t, [stream([["task", TASK]]), shown(DONE)]);
  assert.equal((await genpulse.wait(TASK.id)).status, "succeeded");
  const ended = await serve(t, [answer(204), shown(DONE)]);
  assert.equal((await ended.genpulse.wait(TASK.id)).status, "succeeded");
});

test("the stream of a batch is taken up where it broke, and no end is missed", async (t) => {
  const ended = { ...BATCH, counts: { succeeded: 1 }, ended: true };
  const first = stream([["batch", BATCH], ["hello", {}], ["end", DONE]], { broken: true });
  const { asked, genpulse } = await serve(t, [first, stream([["end", DONE], ["done", ended]])]);
  const events = [];
  for await (const event of genpulse.watchBatch(BATCH, { lastEventId: "7" })) events.push(event);
  assert.deepEqual(events.map(({ name }) => name), ["batch", "end", "end", "done"]);
  assert.deepEqual([events[1].task, events[3].batch], [DONE, ended]);
  assert.deepEqual(asked.map((one) => `${one.url} ${one.headers["last-event-id"]}`), ["/v1/batches/b1/events 7", "/v1/batches/b1/events 3"]);

  const short = await serve(t, [stream([["end", DONE]]), shown(ended), stream([["end", DONE], ["done", ended]])]);
  const names = [];
  for await (const { name } of short.genpulse.watchBatch("b1")) names.push(name);
  assert.deepEqual(names, ["end", "end", "done"]);
  const over = await serve(t, [answer(204), shown(ended)]);
  for await (const event of over.genpulse.watchBatch("b1", { lastEventId: "9" })) {
    assert.deepEqual(event, { id: "9", name: "done", batch: ended });
  }
  for (const tail of ["event: batch\ndata: {\n\n", "event: end\ndata: 5\n\n", "event: done\ndata: {}\n\n"]) {
    const garbage = await serve(t, [stream([["batch", BATCH]], { tail })]);
    const watched = garbage.genpulse.watchBatch("b1");
    assert.equal((await watched.next()).value.name, "batch");
    await assert.rejects(watched.next(), UnexpectedAnswer);
  }
});

test("events that nobody knows are passed over, garbage is none", async (t) => {
  const { genpulse } = await serve(t, [stream([["hello", {}], ["task", TASK], ["done", DONE]], { tail: ": bye\n\ndata: 1" })]);
  const names = [];
  await genpulse.wait(TASK, { onEvent: ({ name }) => names.push(name) });
  assert.deepEqual(names, ["task", "done"]);
  for (const tail of ["event: task\ndata: {\n\n", "event: progress\ndata: 5\n\n", "event: done\ndata: []\n\n"]) {
    const garbage = await serve(t, [stream([["task", TASK]], { tail })]);
    await assert.rejects(garbage.genpulse.wait(TASK), UnexpectedAnswer);
  }
  const page = await serve(t, [answer(200, "<h1>", { "Content-Type": "text/html" })]);
  await assert.rejects(page.genpulse.wait(TASK), /sends no events/);
});

test("a wait has an end, and a signal ends any call", async (t) => {
  const open = (response) => response.writeHead(200, { "Content-Type": "text/event-stream" }).write(":\n\n");
  const { genpulse } = await serve(t, [open]);
  await assert.rejects(genpulse.wait("x", { timeoutS: 0.1 }), (error) => error instanceof TaskNotEnded && error.taskId === "x");
  await assert.rejects(genpulse.wait("x", { timeoutS: 0 }), TaskNotEnded);
  await assert.rejects(genpulse.wait("x", { signal: AbortSignal.timeout(50) }), { name: "TimeoutError" });
  const reason = new Error("enough");
  await assert.rejects(genpulse.get("x", { signal: AbortSignal.abort(reason) }), (error) => error === reason);
  const busy = await serve(t, [problem(429, "busy", { "Retry-After": "30" })]);
  await assert.rejects(busy.genpulse.get("x", { signal: AbortSignal.timeout(50) }), { name: "TimeoutError" });
});

test("who stops watching leaves the stream", async (t) => {
  let left;
  const closed = new Promise((resolve) => (left = resolve));
  const open = (response) => {
    response.on("close", left);
    stream([["task", TASK]], { tail: ":\n\n" })({ writeHead: (...words) => response.writeHead(...words), write: (text) => response.write(text) });
  };
  const { genpulse } = await serve(t, [open]);
  for await (const event of genpulse.watch(TASK)) {
    assert.equal(event.name, "task");
    break;
  }
  await closed;
});

/** Gives 4000 bytes a connection, each from where it is asked. */
function inParts(response, { headers }) {
  const start = Number(/bytes=(\d+)-/.exec(headers.range ?? "bytes=0-")[1]);
  response.writeHead(start ? 206 : 200, { "Content-Length": CONTENT.length - start });
  response.write(CONTENT.subarray(start, start + 4000), () => setTimeout(() => response.destroy(), 20));
  if (start + 4000 >= CONTENT.length) response.end();
}

test("files come whole or not at all", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "genpulse-client-"));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, "file");
  const parts = await serve(t, [inParts]);
  assert.equal(await parts.genpulse.download(ASSET, path), path);
  assert.deepEqual(await readFile(path), CONTENT);
  assert.deepEqual(parts.asked.map((one) => one.headers.range), [undefined, "bytes=4000-", "bytes=8000-"]);
  assert.deepEqual(Buffer.from(await parts.genpulse.bytes(ASSET)), CONTENT);

  await writeFile(path, "before");
  for (const body of ["other".repeat(2000), "short", "long".repeat(9000)]) {
    const { genpulse } = await serve(t, [answer(200, body)]);
    await assert.rejects(genpulse.download(ASSET, path), DownloadBroken);
    await assert.rejects(genpulse.bytes(ASSET), DownloadBroken);
  }
  assert.deepEqual([await readdir(folder), await readFile(path, "utf8")], [["file"], "before"]);
});

test("a server without ranges sends it all again", async (t) => {
  const cut = (response) => {
    response.writeHead(200, { "Content-Length": CONTENT.length });
    response.write(CONTENT.subarray(0, 7000), () => setTimeout(() => response.destroy(), 20));
  };
  const { genpulse } = await serve(t, [cut, answer(200, CONTENT)]);
  assert.deepEqual(Buffer.from(await genpulse.bytes(ASSET)), CONTENT);
});

test("what is asked for is written as the API reads it", async (t) => {
  const { asked, genpulse } = await serve(t, [shown({ data: [], next_cursor: null, ...TASK })]);
  await genpulse.submit(["a/b", "c/d"], { image: ASSET, list: [ASSET, 1, null] }, { webhookUrl: "http://x/", deadlineS: 5, priority: "low", retainS: 0, runAt: new Date(0) });
  const filters = { status: ["failed", "canceled"], metadata: { customer: ["a", "b"] }, createdAfter: new Date(0), limit: 7 };
  for await (const _ of genpulse.list(filters)) assert.fail();
  await genpulse.usage({ since: "2030-01-01", until: new Date(0), groupBy: ["day", "model"] });
  await genpulse.delete(ASSET);
  await genpulse.delete(TASK);
  await genpulse.deleteAsset("a1");
  await genpulse.retry("x", { evenIfCharged: true });
  assert.deepEqual(JSON.parse(asked[0].body), {
    model: ["a/b", "c/d"],
    input: { image: "asset:a1", list: ["asset:a1", 1, null] },
    priority: "low",
    webhook_url: "http://x/",
    deadline_s: 5,
    retain_s: 0,
    run_at: "1970-01-01T00:00:00.000Z",
  });
  assert.deepEqual(
    asked.slice(1).map((one) => `${one.method} ${one.url} ${one.body}`.trim()),
    [
      "GET /v1/tasks?status=failed&status=canceled&created_after=1970-01-01T00%3A00%3A00.000Z&metadata.customer=a&metadata.customer=b&limit=7",
      "GET /v1/usage?from=2030-01-01&to=1970-01-01T00%3A00%3A00.000Z&group_by=day%2Cmodel",
      "DELETE /v1/assets/a1",
      "DELETE /v1/tasks/0193a1b2",
      "DELETE /v1/assets/a1",
      'POST /v1/tasks/x/retry {"even_if_charged":true}',
    ],
  );
  assert.equal(asked[0].headers.authorization, "Bearer gp_dev_key");
  assert.match(asked[0].headers["user-agent"], /^genpulse-client-js\//);
});

test("batches are asked for as the API has them", async (t) => {
  const { asked, genpulse } = await serve(t, [shown({ ...BATCH, data: [], next_cursor: null, done: 0, left_out: [] })]);
  await genpulse.checkBatch([{ model: "a/b", input: { image: ASSET }, idempotencyKey: "k" }]);
  assert.equal((await genpulse.batch("b1")).id, "b1");
  for await (const _ of genpulse.batches({ limit: 3 })) assert.fail();
  for await (const _ of genpulse.list({ batch: "b1" })) assert.fail();
  await genpulse.cancelBatch(BATCH);
  await genpulse.retryBatch("b1");
  assert.deepEqual(
    asked.map((one) => `${one.method} ${one.url} ${one.body}`.trim()),
    [
      'POST /v1/tasks/batch {"tasks":[{"model":"a/b","input":{"image":"asset:a1"},"idempotency_key":"k"}],"dry_run":true}',
      "GET /v1/batches/b1",
      "GET /v1/batches?limit=3",
      "GET /v1/tasks?batch=b1&limit=100",
      "POST /v1/batches/b1/cancel",
      "POST /v1/batches/b1/retry",
    ],
  );
});

test("pages are asked for as they are needed", async (t) => {
  const page = (cursor) => (response, { url }) => {
    const size = Number(new URL(url, "http://x").searchParams.get("limit"));
    shown({ data: Array(size).fill(TASK), next_cursor: cursor })(response);
  };
  const { asked, genpulse } = await serve(t, [page("one"), page("two"), page(null)]);
  let count = 0;
  for await (const _ of genpulse.list({ limit: 150 })) count += 1;
  assert.equal(count, 150);
  assert.deepEqual(asked.map((one) => one.url), ["/v1/tasks?limit=100", "/v1/tasks?limit=50&cursor=one"]);
});

test("what cannot be meant is refused before it is sent", async (t) => {
  const { asked, genpulse } = await serve(t, [shown(TASK)]);
  for (const id of ["", ".", "..", "../models", "a/b", 5, undefined]) {
    await assert.rejects(genpulse.get(id), InvalidId);
  }
  await assert.rejects(genpulse.submit("a/b", {}, { webhookURL: "http://x/" }), /no option webhookURL/);
  await assert.rejects(genpulse.submit("a/b", { width: NaN }), /no number NaN/);
  for (const key of ["", " a", "ä", "x".repeat(256), 5]) {
    await assert.rejects(genpulse.submit("a/b", {}, { idempotencyKey: key }), /An idempotency key/);
  }
  await assert.rejects(genpulse.upload("photo.png"), /openAsBlob/);
  await assert.rejects(genpulse.checkBatch([{ model: "a/b", input: {}, retain_s: 5 }]), /no option retain_s/);
  const never = new Date("never");
  await assert.rejects(genpulse.submit("a/b", {}, { runAt: never }), RangeError);
  await assert.rejects(genpulse.act("cancel", { provider: "art", createdAfter: never }), RangeError);
  assert.throws(() => genpulse.list({ createdAfter: never }), RangeError);
  await assert.rejects(genpulse.batch("../tasks"), InvalidId);
  await assert.rejects(genpulse.deleteAsset(ASSET), InvalidId);
  await assert.rejects(genpulse.cancelBatch(TASK), UnexpectedAnswer);
  assert.throws(() => genpulse.watchBatch(TASK), UnexpectedAnswer);
  assert.throws(() => genpulse.batches({ status: "failed" }), /no option status/);
  assert.throws(() => genpulse.list({ Status: "failed" }), /no option Status/);
  assert.throws(() => genpulse.list({ ids: [] }), /ids has no values/);
  await assert.rejects(genpulse.act("cancel", { provider: "art", metadata: { customer: [] } }), /metadata.customer has no values/);
  for (const url of ["genpulse", "ftp://x", "http://", "http://u:p@x/", "http://x/?a=1"]) {
    assert.throws(() => new GenPulse(url), TypeError);
  }
  assert.throws(() => new GenPulse("http://x", "ä key"), /characters that no key has/);
  assert.equal(asked.length, 0);
});

test("words of a path stay in their place", async (t) => {
  const { asked, genpulse } = await serve(t, [shown(TASK)]);
  for (const word of ["x?limit=1", "x#y", "100%", "%2e%2e", "a b", "ä"]) await genpulse.get(word);
  await genpulse.model("art/easel v2");
  assert.deepEqual(
    asked.map((one) => one.url),
    ["x%3Flimit%3D1", "x%23y", "100%25", "%252e%252e", "a%20b", "%C3%A4"].map((word) => `/v1/tasks/${word}`).concat("/v1/models/art/easel%20v2"),
  );
});
