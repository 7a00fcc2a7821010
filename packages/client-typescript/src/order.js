/** The body of a submit. */

import { isAsset } from "./documents.js";
import { momentText } from "./timing.js";

const FIELDS = {
  kind: "kind",
  priority: "priority",
  webhookUrl: "webhook_url",
  deadlineS: "deadline_s",
  metadata: "metadata",
  retainS: "retain_s",
  runAt: "run_at",
};
/** The options of an order, beside its model and input. */
export const ORDER_OPTIONS = [...Object.keys(FIELDS), "idempotencyKey"];

/** The document of an order; what is not said is left out, and the key is no part of it. */
export function orderDocument(model, input, options) {
  const said = Object.entries(FIELDS).filter(([name]) => options[name] != null);
  const named = model == null ? {} : { model };
  return { ...named, input: plain(input), ...Object.fromEntries(said.map(([name, field]) => [field, momentText(options[name])])) };
}

/** Throws `TypeError` for an option that there is not, since a misspelt one would be passed over in silence. */
export function checkOptions(options, names) {
  const unknown = Object.keys(options).find((name) => !names.includes(name));
  if (unknown !== undefined) throw new TypeError(`There is no option ${unknown}: it may be one of ${names.join(", ")}.`);
}

/** Throws `TypeError` for what cannot be sent as a key. */
export function checkedKey(key) {
  if (typeof key === "string" && /^[ -~]{1,255}$/.test(key) && key === key.trim()) return key;
  throw new TypeError(`An idempotency key is 1 to 255 ASCII characters without blanks around it, not ${JSON.stringify(key)}.`);
}

/** With files by their references. */
function plain(value) {
  if (typeof value === "number" && !Number.isFinite(value)) throw new TypeError(`JSON has no number ${value}.`);
  if (isAsset(value)) return `asset:${value.id}`;
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== "object" || typeof value.toJSON === "function") return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, plain(one)]));
}
