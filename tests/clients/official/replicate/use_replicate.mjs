// What a user does with the package `replicate` for JavaScript. Prints a line of JSON for each call.
//
// node use_replicate.mjs '{"url": …, "key": …, …}'

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import Replicate, { parseProgressFromLogs, validateWebhook } from "replicate";

const asked = JSON.parse(process.argv[2]);
const [IMAGE, NOOP, RESTYLE] = ["sandbox/image", "sandbox/noop", "sandbox/restyle"];
const SMALL = { prompt: "a red fox", width: 64, height: 64 };
const CALLS = [];
const call = (name, run) => CALLS.push([name, run]);
const clientOf = (key = "key", url = "url") =>
  new Replicate({ auth: asked[key] ?? key, baseUrl: `${asked[url]}/replicate/v1` });
const client = clientOf();
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const bytesOf = async (output) => Buffer.from(await (await output.blob()).arrayBuffer());
const isPng = (content) => assert.equal(content.subarray(1, 4).toString(), "PNG");
const picture = async () => bytesOf(await client.run(IMAGE, { input: SMALL }));

async function refused(status, run, ...words) {
  const error = await run().then(() => null, (caught) => caught);
  assert.ok(error, "it was not refused");
  assert.equal(error.response?.status, status, error.message);
  for (const word of words) assert.ok(error.message.includes(word), error.message);
}

async function ended(prediction) {
  while (!["succeeded", "failed", "canceled"].includes(prediction.status)) {
    await sleep(200);
    prediction = await client.predictions.get(prediction.id);
  }
  return prediction;
}

async function all(endpoint) {
  const found = [];
  for await (const page of client.paginate(endpoint)) found.push(...page);
  return found;
}

call("run, to a file that opens", async () => isPng(await picture()));

call("run of a version", async () => {
  const version = (await client.models.get("sandbox", "image")).latest_version;
  isPng(await bytesOf(await client.run(`${IMAGE}:${version.id}`, { input: SMALL })));
});

call("run of an alias", async () => isPng(await bytesOf(await client.run("acme/flux", { input: SMALL }))));

call("run of a pinned version by an alias", async () =>
  isPng(await bytesOf(await client.run(`acme/old:${"39ed52f2".repeat(8)}`, { input: SMALL }))));

call("run, when the wait runs out", async () => {
  const wait = { mode: "block", timeout: 1 };
  const output = await client.run(NOOP, { input: { delay_s: 3, output_bytes: 9 }, wait });
  assert.equal((await bytesOf(output)).length, 9);
});

call("predictions.create, wait, progress", async () => {
  const seen = [];
  const wait = { mode: "poll", interval: 300 };
  await client.run(NOOP, { input: { delay_s: 4, output_bytes: 9 }, wait }, (prediction) => {
    const progress = parseProgressFromLogs(prediction);
    if (progress) seen.push(progress.percentage);
  });
  assert.ok(seen.some((share) => share > 0 && share < 1), String(seen));
});

call("predictions.create of a deployment", async () => {
  const prediction = await client.deployments.predictions.create("dev", "either", { input: { output_bytes: 9 } });
  assert.equal((await ended(prediction)).status, "succeeded");
  assert.equal((await client.deployments.get("dev", "either")).name, "either");
});

call("predictions.cancel", async () => {
  const prediction = await client.predictions.create({ model: NOOP, input: { delay_s: 60 } });
  await client.predictions.cancel(prediction.id);
  assert.equal((await ended(prediction)).status, "canceled");
});

call("predictions.list, all pages", async () => {
  for (let count = 0; count < 101; count += 1) await client.predictions.create({ model: NOOP, input: {} });
  const ids = (await all(client.predictions.list)).map((prediction) => prediction.id);
  assert.ok(ids.length > 100 && new Set(ids).size === ids.length);
  assert.ok(ids.includes(asked.own_task));
});

call("a task of our own API", async () => assert.equal((await client.predictions.get(asked.own_task)).model, NOOP));

call("stream", async () => {
  const events = [];
  for await (const event of client.stream(IMAGE, { input: { prompt: "a red fox" } })) events.push(event);
  const names = events.map((event) => event.event);
  assert.deepEqual(names.slice(-2), ["output", "done"]);
  assert.ok(names.includes("logs"));
  isPng(Buffer.from(await (await fetch(events.at(-2).data)).arrayBuffer()));
});

call("stream of a failure", async () => {
  const read = async () => {
    for await (const event of client.stream(NOOP, { input: { fail: "permanent" } })) void event;
  };
  await assert.rejects(read, /provider_rejected/);
});

call("files.create, get, list, delete", async () => {
  const file = await client.files.create(await picture(), { customer: "acme" });
  assert.deepEqual(file.metadata, { customer: "acme" });
  assert.deepEqual(await client.files.get(file.id), file);
  assert.ok((await client.files.list()).results.some((each) => each.id === file.id));
  assert.ok(await client.files.delete(file.id));
  await refused(404, () => client.files.get(file.id));
});

call("an input file: uploaded, as a data: URI, and an output", async () => {
  // Its own `fileEncodingStrategy: "data-uri"` sends the client in place of the input, to Replicate as well.
  const content = await picture();
  const output = String(await client.run(IMAGE, { input: SMALL }));
  for (const image of [content, `data:image/png;base64,${content.toString("base64")}`, output]) {
    isPng(await bytesOf(await client.run(RESTYLE, { input: { image, prompt: "oil" } })));
  }
});

call("models.get, list, search, versions", async () => {
  const model = await client.models.get("sandbox", "noop");
  const version = await client.models.versions.get("sandbox", "noop", model.latest_version.id);
  assert.ok(version.openapi_schema.components.schemas.Input.properties.delay_s);
  assert.equal((await client.models.versions.list("sandbox", "noop")).results.length, 1);
  assert.ok((await all(client.models.list)).some((each) => each.name === "noop"));
  assert.ok((await client.models.search("sandbox no-op")).results.some((each) => each.name === "noop"));
});

call("collections, hardware, account, trainings", async () => {
  assert.ok((await client.collections.list()).results.some((each) => each.slug === "text-to-image"));
  assert.ok((await client.collections.get("text-to-image")).models.length);
  assert.deepEqual(await client.hardware.list(), []);
  assert.equal((await client.accounts.current()).username, "clients");
  assert.deepEqual((await client.trainings.list()).results, []);
  const training = { destination: "a/b", input: { a: 1 } };
  await refused(422, () => client.trainings.create("sandbox", "image", "00", training), "trains none");
});

call("a webhook, verified by its own check", async () => {
  const secret = (await client.webhooks.default.secret.get()).key;
  const told = [];
  const server = createServer(async (request, response) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    const body = Buffer.concat(parts).toString();
    const headers = request.headers;
    const good = await validateWebhook({
      id: headers["webhook-id"], timestamp: headers["webhook-timestamp"], signature: headers["webhook-signature"],
      body, secret,
    });
    told.push([good, JSON.parse(body).status]);
    response.end();
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const webhook = `http://127.0.0.1:${server.address().port}/hook`;
  await client.predictions.create({ model: NOOP, input: {}, webhook });
  for (let turn = 0; turn < 600 && !told.length; turn += 1) await sleep(100);
  server.close();
  server.closeAllConnections();
  assert.deepEqual(told, [[true, "succeeded"]]);
});

call("refused: unknown model", () => refused(404, () => client.run("sandbox/imag", { input: SMALL }), IMAGE));

call("refused: unknown version", () =>
  refused(422, () => client.run(`${IMAGE}:${"0".repeat(64)}`, { input: SMALL }), "Invalid version"));

call("refused: input that does not fit", () =>
  refused(422, () => client.run(IMAGE, { input: { prompt: "x", width: "wide" } }), "input.width"));

call("refused: no key, wrong key", async () => {
  for (const key of ["gp_dev_wrong", ""]) {
    await refused(401, () => clientOf(key).accounts.current(), "Unauthenticated");
  }
});

call("refused: no scope", () => refused(403, () => clientOf("reader_key").run(NOOP, { input: {} }), "tasks:write"));

call("refused: over budget", () =>
  refused(402, () => clientOf("poor_key").run("sandbox/dear", { input: {} }), "Insufficient credit"));

call("refused: rate limited", async () => {
  const limited = clientOf("slow_key");
  const words = "Request was throttled. Your rate limit resets in ~";
  await refused(429, () => Promise.all(Array.from({ length: 30 }, () => limited.accounts.current())), words);
});

call("refused: a task of another key", () => refused(404, () => client.predictions.get(asked.other_task)));

call("failed: moderation", () =>
  assert.rejects(() => client.run(NOOP, { input: { fail: "moderation" } }), /moderation_blocked/));

call("failed: provider away", () =>
  assert.rejects(() => client.run(NOOP, { input: { fail: "transient" } }), /provider_unavailable/));

call("a lost answer leads to one task", async () => {
  await fetch(asked.lose_url, { method: "POST" });
  const input = { delay_s: 2, output_bytes: 79 };
  const output = await clientOf("key", "lossy_url").run(NOOP, { input });
  assert.equal((await bytesOf(output)).length, 79);
  const same = (await client.predictions.list()).results.filter((each) => each.input.output_bytes === 79);
  assert.equal(same.length, 1);
});

const { version } = JSON.parse(readFileSync("node_modules/replicate/package.json", "utf8"));
console.log(JSON.stringify({ client: "replicate (JavaScript)", version }));
for (const [name, run] of CALLS) {
  const error = await run().then(() => null, (caught) => caught);
  const note = error ? `${error.name}: ${error.message}`.slice(0, 500) : "";
  console.log(JSON.stringify({ call: name, seen: !error, note }));
}
process.exit(0);
