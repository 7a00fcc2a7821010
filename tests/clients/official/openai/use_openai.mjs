// What a user does with the npm package `openai`. Prints a line of JSON for each call.
//
// node use_openai.mjs '{"base_url": …, "key": …, …}'
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import http from "node:http";
import zlib from "node:zlib";
import OpenAI, { toFile } from "openai";

const config = JSON.parse(process.argv[2]);
const WAIT_MS = 120_000;
const calls = [];
const call = (name, run) => calls.push([name, run]);
const client = new OpenAI({ baseURL: config.base_url, apiKey: config.key });
const withOptions = (options) => new OpenAI({ baseURL: config.base_url, apiKey: config.key, ...options });
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function png(side = 64) {
  const chunk = (kind, data) => {
    const body = Buffer.concat([Buffer.from(kind), data]);
    const around = Buffer.alloc(8);
    around.writeUInt32BE(data.length, 0);
    around.writeUInt32BE(zlib.crc32(body), 4);
    return Buffer.concat([around.subarray(0, 4), body, around.subarray(4)]);
  };
  const head = Buffer.from([0, 0, 0, side, 0, 0, 0, side, 8, 2, 0, 0, 0]);
  const row = Buffer.concat([Buffer.from([0]), Buffer.alloc(3 * side, 90)]);
  const rows = zlib.deflateSync(Buffer.concat(Array(side).fill(row)));
  const begin = Buffer.from("89504e470d0a1a0a", "hex");
  return Buffer.concat([begin, chunk("IHDR", head), chunk("IDAT", rows), chunk("IEND", Buffer.alloc(0))]);
}

const picture = () => toFile(png(), "a.png", { type: "image/png" });
const isPng = (bytes) => assert.equal(Buffer.from(bytes).subarray(1, 4).toString(), "PNG");

async function raises(kind, code, run) {
  try {
    await run();
  } catch (error) {
    assert.equal(error.constructor.name, kind.name, String(error));
    assert.equal(error.code, code, String(error));
    return error;
  }
  assert.fail(`nothing was raised, and ${kind.name} was expected`);
}

async function ended(id) {
  for (const endsAt = Date.now() + WAIT_MS; Date.now() < endsAt; await pause(200)) {
    const video = await client.videos.retrieve(id);
    assert.ok(Number.isInteger(video.progress));
    if (!["queued", "in_progress"].includes(video.status)) return video;
  }
  assert.fail("it did not end");
}

call("models.list, models.retrieve", async () => {
  const found = [];
  for await (const model of client.models.list()) found.push(model.id);
  assert.ok(found.includes("sandbox/image"));
  assert.equal((await client.models.retrieve("sandbox/image")).owned_by, "sandbox");
});

call("images.generate", async () => {
  const made = await client.images.generate({ model: "sandbox/image", prompt: "a red fox", size: "256x128", n: 1 });
  const bytes = Buffer.from(made.data[0].b64_json, "base64");
  isPng(bytes);
  assert.deepEqual([bytes.readUInt32BE(16), bytes.readUInt32BE(20)], [256, 128]);
});

call("images.generate, as a url", async () => {
  const words = { model: "sandbox/image", prompt: "a red fox", size: "128x128", response_format: "url", seed: 7 };
  const made = await client.images.generate(words);
  isPng(await (await fetch(made.data[0].url)).arrayBuffer());
});

call("images.generate, streamed", async () => {
  const words = { model: "sandbox/image", prompt: "a fox", size: "128x128", stream: true, partial_images: 2 };
  const events = [];
  for await (const event of await client.images.generate(words)) events.push(event);
  assert.deepEqual(events.map((event) => event.type), ["image_generation.completed"]);
  isPng(Buffer.from(events[0].b64_json, "base64"));
});

call("images.edit", async () => {
  const made = await client.images.edit({ model: "sandbox/restyle", image: await picture(), prompt: "at dusk" });
  isPng(Buffer.from(made.data[0].b64_json, "base64"));
});

call("images.create_variation", async () => {
  const words = { model: "sandbox/restyle", image: await picture(), response_format: "b64_json" };
  isPng(Buffer.from((await client.images.createVariation(words)).data[0].b64_json, "base64"));
});

let made;
call("videos.create, retrieve, download_content", async () => {
  const words = { model: "sandbox/video", prompt: "a storm", seconds: "1", size: "128x128", fps: 8 };
  made = await client.videos.create(words);
  assert.match(made.id, /^video_[0-9a-f]{32}$/);
  assert.deepEqual([made.object, made.seconds, made.size], ["video", "1", "128x128"]);
  const done = await ended(made.id);
  assert.deepEqual([done.status, done.progress], ["completed", 100]);
  const bytes = Buffer.from(await (await client.videos.downloadContent(made.id)).arrayBuffer());
  assert.ok(bytes.subarray(4, 8).toString() === "ftyp" || bytes.readUInt32BE(0) === 0x1a45dfa3);
  const thumbnail = await client.videos.downloadContent(made.id, { variant: "thumbnail" });
  assert.equal(Buffer.from(await thumbnail.arrayBuffer()).subarray(0, 4).toString(), "RIFF");
});

call("videos.create_and_poll, with a picture", async () => {
  const words = { model: "sandbox/animate", prompt: "closer", seconds: "1", fps: 8, longest: 64 };
  const started = await client.videos.create({ ...words, input_reference: await picture() });
  assert.equal((await ended(started.id)).status, "completed");
});

call("videos.list", async () => {
  const found = [];
  for await (const video of client.videos.list({ limit: 1 })) found.push(video.id);
  assert.ok(found.length >= 2 && found.length === new Set(found).size);
  const otherWay = [];
  for await (const video of client.videos.list({ order: "asc", limit: 50 })) otherWay.push(video.id);
  assert.deepEqual(otherWay, found.reverse());
});

call("videos.delete, of one that has ended", async () => {
  assert.ok((await client.videos.delete(made.id)).deleted);
  await raises(OpenAI.NotFoundError, "unknown_task", () => client.videos.retrieve(made.id));
});

call("videos.delete, of one that runs: it is canceled", async () => {
  const started = await client.videos.create({ model: "sandbox/noop", prompt: "x", delay_s: 600 });
  assert.ok((await client.videos.delete(started.id)).deleted);
  const done = await ended(started.id);
  assert.deepEqual([done.status, done.error.code], ["failed", "canceled"]);
});

call("audio.speech.create", async () => {
  const words = { model: "sandbox/speech", voice: "alloy", input: "Hello." };
  const spoken = await client.audio.speech.create({ ...words, response_format: "wav", speed: 1.5 });
  assert.equal(spoken.headers.get("content-type"), "audio/wav");
  assert.equal(Buffer.from(await spoken.arrayBuffer()).subarray(0, 4).toString(), "RIFF");
});

call("a task of another door is a video", async () => {
  const answer = await fetch(`${config.url}/v1/tasks`, {
    method: "POST",
    headers: { Authorization: `Bearer ${config.key}`, "Content-Type": "application/json" },
    body: JSON.stringify({ model: "sandbox/video", input: { prompt: "x", duration_s: 1, fps: 8 } }),
  });
  const { id } = await answer.json();
  assert.equal((await ended(id)).status, "completed");
});

call("NotFoundError: unknown model, with near ones", async () => {
  const words = { model: "sandbox/imaga", prompt: "x" };
  const error = await raises(OpenAI.NotFoundError, "model_not_found", () => client.images.generate(words));
  assert.match(String(error), /sandbox\/image/);
  assert.equal(error.param, "model");
});

call("BadRequestError: what does not fit, with its field", async () => {
  const words = { model: "sandbox/image", prompt: "x" };
  const generate = (more) => () => client.images.generate({ ...words, ...more });
  const size = await raises(OpenAI.BadRequestError, "invalid_input", generate({ size: "9000x9000" }));
  assert.equal(size.param, "size");
  const unknown = await raises(OpenAI.BadRequestError, "unknown_parameter", generate({ sede: 1 }));
  assert.equal(unknown.param, "sede");
});

call("AuthenticationError: no key, wrong key", async () => {
  const stranger = withOptions({ apiKey: "gp_dev_wrong" });
  await raises(OpenAI.AuthenticationError, "invalid_api_key", () => stranger.models.list());
  const nobody = withOptions({ defaultHeaders: { Authorization: null } });
  await raises(OpenAI.AuthenticationError, "invalid_api_key", () => nobody.models.list());
});

const small = { model: "sandbox/image", prompt: "x", size: "64x64" };
call("PermissionDeniedError: no scope", async () => {
  const reader = withOptions({ apiKey: config.read_key });
  await raises(OpenAI.PermissionDeniedError, "insufficient_scope", () => reader.images.generate(small));
});

call("RateLimitError: too many calls, too much money", async () => {
  const fast = withOptions({ apiKey: config.rate_key, maxRetries: 0 });
  await fast.models.list();
  await raises(OpenAI.RateLimitError, "rate_limit_exceeded", () => fast.models.list());
  const poor = withOptions({ apiKey: config.poor_key });
  await poor.images.generate(small);
  await raises(OpenAI.RateLimitError, "insufficient_quota", () => poor.images.generate(small));
});

call("NotFoundError: a task of another key", async () => {
  const started = await client.videos.create({ model: "sandbox/noop", prompt: "x" });
  const other = withOptions({ apiKey: config.other_key });
  await raises(OpenAI.NotFoundError, "unknown_task", () => other.videos.retrieve(started.id));
});

call("BadRequestError: moderation", async () => {
  const words = { model: "sandbox/noop", prompt: "x", fail: "moderation" };
  await raises(OpenAI.BadRequestError, "moderation_blocked", () => client.images.generate(words));
});

call("InternalServerError: provider away, deadline; ordered once", async () => {
  const words = { model: "sandbox/noop", prompt: "x", delay_s: 60, deadline_s: 1 };
  await raises(OpenAI.InternalServerError, "deadline_exceeded", () => client.images.generate(words));
});

call("a lost answer leads to one task", async () => {
  const lossy = withOptions({ baseURL: config.lossy_url });
  const metadata = { call: config.mark };
  const answer = await lossy.images.generate({ model: "sandbox/noop", prompt: "x", output_bytes: 10, metadata });
  assert.ok(answer.data[0].b64_json);
  const headers = { Authorization: `Bearer ${config.key}` };
  const found = await (await fetch(`${config.url}/v1/tasks?metadata.call=${config.mark}`, { headers })).json();
  assert.equal(found.data.length, 1);
});

call("webhooks.unwrap", async () => {
  const taken = [];
  const server = http.createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    taken.push([Buffer.concat(chunks).toString(), request.headers]);
    response.writeHead(204).end();
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = `http://127.0.0.1:${server.address().port}/hook`;
  const told = withOptions({ defaultHeaders: { "X-GenPulse-Webhook-URL": address } });
  const started = await told.videos.create({ model: "sandbox/noop", prompt: "x" });
  for (const endsAt = Date.now() + WAIT_MS; !taken.length && Date.now() < endsAt; ) await pause(50);
  server.close();
  const event = await client.webhooks.unwrap(taken[0][0], taken[0][1], config.webhook_secret);
  assert.deepEqual([event.type, event.data.id], ["video.completed", started.id]);
  await assert.rejects(client.webhooks.unwrap(`${taken[0][0]} `, taken[0][1], config.webhook_secret));
});

const manifest = JSON.parse(readFileSync(new URL("node_modules/openai/package.json", import.meta.url)));
console.log(JSON.stringify({ client: "openai (JavaScript)", version: manifest.version }));
for (const [name, run] of calls) {
  if (config.only && !name.includes(config.only)) continue;
  try {
    await run();
    console.log(JSON.stringify({ call: name, seen: true, note: "" }));
  } catch (error) {
    console.log(JSON.stringify({ call: name, seen: false, note: String(error).slice(0, 500) }));
  }
}
process.exit(0);
