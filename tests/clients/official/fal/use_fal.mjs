// What a user does with the package `@fal-ai/client`, through the proxy. Prints a line of JSON for each call.
//
// node use_fal.mjs '{"api_url": …, "key": …, …}'

import { readFileSync } from "node:fs";
import { ApiError, ValidationError, createFalClient } from "@fal-ai/client";

const asked = JSON.parse(process.argv[2]);
const APP = "sandbox/image";
const NOOP = "sandbox/noop";
const calls = [];
const call = (name, use) => calls.push([name, use]);
const clientOf = (key) =>
  createFalClient({ proxyUrl: { url: `${asked.api_url}/fal/proxy`, when: "always" }, credentials: key });
const fal = clientOf(asked.key);

function check(holds, ...words) {
  if (!holds) throw new Error(words.map((word) => JSON.stringify(word)).join(" "));
}

async function opens(data) {
  const answer = await fetch(data.images[0].url);
  const content = new Uint8Array(await answer.arrayBuffer());
  check(content[0] === 0x89 && content[1] === 0x50, answer.status, content.length);
  check(content.length === data.images[0].file_size, content.length, data);
  return content;
}

async function refused(kind, status, words, use) {
  let raised;
  try {
    await use();
  } catch (error) {
    raised = error;
  }
  check(raised !== undefined, "nothing was raised");
  check(raised.constructor === kind && raised.status === status, String(raised), raised.status, raised.body);
  check(JSON.stringify(raised.body).includes(words), raised.body);
  return raised;
}

call("run", async () => {
  await opens((await fal.run(APP, { input: { prompt: "a red fox" } })).data);
});

call("submit, result", async () => {
  const { request_id } = await fal.queue.submit(APP, { input: { prompt: "a red fox" } });
  await fal.queue.subscribeToStatus(APP, { requestId: request_id });
  const result = await fal.queue.result(APP, { requestId: request_id });
  check(result.requestId === request_id, result.requestId);
  await opens(result.data);
});

call("subscribe, with updates and logs", async () => {
  const seen = [];
  const result = await fal.subscribe(APP, {
    input: { prompt: "a blue fox" },
    logs: true,
    pollInterval: 100,
    onQueueUpdate: (update) => seen.push(update),
  });
  await opens(result.data);
  check(seen.at(-1).status === "COMPLETED", seen.at(-1));
  check(seen.at(-1).logs.some((line) => line.message.includes("step")), seen.at(-1));
});

call("subscribe by a stream of statuses", async () => {
  const seen = [];
  const result = await fal.subscribe(APP, {
    input: { prompt: "a green fox" },
    mode: "streaming",
    logs: true,
    onQueueUpdate: (update) => seen.push(update.status),
  });
  await opens(result.data);
  check(seen.at(-1) === "COMPLETED" && seen.includes("IN_PROGRESS"), seen);
});

call("stream", async () => {
  const stream = await fal.stream(APP, { input: { prompt: "a fox" } });
  const events = [];
  for await (const event of stream) events.push(event);
  await opens(events.at(-1));
  await opens(await stream.done());
});

call("cancel", async () => {
  const { request_id } = await fal.queue.submit(NOOP, { input: { delay_s: 60 } });
  await fal.queue.cancel(NOOP, { requestId: request_id });
  await fal.queue.subscribeToStatus(NOOP, { requestId: request_id });
  await refused(ApiError, 499, "cancelled", () => fal.queue.result(NOOP, { requestId: request_id }));
});

call("cancel of what has ended", async () => {
  const { requestId } = await fal.subscribe(NOOP, { input: {} });
  await refused(ApiError, 400, "ALREADY_COMPLETED", () => fal.queue.cancel(NOOP, { requestId }));
});

call("a file as input: a Blob, which is uploaded", async () => {
  const content = await opens((await fal.run(APP, { input: { prompt: "a red fox" } })).data);
  const image = new Blob([content], { type: "image/png" });
  await opens((await fal.subscribe("sandbox/restyle", { input: { prompt: "as a woodcut", image } })).data);
});

call("storage.upload of a large file, in parts", async () => {
  const large = new Blob([new Uint8Array(91 * 1024 * 1024).fill(7)]);
  const url = await fal.storage.upload(large);
  const answer = await fetch(url);
  check((await answer.arrayBuffer()).byteLength === large.size, answer.status);
});

call("an unknown model", async () => {
  await refused(ApiError, 404, APP, () => fal.queue.submit("sandbox/imgae", { input: { prompt: "a" } }));
});

call("input that does not fit, with its field", async () => {
  const error = await refused(ValidationError, 422, "prompt", () => fal.subscribe(APP, { input: { prompt: 5 } }));
  check(error.getFieldErrors("prompt").length === 1, error.fieldErrors);
});

call("moderation", async () => {
  const error = await refused(ValidationError, 422, "content_policy_violation", () =>
    fal.subscribe(NOOP, { input: { fail: "moderation" } }),
  );
  check(error.fieldErrors[0].type === "content_policy_violation", error.fieldErrors);
});

call("a provider that refuses", async () => {
  await refused(ApiError, 400, "downstream_service_error", () => fal.subscribe(NOOP, { input: { fail: "permanent" } }));
});

call("a wrong key", async () => {
  await refused(ApiError, 401, "not known", () => clientOf("gp_dev_wrong").run(APP, { input: { prompt: "a" } }));
});

call("a key of another environment", async () => {
  await refused(ApiError, 403, "environment", () => clientOf("gp_live_wrong").run(APP, { input: { prompt: "a" } }));
});

call("a key without the scope", async () => {
  await refused(ApiError, 403, "tasks:write", () => clientOf(asked.read_key).run(APP, { input: { prompt: "a" } }));
});

call("a request of another key", async () => {
  const { request_id } = await fal.queue.submit(NOOP, { input: {} });
  const other = clientOf(asked.other_key);
  await refused(ApiError, 404, "no task", () => other.queue.status(NOOP, { requestId: request_id }));
  await refused(ApiError, 404, "no task", () => other.queue.result(NOOP, { requestId: request_id }));
});

call("limits of a key: too many calls, too many tasks", async () => {
  const limited = async (key) => {
    const client = clientOf(key);
    await client.queue.submit(NOOP, { input: {} });
    await refused(ApiError, 429, "", () => client.queue.submit(NOOP, { input: { delay_s: 0.1 } }));
  };
  await Promise.all([limited(asked.rate_key), limited(asked.poor_key)]);
});

const own = new URL("./node_modules/@fal-ai/client/package.json", import.meta.url);
console.log(JSON.stringify({ client: "@fal-ai/client (JavaScript)", version: JSON.parse(readFileSync(own)).version }));
for (const [name, use] of calls) {
  let seen = true;
  let note = "";
  try {
    await use();
  } catch (error) {
    seen = false;
    note = String(error).slice(0, 300);
  }
  console.log(JSON.stringify({ call: name, seen, note }));
}
process.exit(0);
