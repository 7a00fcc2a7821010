import { createServer } from "node:http";
import { GenPulse } from "../src/index.js";

export const TASK = { id: "0193a1b2", model: "art/easel", status: "queued", progress: null, outputs: [] };
export const DONE = { ...TASK, status: "succeeded" };
export const BATCH = { id: "b1", total: 1, counts: { queued: 1 }, ended: false };

/** Answers a test's requests, one answer after the other; the last one stays. `asked` is what came. */
export async function serve(test, answers, options = {}) {
  const asked = [];
  const left = [...answers];
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    asked.push({ method: request.method, url: request.url, headers: request.headers, body: Buffer.concat(chunks).toString() });
    const answer = left.length > 1 ? left.shift() : left[0];
    await answer(response, asked.at(-1));
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  test.after(() => (server.closeAllConnections(), server.close()));
  const url = `http://127.0.0.1:${server.address().port}`;
  return { url, asked, genpulse: new GenPulse(url, "gp_dev_key", options) };
}

/** An address at which nothing answers. */
export async function freeUrl() {
  const server = createServer();
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address();
  await new Promise((closed) => server.close(closed));
  return `http://127.0.0.1:${port}`;
}

/** Any answer whatever. */
export function answer(status, body = "", headers = {}) {
  return (response) => response.writeHead(status, headers).end(body);
}

/** A document of GenPulse. */
export function shown(document, status = 200, headers = {}) {
  return answer(status, JSON.stringify(document), { "Content-Type": "application/json", ...headers });
}

/** A refusal of GenPulse. */
export function problem(status, code, headers = {}) {
  return shown({ title: "No", status, detail: `It is ${code}.`, code }, status, headers);
}

/** A stream that ends behind these events, or whose connection breaks there. */
export function stream(events, { broken = false, tail = "" } = {}) {
  const text = events.map(([name, data], index) => `id: ${index + 1}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
  return (response) => {
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    response.write(text.join("") + tail, () => (broken ? setTimeout(() => response.destroy(), 20) : response.end()));
  };
}
