/** Streams of events that are taken up where they broke. */

import { UnexpectedAnswer } from "./errors.js";
import { Retries } from "./retry.js";
import { EventParser } from "./sse.js";

/**
 * Events until the last one. Of what is followed `request` makes the request behind an event, `eventOf` an event of what
 * came, `isLast` knows the last one, and `look` says it by a look where a stream ends without it, or throws.
 */
export async function* resumed(connection, followed, lastId, signal) {
  const retries = new Retries(followed.request(), connection.limits);
  for (;;) {
    try {
      if (signal?.aborted) throw signal.reason;
      let count = 0;
      for await (const event of stream(connection, followed.request(lastId), followed.eventOf, signal)) {
        retries.beginAnew();
        count += 1;
        lastId = event.id || lastId;
        yield event;
        if (followed.isLast(event)) return;
      }
      return yield await followed.look(lastId ?? "0", count, signal);
    } catch (error) {
      await connection.pause(retries, error, signal);
    }
  }
}

/** Events of one connection; those that this client does not know are passed over. */
async function* stream(connection, request, eventOf, signal) {
  const answer = await connection.open(request, signal);
  try {
    if (answer.status === 204) return;
    check(connection, answer);
    const parser = new EventParser();
    for await (const chunk of answer.chunks()) {
      for (const found of parser.feed(chunk)) {
        const event = eventOf(found);
        if (event) yield event;
      }
    }
  } finally {
    answer.close();
  }
}

function check({ url }, { status, headers }) {
  const what = headers.get("content-type") ?? "no content type";
  if (!what.startsWith("text/event-stream")) {
    throw new UnexpectedAnswer(`What answers at ${url} sends no events: ${status}, ${what}.`, { status });
  }
}

/** The JSON of an event. */
export function parsed(data) {
  try {
    return JSON.parse(data);
  } catch {
    throw new UnexpectedAnswer(`An event of the stream is no JSON: ${data.slice(0, 200)}`);
  }
}
