/**
 * Requests before they are sent: one function for each call of the API.
 *
 * `repeatable` may be sent twice, `persistent` is sent again while nothing answers, `slow` may take its time.
 */

import { InvalidId } from "./errors.js";
import { checkedKey, orderDocument } from "./order.js";

const JSON_TYPE = { "Content-Type": "application/json" };

/** Under a key that is made here where the order has none, so that it may be sent again. */
export function submit(model, input, options) {
  const key = checkedKey(options.idempotencyKey ?? randomKey());
  return posted("/v1/tasks", orderDocument(model, input, options), { "Idempotency-Key": key });
}

/** Under a key that is made here where there is none, so that it may be sent again. */
export function submitBatch(orders, idempotencyKey) {
  const tasks = orders.map(batchedOrder);
  const keyed = tasks.filter((task) => "idempotency_key" in task).length;
  const key = idempotencyKey ?? (keyed ? undefined : randomKey());
  const headers = key === undefined ? {} : { "Idempotency-Key": checkedKey(key) };
  return { ...posted("/v1/tasks/batch", { tasks }, headers), repeatable: key !== undefined || keyed === tasks.length };
}

/** To look whether all would be taken. */
export function checkBatch(orders) {
  return { ...posted("/v1/tasks/batch", { tasks: orders.map(batchedOrder), dry_run: true }), persistent: false };
}

function batchedOrder({ model, input, ...options }) {
  const key = options.idempotencyKey == null ? {} : { idempotency_key: checkedKey(options.idempotencyKey) };
  return { ...orderDocument(model, input, options), ...key };
}

/** A batch, or with a word behind it what becomes of it. */
export function batch(id, word = "") {
  return got(`/v1/batches/${segment(id)}${word}`);
}

/** The stream of a batch, from behind the event that is named. */
export function batchEvents(id, lastId) {
  return streamed(batch(id, "/events"), lastId);
}

/** To cancel twice is to cancel once. */
export function cancelBatch(id) {
  return { ...batch(id, "/cancel"), method: "POST" };
}

/** Not sent again when its answer is lost: by then tasks may have run, and failed anew. */
export function retryBatch(id) {
  return { ...batch(id, "/retry"), method: "POST", repeatable: false };
}

/** A task, or with a word behind it what becomes of it. */
export function task(id, word = "") {
  return got(`/v1/tasks/${segment(id)}${word}`);
}

/** To cancel twice is to cancel once. */
export function cancel(id) {
  return { ...task(id, "/cancel"), method: "POST" };
}

/** Not sent again when its answer is lost: by then the task may have run, and failed anew. */
export function retry(id, evenIfCharged) {
  const path = task(id, "/retry").path;
  if (!evenIfCharged) return { method: "POST", path, headers: {}, repeatable: false };
  return { ...posted(path, { even_if_charged: true }), persistent: false, repeatable: false };
}

/** To count, or to do with a token, which does no harm twice. */
export function act(action, filter, every, confirm) {
  const document = { action, filter, all: every, ...(confirm == null ? {} : { confirm }) };
  return { ...posted("/v1/tasks/actions", document), persistent: false };
}

/** A task, its history and its bytes. */
export function removeTask(id) {
  return { ...task(id), method: "DELETE" };
}

/** A file. */
export function removeAsset(id) {
  return { ...got(`/v1/assets/${segment(id)}`), method: "DELETE" };
}

/** The stream of a task, from behind the event that is named. */
export function events(id, lastId) {
  return streamed(task(id, "/events"), lastId);
}

/** The bytes of a file, from the one that is named. */
export function content(id, start) {
  const headers = { "Accept-Encoding": "identity", ...(start ? { Range: `bytes=${start}-` } : {}) };
  return { ...got(`/v1/assets/${segment(id)}/content`), headers };
}

/** A file that is brought. Nothing tells how far it is, and so nothing that it is silent. */
export function upload(form) {
  return { method: "POST", path: "/v1/uploads", headers: {}, body: form, repeatable: false, slow: true };
}

/** An address for a file. One more that nobody uses does no harm. */
export function createUpload({ maxBytes, mediaType, expiresInS }) {
  return { ...posted("/v1/upload_urls", { max_bytes: maxBytes, media_type: mediaType, expires_in_s: expiresInS }), persistent: false };
}

/** What may be said of a client token. */
export const CLIENT_TERMS = [
  "tasks", "models", "expiresInS", "maxTasks", "maxUsd", "input", "inputFields", "metadata", "webhookUrl", "mayCancel", "uploads",
];

/** A client token. One more that nobody knows does no harm. */
export function createClientToken(terms) {
  const { tasks, models, expiresInS, maxTasks, maxUsd, input, inputFields, metadata, webhookUrl, mayCancel, uploads } = terms;
  const files = uploads && { max_files: uploads.maxFiles, max_bytes: uploads.maxBytes, media_type: uploads.mediaType };
  const body = {
    tasks, models, expires_in_s: expiresInS, max_tasks: maxTasks, max_usd: maxUsd, input, input_fields: inputFields,
    metadata, webhook_url: webhookUrl, may_cancel: mayCancel, uploads: files,
  };
  return { ...posted("/v1/client_tokens", body), persistent: false };
}

/** One client token. */
export function clientToken(id) {
  return got(`/v1/client_tokens/${segment(id)}`);
}

/** A file that is brought by such an address: the same bytes twice are one file. */
export function uploadTo(path, body) {
  return { method: "PUT", path, headers: {}, body, repeatable: true, slow: true };
}

/** One entry of the catalogue; its id has a slash. */
export function model(id) {
  return got(`/v1/models/${String(id).split("/").map(segment).join("/")}`);
}

/** A call that changes nothing. */
export function got(path, query = []) {
  const text = new URLSearchParams(query).toString();
  return { method: "GET", path: text ? `${path}?${text}` : path, headers: {}, repeatable: true };
}

function streamed(request, lastId) {
  const headers = { Accept: "text/event-stream", ...(lastId ? { "Last-Event-ID": lastId } : {}) };
  return { ...request, headers, persistent: true };
}

function posted(path, document, headers = {}) {
  const body = JSON.stringify(document);
  return { method: "POST", path, headers: { ...JSON_TYPE, ...headers }, body, repeatable: true, persistent: true };
}

function segment(text) {
  if (typeof text !== "string" || ["", ".", ".."].includes(text) || text.includes("/")) throw new InvalidId(text);
  return encodeURIComponent(text);
}

/** Not `randomUUID`, which pages that came without TLS do not have. */
function randomKey() {
  const bytes = new Uint8Array(16);
  globalThis.crypto.getRandomValues(bytes);
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
