/** Messages that tell the end of a task, signed as Standard Webhooks describes it (standardwebhooks.com). */

import { taskOf } from "./documents.js";
import { InvalidWebhook } from "./errors.js";
import { subtleCrypto } from "./platform.js";

const PREFIX = "whsec_";

/** The message in a request, once it is known that GenPulse sent it, and when. Throws `InvalidWebhook`. */
export async function verifyWebhook(body, headers, secret, { toleranceS = 300, now = Date.now() / 1000 } = {}) {
  const [id, sent, signatures] = ["id", "timestamp", "signature"].map((name) => header(headers, `webhook-${name}`));
  if (!/^\d{1,12}$/.test(sent)) throw new InvalidWebhook(`webhook-timestamp has to be seconds since 1970, and is ${sent.slice(0, 40)}.`);
  if (!(Math.abs(now - Number(sent)) <= toleranceS)) {
    throw new InvalidWebhook(`webhook-timestamp is more than ${toleranceS} s from now: an old message, or a clock.`);
  }
  const content = typeof body === "string" ? new TextEncoder().encode(body) : new Uint8Array(body.buffer ?? body, body.byteOffset ?? 0, body.byteLength);
  const signed = joined(new TextEncoder().encode(`${id}.${sent}.`), content);
  for (const key of [secret].flat().map(keyOf)) {
    if (await signs(key, signed, signatures)) return messageOf(id, sent, content);
  }
  throw new InvalidWebhook("No signature in webhook-signature is by this secret: another sender, or another secret.");
}

function header(headers, name) {
  const value = typeof headers.get === "function" ? headers.get(name) : plainHeader(headers, name);
  if (!value) throw new InvalidWebhook(`The header ${name} is missing: this is no message of GenPulse.`);
  return String(value);
}

function plainHeader(headers, name) {
  const found = Object.keys(headers).find((one) => one.toLowerCase() === name);
  return found && headers[found];
}

function keyOf(secret) {
  if (!secret) throw new TypeError("The secret of the webhooks is empty: give what webhooks.secret is in GenPulse.");
  if (!secret.startsWith(PREFIX)) return new TextEncoder().encode(secret);
  const bytes = bytesOf(secret.slice(PREFIX.length));
  if (!bytes?.length) throw new TypeError("What follows whsec_ in the secret of the webhooks is no base64.");
  return bytes;
}

/** Undefined for what is no base64. */
function bytesOf(text) {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}

function joined(one, other) {
  const whole = new Uint8Array(one.length + other.length);
  whole.set(one);
  whole.set(other, one.length);
  return whole;
}

async function signs(secret, signed, signatures) {
  const subtle = subtleCrypto();
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await subtle.importKey("raw", secret, algorithm, false, ["verify"]);
  const found = signatures.split(" ").filter((one) => one.startsWith("v1,")).map((one) => bytesOf(one.slice(3)));
  for (const signature of found) {
    if (signature && (await subtle.verify("HMAC", key, signature, signed))) return true;
  }
  return false;
}

function messageOf(id, sent, content) {
  try {
    const { type, data } = JSON.parse(new TextDecoder().decode(content));
    if (typeof type === "string") return { id, type, timestamp: new Date(Number(sent) * 1000), task: taskOf(data) };
  } catch {
    // Said below, as for one without a type.
  }
  throw new InvalidWebhook("The message is signed, but its body is none of GenPulse's.");
}
