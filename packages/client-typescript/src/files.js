/** Bytes of assets, there and back. */

import { assetOf } from "./documents.js";
import { DownloadBroken } from "./errors.js";
import { node, subtleCrypto } from "./platform.js";
import * as requests from "./request.js";
import { Retries } from "./retry.js";

/** The bytes of an asset; a connection that breaks is taken up where it was. Throws `DownloadBroken`. */
export async function* bytesOf(connection, asset, signal) {
  const retries = new Retries(requests.content(asset.id), connection.limits);
  let come = 0;
  for (;;) {
    try {
      for await (const chunk of bytesFrom(connection, asset.id, come, signal)) {
        retries.beginAnew();
        come += chunk.length;
        yield chunk;
      }
      break;
    } catch (error) {
      await connection.pause(retries, error, signal);
    }
  }
  if (come !== asset.bytes) throw new DownloadBroken(asset.id);
}

/** Those of one connection. A server that sends all of them again is listened to from there on. */
async function* bytesFrom(connection, assetId, start, signal) {
  const answer = await connection.open(requests.content(assetId, start), signal);
  let skipped = answer.status === 206 ? 0 : start;
  for await (const chunk of answer.chunks()) {
    const fresh = chunk.subarray(skipped);
    skipped = Math.max(0, skipped - chunk.length);
    if (fresh.length) yield fresh;
  }
}

/** All bytes at once, under the digest that the API says wherever digests can be made: pages with TLS, and Node. */
export async function wholeFile(connection, asset, signal) {
  const bytes = new Uint8Array(asset.bytes);
  let at = 0;
  for await (const chunk of bytesOf(connection, asset, signal)) {
    if (at + chunk.length > bytes.length) throw new DownloadBroken(asset.id);
    bytes.set(chunk, at);
    at += chunk.length;
  }
  const subtle = subtleCrypto();
  if (subtle && hex(new Uint8Array(await subtle.digest("SHA-256", bytes))) !== asset.sha256) throw new DownloadBroken(asset.id);
  return bytes;
}

/** Under the path, whole or not at all; in Node. */
export async function savedFile(connection, asset, path, signal) {
  const [{ createHash, randomBytes }, files] = [await node("crypto"), await node("fs/promises")];
  const part = `${path}.${randomBytes(4).toString("hex")}.part`;
  const digest = createHash("sha256");
  const file = await files.open(part, "wx");
  try {
    for await (const chunk of bytesOf(connection, asset, signal)) {
      digest.update(chunk);
      await file.writeFile(chunk);
    }
    await file.close();
    if (digest.digest("hex") !== asset.sha256) throw new DownloadBroken(asset.id);
    await files.rename(part, path);
  } finally {
    await file.close();
    await files.rm(part, { force: true });
  }
  return path;
}

/** An asset of a Blob, a File, or bytes. */
export async function keptFile(connection, source, { name, signal }) {
  checkSource(source);
  const form = new FormData();
  form.append("file", source instanceof Blob ? source : new Blob([source]), name ?? source.name ?? "file");
  return assetOf(await connection.document(requests.upload(form), signal));
}

/** Throws `TypeError` for what is no file. */
export function checkSource(source) {
  if (source instanceof Blob || source instanceof ArrayBuffer || ArrayBuffer.isView(source)) return;
  throw new TypeError("A file to upload is a Blob, a File or bytes; in Node `await openAsBlob(path)` of node:fs makes one.");
}

function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
