/** What an answer of the API means. */

import { ApiRefused, UnexpectedAnswer } from "./errors.js";

const SHOWN = 200;

/** The JSON of a success; undefined where it has no body. Throws `UnexpectedAnswer`. */
export function documentOf(url, { status, headers }, text) {
  if (!text) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    const what = headers.get("content-type") ?? "no content type";
    throw new UnexpectedAnswer(`What answers at ${url} is not GenPulse: ${status}, ${what}: ${text.slice(0, SHOWN)}`, { status });
  }
}

/** The error that an answer without success stands for. */
export function refusalOf(url, { status, headers, type }, text) {
  if (type === "opaqueredirect" || (status >= 300 && status < 400)) {
    const to = headers.get("location")?.slice(0, SHOWN) ?? "another address";
    return new UnexpectedAnswer(
      `${url} answers ${status || "with a redirect"} and leads to ${to}, where no key is sent. Give the address of GenPulse itself.`,
      { status },
    );
  }
  const retryAfterS = secondsOf(headers.get("retry-after"));
  const problem = problemOf(text);
  if (!problem) {
    return new ApiRefused(`${url} answered ${status}: ${text.slice(0, SHOWN)}`, { code: "unknown", status, retryAfterS });
  }
  const message = String(problem.detail || problem.title || `refused with ${status}`);
  const code = String(problem.code ?? "unknown");
  return new ApiRefused(message, { code, status, problem, problems: placesOf(problem), retryAfterS });
}

/** Seconds from a Retry-After, which is a number or a date; undefined where it is neither. */
export function secondsOf(value) {
  if (!value) return undefined;
  if (/^\d+$/.test(value)) return Number(value.slice(0, 9));
  const moment = /[A-Za-z]/.test(value) ? Date.parse(value) : NaN;
  return Number.isNaN(moment) ? undefined : Math.max(0, (moment - Date.now()) / 1000);
}

function problemOf(text) {
  try {
    const found = JSON.parse(text);
    return found && typeof found === "object" && !Array.isArray(found) ? found : undefined;
  } catch {
    return undefined;
  }
}

function placesOf({ errors }) {
  const found = Array.isArray(errors) ? errors.filter((one) => one && typeof one === "object") : [];
  return found.map((one) => ({ place: String(one.pointer || one.parameter || ""), detail: String(one.detail ?? "") }));
}
