/** Against the API itself, at GENPULSE_URL, which has the model art/easel, and a worker. */

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { ApiRefused, GenPulse, hasEnded, uploadTo } from "../src/index.js";

const EASEL = "art/easel";
const FOX = { prompt: "a fox" };
const genpulse = process.env.GENPULSE_URL && new GenPulse();
const api = (name, call) => test(name, { skip: genpulse ? false : "GENPULSE_URL names no server" }, call);

async function all(found) {
  const list = [];
  for await (const one of found) list.push(one);
  return list;
}

api("a task runs from its order to its file", async (t) => {
  const seen = [];
  const task = await genpulse.generate(EASEL, FOX, { metadata: { customer: "acme" }, onEvent: (event) => seen.push(event) });
  assert.deepEqual([task.status, task.error, task.metadata, hasEnded(task)], ["succeeded", null, { customer: "acme" }, true]);
  assert.deepEqual(seen.at(-1).task, task);
  const [output] = task.outputs;
  const folder = await mkdtemp(join(tmpdir(), "genpulse-client-"));
  t.after(() => rm(folder, { recursive: true }));
  await genpulse.download(output, join(folder, "fox.txt"));
  assert.equal(await readFile(join(folder, "fox.txt"), "utf8"), "drawing of a fox");
  assert.equal(Buffer.from(await genpulse.bytes(output)).toString(), "drawing of a fox");
  const later = await all(genpulse.watch(task, { lastEventId: seen.at(-1).id }));
  assert.deepEqual(later.map((event) => event.task.status), ["succeeded"]);
});

api("the same key is the same task", async () => {
  const idempotencyKey = "order 4711";
  const first = await genpulse.submit(EASEL, FOX, { idempotencyKey });
  assert.equal((await genpulse.submit(EASEL, FOX, { idempotencyKey })).id, first.id);
  assert.notEqual((await genpulse.submit(EASEL, FOX)).id, first.id);
  await assert.rejects(genpulse.submit(EASEL, { prompt: "a hen" }, { idempotencyKey }), { code: "idempotency_key_reuse", status: 422 });
});

api("a task is put off", async () => {
  const runAt = new Date(Date.now() + 3600e3);
  const task = await genpulse.submit(EASEL, FOX, { runAt });
  assert.deepEqual([new Date(task.run_at), task.waiting_for.what], [runAt, "run_at"]);
  assert.equal((await genpulse.cancel(task)).status, "canceled");
  await assert.rejects(genpulse.submit(EASEL, FOX, { runAt: "soon", retainS: -1 }), (error) => {
    assert.deepEqual(error.problems.map(({ place }) => place).sort(), ["/retain_s", "/run_at"]);
    return true;
  });
});

api("a refusal names what does not fit", async () => {
  await assert.rejects(genpulse.submit(EASEL, { ...FOX, width: 9000 }), (error) => {
    assert.ok(error instanceof ApiRefused);
    assert.deepEqual([error.code, error.problems.map(({ place }) => place)], ["invalid_input", ["/input/width"]]);
    return true;
  });
  await assert.rejects(genpulse.get("nothing"), { status: 404 });
});

api("a batch is submitted in its order, and its pages are listed", async () => {
  const orders = Array.from({ length: 105 }, (_, number) => ({ model: EASEL, input: { prompt: String(number) }, priority: "high" }));
  const tasks = await genpulse.submitBatch(orders);
  assert.deepEqual(tasks.map((task) => task.input.prompt), orders.map((order) => order.input.prompt));
  assert.deepEqual((await all(genpulse.list({ limit: 105 }))).map((task) => task.id), tasks.map((task) => task.id).reverse());
  await assert.rejects(genpulse.submitBatch([{ model: EASEL, input: {} }]), (error) => error.problems[0].place === "/tasks/0/input/prompt");
});

api("a batch is seen, watched, canceled and run again as one thing", async () => {
  const orders = ["1", "2"].map((prompt) => ({ model: EASEL, input: { prompt }, metadata: { batch: "seen" }, retainS: 86400 }));
  await genpulse.checkBatch(orders);
  assert.deepEqual(await all(genpulse.list({ metadata: { batch: "seen" } })), []);
  const tasks = await genpulse.submitBatch(orders, { idempotencyKey: "batch 1" });
  const again = await genpulse.submitBatch(orders, { idempotencyKey: "batch 1" });
  assert.deepEqual(again.map((task) => task.id), tasks.map((task) => task.id));
  assert.deepEqual(tasks.map((task) => task.retain_s), [86400, 86400]);
  const events = await all(genpulse.watchBatch(tasks[0].batch));
  const ends = events.filter(({ name }) => name === "end").map(({ task }) => task.id);
  assert.deepEqual([...new Set(ends)].sort(), tasks.map((task) => task.id).sort());
  const batch = await genpulse.batch(tasks[0].batch);
  assert.deepEqual(events.at(-1).batch, batch);
  assert.deepEqual([batch.total, batch.counts.succeeded, batch.ended, batch.retryable], [2, 2, true, 0]);
  assert.deepEqual((await all(genpulse.batches({ limit: 1 }))).map(({ id }) => id), [batch.id]);
  assert.deepEqual((await all(genpulse.list({ batch: batch.id }))).map(({ id }) => id).sort(), tasks.map(({ id }) => id).sort());
  assert.deepEqual((await genpulse.cancelBatch(batch)).done, 0);
  assert.deepEqual((await genpulse.retryBatch(batch.id)).left_out, []);
  await assert.rejects(genpulse.batch(tasks[0].id), { code: "unknown_batch", status: 404 });
});

api("what is deleted is there no more", async () => {
  const task = await genpulse.generate(EASEL, FOX);
  const words = await genpulse.upload(new Blob(["a few words"]));
  await genpulse.delete(task);
  await assert.rejects(genpulse.get(task.id), { status: 404 });
  await genpulse.deleteAsset(words.id);
  await assert.rejects(genpulse.bytes(words), { status: 404 });
});

api("a task that has ended is not canceled, and not run again", async () => {
  const task = await genpulse.wait(await genpulse.submit(EASEL, FOX));
  assert.equal((await genpulse.cancel(task)).status, "succeeded");
  await assert.rejects(genpulse.retry(task), { code: "not_retryable", status: 409 });
});

api("a file is brought", async () => {
  const content = "a few words, ".repeat(50_000);
  for (const source of [new Blob([content]), new TextEncoder().encode(content)]) {
    const asset = await genpulse.upload(source, { name: "words.txt" });
    assert.equal(asset.bytes, content.length);
    const chunks = await all(genpulse.read(asset));
    assert.equal(Buffer.concat(chunks).toString(), content);
  }
});

api("a file is brought by an address, without a key", async () => {
  const upload = await genpulse.createUpload({ maxBytes: 100, mediaType: "text/*", expiresInS: 60 });
  assert.deepEqual([upload.method, upload.max_bytes, upload.media_type], ["PUT", 100, "text/*"]);
  const words = new Blob(["a few words"], { type: "image/png" });
  const asset = await uploadTo(upload, words);
  assert.deepEqual([asset.id, asset.bytes, asset.media_type], [upload.asset_id, 11, "text/plain"]);
  assert.deepEqual((await uploadTo(upload.url, await words.arrayBuffer())).id, asset.id);
  assert.equal(Buffer.from(await genpulse.bytes(asset)).toString(), "a few words");
  await assert.rejects(uploadTo(upload, new Blob(["other words"])), { code: "upload_address_used", status: 409 });
  await assert.rejects(uploadTo(await genpulse.createUpload({ maxBytes: 5 }), words), { code: "content_too_large" });
  await assert.rejects(uploadTo(await genpulse.createUpload({ mediaType: "image/*" }), words), { code: "unsupported_media_type" });
  await assert.rejects(uploadTo(`${upload.url}x`, words), { code: "invalid_signature", status: 403 });
  await assert.rejects(genpulse.createUpload({ mediaType: "images" }), (error) => error.problems[0].place === "/media_type");
});

api("a client token submits, watches and brings a file, and no more", async () => {
  const terms = { models: [EASEL], maxTasks: 2, maxUsd: "1", expiresInS: 60, metadata: { customer: "u-17" }, uploads: { maxFiles: 1 } };
  const token = await genpulse.createClientToken(terms);
  assert.match(token.token, /^gpct_dev_/);
  const page = new GenPulse(undefined, token.token);
  const task = await page.generate(EASEL, FOX);
  assert.deepEqual([task.status, task.metadata], ["succeeded", { customer: "u-17" }]);
  assert.equal((await uploadTo(await page.createUpload(), new Blob(["words"]))).bytes, 5);
  await assert.rejects(page.list().next(), { code: "outside_client_token", status: 403 });
  await page.submit(EASEL, FOX);
  await assert.rejects(page.submit(EASEL, FOX), { code: "client_token_used_up", status: 403 });
  assert.deepEqual((await genpulse.clientToken(token)).usage.tasks, 2);
  assert.ok((await genpulse.clientTokens()).some(({ id }) => id === token.id));
  await genpulse.revokeClientToken(token);
  assert.ok((await genpulse.clientToken(token.id)).revoked_at);
  const watching = await genpulse.createClientToken({ tasks: [task.id], mayCancel: false });
  assert.equal((await new GenPulse(undefined, watching.token).get(task.id)).id, task.id);
  await assert.rejects(genpulse.createClientToken({ models: ["art/none"] }), (error) => error.problems[0].place === "/models/0");
  await assert.rejects(genpulse.createClientToken({ max_tasks: 3 }), TypeError);
});

api("tasks are found, counted, and canceled together", async () => {
  const metadata = { customer: "acme & sons, ä" };
  const done = await genpulse.wait(await genpulse.submit(EASEL, FOX, { metadata }));
  const filters = { status: ["succeeded", "failed"], metadata, createdAfter: new Date(Date.now() - 3600e3) };
  assert.deepEqual((await all(genpulse.list(filters))).map((task) => task.id), [done.id]);
  assert.deepEqual(await all(genpulse.list({ ...filters, createdBefore: new Date(0) })), []);
  const usage = await genpulse.usage({ groupBy: ["model", "metadata.customer"] });
  assert.equal(usage.data.find((row) => row.metadata.customer === metadata.customer).count, 1);
  const counted = await genpulse.act("cancel", { metadata });
  assert.deepEqual([counted.count, counted.done, counted.left_out], [0, null, [{ reason: "ended", count: 1 }]]);
  await assert.rejects(genpulse.act("cancel", {}), { code: "invalid_input" });
  assert.equal((await genpulse.attempts(done)).length, 1);
  assert.deepEqual(await genpulse.deliveries(done), []);
});

api("models are listed", async () => {
  assert.ok((await genpulse.models()).map((model) => model.id).includes(EASEL));
  assert.deepEqual((await genpulse.model(EASEL)).kinds, ["text-to-image"]);
  assert.deepEqual((await genpulse.providers()).map((provider) => provider.name), ["art", "sandbox"]);
});
