/** Where GenPulse is, and with which key it is asked. */

import { variable } from "./platform.js";

const DEFAULT_URL = "http://127.0.0.1:8000";

/** The address that is given, else that of GENPULSE_URL, else this machine's. Throws `TypeError` for what is none. */
export function addressOf(url) {
  const chosen = String(url ?? variable("GENPULSE_URL") ?? DEFAULT_URL).trim().replace(/\/+$/, "");
  const parts = parsed(chosen);
  if (!parts || !["http:", "https:"].includes(parts.protocol)) {
    throw new TypeError(`${JSON.stringify(chosen)} is no address of GenPulse: give one such as ${DEFAULT_URL}.`);
  }
  if (parts.username || parts.search || parts.hash) {
    throw new TypeError("The address of GenPulse has no user, query or fragment. Give the key as apiKey.");
  }
  return chosen;
}

/** The key that is given, else that of GENPULSE_API_KEY. Throws `TypeError` for what is none. */
export function keyOf(apiKey) {
  const key = (apiKey ?? variable("GENPULSE_API_KEY") ?? "").trim();
  if (/^[!-~]*$/.test(key)) return key;
  throw new TypeError("The API key has characters that no key has. Give it as `genpulse keys create` has shown it.");
}

function parsed(text) {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}
