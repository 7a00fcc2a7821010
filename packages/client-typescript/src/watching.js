/** Following a task to its end. */

import { hasEnded, taskOf } from "./documents.js";
import { ApiUnreachable, TaskNotEnded, UnexpectedAnswer } from "./errors.js";
import * as requests from "./request.js";
import { parsed, resumed } from "./streams.js";
import { after, follow } from "./timing.js";

/** Events until the task has ended. A stream that breaks is taken up where it was. Throws `TaskNotEnded`. */
export async function* eventsOf(connection, taskId, { lastEventId, timeoutS, signal }) {
  const following = follow(signal);
  const leave = () => following.abort(new TaskNotEnded(taskId, timeoutS));
  const timer = timeoutS == null ? undefined : after(timeoutS, leave);
  try {
    if (timeoutS <= 0) leave();
    yield* resumed(connection, followedTask(connection, taskId), lastEventId, following.signal);
  } finally {
    clearTimeout(timer);
    following.release();
  }
}

function followedTask(connection, taskId) {
  return {
    eventOf,
    request: (lastId) => requests.events(taskId, lastId),
    isLast: ({ task }) => task !== undefined && hasEnded(task),
    async look(id, count, signal) {
      const task = taskOf(await connection.document(requests.task(taskId), signal));
      if (hasEnded(task)) return { id, name: "done", task };
      throw new ApiUnreachable(connection.url, "the stream ended before the task", { sent: true });
    },
  };
}

/** An event; undefined for one that this client does not know. */
function eventOf({ id, name, data }) {
  if (!["task", "progress", "done"].includes(name)) return undefined;
  const found = parsed(data);
  if (name !== "progress") return { id, name, task: taskOf(found) };
  if (!found || typeof found !== "object") throw new UnexpectedAnswer("An event of the stream says no progress.");
  return { id, name, progress: found.progress ?? undefined, message: found.message ?? undefined };
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
