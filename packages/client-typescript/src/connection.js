/** Calls of the API, sent again where that is safe. */

import { documentOf, refusalOf } from "./answer.js";
import { ApiTimeout, ApiUnreachable } from "./errors.js";
import { Retries } from "./retry.js";
import { after, follow, sleep } from "./timing.js";
import { VERSION } from "./version.js";

const SENT_NOTHING = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EADDRNOTAVAIL",
  "ETIMEDOUT",
  "UND_ERR_CONNECT_TIMEOUT",
]);

/** `silenceS` is for how many seconds a server may be silent before its connection counts as lost. */
export class Connection {
  constructor({ url, apiKey, limits, silenceS, fetch }) {
    this.url = url;
    this.limits = limits;
    this.silenceS = silenceS;
    this.fetch = fetch;
    const own = globalThis.process?.versions?.node ? { "User-Agent": `genpulse-client-js/${VERSION}` } : {};
    this.headers = { ...own, ...(apiKey ? { Authorization: `Bearer ${apiKey}` } : {}) };
  }

  /** The JSON of the answer; undefined where it has no body. */
  async document(request, signal) {
    const retries = new Retries(request, this.limits);
    for (;;) {
      try {
        const answer = await this.open(request, signal);
        return documentOf(this.url, answer, await answer.text());
      } catch (error) {
        await this.pause(retries, error, signal);
      }
    }
  }

  /** Wait until the call may be sent again. Throws the error where it is not. */
  async pause(retries, error, signal) {
    const pauseS = retries.pauseS(error);
    if (pauseS === undefined) throw error;
    await sleep(pauseS, signal);
  }

  /** The answer to one try, of which the body is still to be read or to be closed. */
  async open(request, signal) {
    const answer = new Answer(this, signal);
    await answer.ask(request);
    if (!answer.ok) throw refusalOf(this.url, answer, await answer.text());
    return answer;
  }
}

/** Its head, then its bytes as they come. Errors of the connection become ours. */
class Answer {
  #connection;
  #following;
  #response;

  constructor(connection, signal) {
    this.#connection = connection;
    this.#following = follow(signal);
  }

  async ask({ method, path, headers, body, slow }) {
    const { url, fetch, headers: own } = this.#connection;
    const options = { method, body, headers: { ...own, ...headers }, redirect: "manual", cache: "no-store" };
    const asked = () => fetch(url + path, { ...options, signal: this.#following.signal });
    this.#response = await this.#heard(asked, slow ? Infinity : this.#connection.silenceS);
  }

  get ok() {
    return this.#response.ok;
  }

  get status() {
    return this.#response.status;
  }

  get headers() {
    return this.#response.headers;
  }

  get type() {
    return this.#response.type;
  }

  /** The bytes as they come; whoever leaves early closes the connection. */
  async *chunks() {
    const reader = this.#response.body?.getReader();
    try {
      for (;;) {
        const { done, value } = reader ? await this.#heard(() => reader.read()) : { done: true };
        if (done) return;
        yield value;
      }
    } finally {
      this.close();
    }
  }

  async text() {
    const decoder = new TextDecoder();
    let text = "";
    for await (const chunk of this.chunks()) text += decoder.decode(chunk, { stream: true });
    return text + decoder.decode();
  }

  close() {
    this.#following.release();
    this.#following.abort();
  }

  /** What is said within the time that silence is borne. */
  async #heard(call, silenceS = this.#connection.silenceS) {
    const { url } = this.#connection;
    const timer = after(silenceS, () => this.#following.abort(new ApiTimeout(url, silenceS)));
    try {
      return await call();
    } catch (error) {
      const { aborted, reason } = this.#following.signal;
      this.#following.release();
      throw aborted ? reason : lossOf(url, error);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** A browser does not tell why, and then the request may have arrived. */
function lossOf(url, error) {
  if (!(error instanceof Error)) return error;
  const { code, message } = error.cause ?? error;
  return new ApiUnreachable(url, code ?? message ?? error.message, { sent: !SENT_NOTHING.has(code), cause: error });
}
