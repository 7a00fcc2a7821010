/** A file that is brought by an address which `createUpload` gave, without a key: in a browser or anywhere. */

import { Connection } from "./connection.js";
import { assetOf } from "./documents.js";
import { checkSource } from "./files.js";
import { checkOptions } from "./order.js";
import * as requests from "./request.js";
import { limitsOf } from "./retry.js";

const SILENCE_S = 90;

export async function uploadTo(upload, source, options = {}) {
  checkOptions(options, ["retries", "fetch", "signal"]);
  checkSource(source);
  const { retries = {}, fetch = (...words) => globalThis.fetch(...words), signal } = options;
  const { origin, pathname, search } = placeOf(upload?.url ?? upload);
  const connection = new Connection({ url: origin, limits: limitsOf(retries), silenceS: SILENCE_S, fetch });
  return assetOf(await connection.document(requests.uploadTo(pathname + search, source), signal));
}

function placeOf(address) {
  try {
    const place = new URL(address);
    if (["http:", "https:"].includes(place.protocol)) return place;
  } catch {
    // It is told below.
  }
  throw new TypeError(`${JSON.stringify(address)} is no address for a file: give the \`url\` that createUpload gave.`);
}
