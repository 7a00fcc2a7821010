/** Following a batch to its end. */

import { batchOf, taskOf } from "./documents.js";
import { ApiUnreachable } from "./errors.js";
import * as requests from "./request.js";
import { parsed, resumed } from "./streams.js";

/** Events until the batch has ended. A stream that breaks is taken up where it was. */
export function batchEventsOf(connection, batchId, { lastEventId, signal }) {
  return resumed(connection, followedBatch(connection, batchId), lastEventId, signal);
}

function followedBatch(connection, batchId) {
  return {
    eventOf,
    request: (lastId) => requests.batchEvents(batchId, lastId),
    isLast: ({ name }) => name === "done",
    /** A stream that told something may have more to tell of tasks that ended. */
    async look(id, count, signal) {
      const batch = batchOf(await connection.document(requests.batch(batchId), signal));
      if (batch.ended && !count) return { id, name: "done", batch };
      throw new ApiUnreachable(connection.url, "the stream ended before the batch", { sent: true });
    },
  };
}

/** An event; undefined for one that this client does not know. */
function eventOf({ id, name, data }) {
  if (!["batch", "end", "done"].includes(name)) return undefined;
  const found = parsed(data);
  return name === "end" ? { id, name, task: taskOf(found) } : { id, name, batch: batchOf(found) };
}
