/** Following a task to its end. */

import { hasEnded, taskOf } from "./documents.js";
import { ApiUnreachable, TaskNotEnded, UnexpectedAnswer } from "./errors.js";
import * as requests from "./request.js";
import { Retries } from "./retry.js";
import { EventParser } from "./sse.js";
import { after, follow } from "./timing.js";

/** Events until the task has ended. A stream that breaks is taken up where it was. Throws `TaskNotEnded`. */
export async function* eventsOf(connection, taskId, { lastEventId, timeoutS, signal }) {
  const following = follow(signal);
  const leave = () => following.abort(new TaskNotEnded(taskId, timeoutS));
  const timer = timeoutS == null ? undefined : after(timeoutS, leave);
  try {
    if (timeoutS <= 0) leave();
    yield* resumed(connection, taskId, lastEventId, following.signal);
  } finally {
    clearTimeout(timer);
    following.release();
  }
}

async function* resumed(connection, taskId, lastId, signal) {
  const retries = new Retries(requests.events(taskId), connection.limits);
  for (;;) {
    try {
      if (signal.aborted) throw signal.reason;
      for await (const event of stream(connection, taskId, lastId, signal)) {
        retries.beginAnew();
        lastId = event.id || lastId;
        yield event;
        if (event.task && hasEnded(event.task)) return;
      }
      const task = taskOf(await connection.document(requests.task(taskId), signal));
      if (hasEnded(task)) return yield { id: lastId ?? "0", name: "done", task };
      throw new ApiUnreachable(connection.url, "the stream ended before the task", { sent: true });
    } catch (error) {
      await connection.pause(retries, error, signal);
    }
  }
}

/** Events of one connection. */
async function* stream(connection, taskId, lastId, signal) {
  const answer = await connection.open(requests.events(taskId, lastId), signal);
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

/** An event; undefined for one that this client does not know. */
function eventOf({ id, name, data }) {
  if (!["task", "progress", "done"].includes(name)) return undefined;
  const found = parsed(data);
  if (name !== "progress") return { id, name, task: taskOf(found) };
  if (!found || typeof found !== "object") throw new UnexpectedAnswer("An event of the stream says no progress.");
  return { id, name, progress: found.progress ?? undefined, message: found.message ?? undefined };
}

function parsed(data) {
  try {
    return JSON.parse(data);
  } catch {
    throw new UnexpectedAnswer(`An event of the stream is no JSON: ${data.slice(0, 200)}`);
  }
}

/** The task at its end, however that is. Throws `TaskNotEnded`. */
export async function endedTask(connection, taskId, { onEvent, ...options }) {
  let last;
  for await (const event of eventsOf(connection, taskId, options)) {
    onEvent?.(event);
    last = event;
  }
  return last.task;
}
