/** A parser of Server-Sent Events, as the HTML standard describes them, that does no input or output. */

import { UnexpectedAnswer } from "./errors.js";

/** Characters of one event. What is longer is no event of GenPulse. */
export const LONGEST_EVENT = 16 * 2 ** 20;

/** Takes the bytes of a stream as they come, split anywhere, and gives the events that are complete. */
export class EventParser {
  #decoder = new TextDecoder();
  #text = "";
  #lastId = "";
  #name = "";
  #data = [];
  #length = 0;

  /** The events that end in this chunk: `id` is the last one that the stream has named. Throws `UnexpectedAnswer`. */
  feed(chunk) {
    const events = [];
    for (const line of this.#lines(this.#decoder.decode(chunk, { stream: true }))) {
      this.#length += line.length;
      const event = this.#line(line);
      if (event) events.push(event);
    }
    if (this.#length + this.#text.length > LONGEST_EVENT) {
      throw new UnexpectedAnswer(`An event of the stream is longer than ${LONGEST_EVENT} characters.`);
    }
    return events;
  }

  /** Whole lines. A carriage return at the end waits: a line feed may belong to it. */
  *#lines(more) {
    const text = this.#text + more;
    const end = /\r\n|\n|\r/g;
    end.lastIndex = Math.max(0, this.#text.length - 1);
    let start = 0;
    for (let found; (found = end.exec(text)); start = end.lastIndex) {
      if (found[0] === "\r" && end.lastIndex === text.length) break;
      yield text.slice(start, found.index);
    }
    this.#text = text.slice(start);
  }

  #line(line) {
    if (!line) return this.#dispatched();
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + (line[colon + 1] === " " ? 2 : 1));
    if (name === "data") this.#data.push(value);
    else if (name === "event") this.#name = value;
    else if (name === "id" && !value.includes("\0")) this.#lastId = value;
    return undefined;
  }

  #dispatched() {
    const [name, data] = [this.#name || "message", this.#data];
    [this.#name, this.#data, this.#length] = ["", [], 0];
    return data.length ? { id: this.#lastId, name, data: data.join("\n") } : undefined;
  }
}
