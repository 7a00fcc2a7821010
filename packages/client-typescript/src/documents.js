/** What the API says, as it says it; each function throws `UnexpectedAnswer` for what is none of it. */

import { UnexpectedAnswer } from "./errors.js";

const ENDED = new Set(["succeeded", "failed", "canceled"]);

/** Whether nothing more happens to a task by itself. */
export function hasEnded(task) {
  return ENDED.has(task.status);
}

/** A task. */
export function taskOf(document) {
  if (typeof document?.id === "string" && typeof document.status === "string") return document;
  throw new UnexpectedAnswer("The answer is JSON, but no task. Is that the address of GenPulse?");
}

/** The tasks of a page or a batch. */
export function tasksOf(document) {
  return dataOf(document, "list of tasks").map(taskOf);
}

/** A batch. */
export function batchOf(document) {
  if (typeof document?.id === "string" && typeof document.ended === "boolean" && document.counts) return document;
  throw new UnexpectedAnswer("The answer is JSON, but no batch. Is the server older than this client?");
}

/** The batches of a page. */
export function batchesOf(document) {
  return dataOf(document, "list of batches").map(batchOf);
}

/** The entries of a list. */
export function dataOf(document, what) {
  if (Array.isArray(document?.data)) return document.data;
  throw new UnexpectedAnswer(`The answer is JSON, but no ${what}. Is that the address of GenPulse?`);
}

/** A file. */
export function assetOf(document) {
  if (isAsset(document)) return document;
  throw new UnexpectedAnswer("The answer is JSON, but no asset. Is that the address of GenPulse?");
}

/** An address for a file. */
export function uploadOf(document) {
  if (typeof document?.asset_id === "string" && typeof document.url === "string") return document;
  throw new UnexpectedAnswer("The answer is JSON, but no address for a file. Is the server older than this client?");
}

/** A client token as the API shows it. */
export function clientTokenOf(document) {
  if (typeof document?.id === "string" && typeof document.expires_at === "string") return document;
  throw new UnexpectedAnswer("The answer is JSON, but no client token. Is the server older than this client?");
}

/** The id of a client token, or the text that is one. */
export function tokenIdOf(thing) {
  return typeof thing === "string" ? thing : clientTokenOf(thing).id;
}

/** Whether a value is an asset as the API shows it. */
export function isAsset(value) {
  return typeof value?.id === "string" && typeof value.url === "string" && typeof value.sha256 === "string";
}

/** The id of a task, or the text that is one. */
export function idOf(thing) {
  return typeof thing === "string" ? thing : taskOf(thing).id;
}

/** The id of a batch, or the text that is one. */
export function batchIdOf(thing) {
  return typeof thing === "string" ? thing : batchOf(thing).id;
}
