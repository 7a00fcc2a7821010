// A gallery: pictures of customers' words, with live progress, and webhooks that tell of their end.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { GenPulse, GenPulseError, InvalidWebhook, verifyWebhook } from "@genpulse/client";

const PORT = Number(process.env.PORT ?? 8100);
const HOME = process.env.PUBLIC_URL ?? `http://127.0.0.1:${PORT}`;
const genpulse = new GenPulse(); // GENPULSE_URL and GENPULSE_API_KEY
const told = new Set();

const customer = ({ headers }) => /customer=(\w+)/.exec(headers.cookie ?? "")?.[1] ?? "anna"; // your own login
const shown = (task) => ({ id: task.id, prompt: task.input.prompt, status: task.status, url: task.outputs[0]?.url, told: told.has(task.id) });

async function own(request, id) {
  const task = await genpulse.get(id);
  if (task.metadata.customer !== customer(request)) throw Object.assign(new GenPulseError("There is no such picture."), { status: 404 });
  return task;
}

const ROUTES = {
  "GET /": async () => readFile(new URL("index.html", import.meta.url), "utf8"),
  "POST /pictures": async (request, body) => {
    const prompt = new URLSearchParams(body.toString()).get("prompt");
    const words = { metadata: { customer: customer(request) }, webhookUrl: `${HOME}/hooks/genpulse` };
    return shown(await genpulse.submit("sandbox/image", { prompt, width: 1024 }, words));
  },
  "GET /pictures": async (request) => {
    const tasks = [];
    for await (const task of genpulse.list({ metadata: { customer: customer(request) }, limit: 24 })) tasks.push(shown(task));
    return tasks;
  },
  "POST /pictures/…/cancel": async (request, _, id) => shown(await genpulse.cancel(await own(request, id))),
  "GET /pictures/…/events": async function* (request, _, id) {
    for await (const { id: at, task, progress, message } of genpulse.watch(await own(request, id), { lastEventId: request.headers["last-event-id"] })) {
      yield `id: ${at}\ndata: ${JSON.stringify(task ? shown(task) : { progress, message })}\n\n`;
    }
  },
  "POST /hooks/genpulse": async (request, body) => void told.add((await verifyWebhook(body, request.headers, process.env.WEBHOOK_SECRET)).task.id),
};

createServer(async (request, response) => {
  try {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const id = /^\/pictures\/([^/]+)\//.exec(request.url)?.[1];
    const route = ROUTES[`${request.method} ${request.url.replace(id, "…")}`];
    if (!route) return response.writeHead(404).end();
    const answer = route(request, Buffer.concat(chunks), id);
    if (Symbol.asyncIterator in answer) {
      for await (const event of answer) response.headersSent ? response.write(event) : response.writeHead(200, { "Content-Type": "text/event-stream" }).write(event);
      return response.end();
    }
    const said = await answer;
    if (said === undefined) return response.writeHead(204).end();
    const isPage = typeof said === "string";
    response.writeHead(200, { "Content-Type": isPage ? "text/html" : "application/json" }).end(isPage ? said : JSON.stringify(said));
  } catch (error) {
    if (response.headersSent) return response.destroy();
    const status = error instanceof InvalidWebhook ? 401 : error instanceof GenPulseError ? (error.status ?? 503) : 500;
    response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify({ detail: error.message }));
  }
}).listen(PORT, "127.0.0.1");
