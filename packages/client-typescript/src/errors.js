/** Errors of the client. All of them are `GenPulseError`. */

/** `code` is a stable word for programs; `status` and `problem` (RFC 9457) are those of the answer, where there was one. */
export class GenPulseError extends Error {
  constructor(message, { code, status, problem, cause } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
    this.code = code;
    this.status = status;
    this.problem = problem;
  }
}

/** The API said no. `problems` are the places that do not fit; `retryAfterS` is for how long it asks not to come again. */
export class ApiRefused extends GenPulseError {
  constructor(message, { code, status, problem, problems = [], retryAfterS }) {
    const places = problems.filter(({ detail }) => !message.includes(detail));
    super(message + places.map(({ place, detail }) => `\n  ${place}: ${detail}`).join(""), { code, status, problem });
    this.problems = problems;
    this.retryAfterS = retryAfterS;
  }
}

/** Nothing answers at the address, or the connection broke. `sent` is whether the request may have arrived. */
export class ApiUnreachable extends GenPulseError {
  constructor(url, why, { sent, code = "unreachable", cause }) {
    const what = sent ? `The connection to ${url} broke` : `Nothing answers at ${url}`;
    const advice = sent ? "" : " Start it with `genpulse dev`, or name another address.";
    super(`${what} (${why}).${advice}`, { code, cause });
    this.sent = sent;
  }
}

/** The server was silent for too long. */
export class ApiTimeout extends ApiUnreachable {
  constructor(url, silenceS) {
    super(url, `silent for ${silenceS} s`, { sent: true, code: "timeout" });
  }
}

/** What answers is not GenPulse, or a proxy before it: a redirect, a page of HTML, no JSON. */
export class UnexpectedAnswer extends GenPulseError {
  constructor(message, { status } = {}) {
    super(message, { code: "unexpected_answer", status });
  }
}

/** A task ended without success. `task` is how it ended; `code` is that of its error, or its status. */
export class TaskFailed extends GenPulseError {
  constructor(task) {
    const why = task.error ? `${task.error.code}: ${task.error.message}` : task.status;
    super(`Task ${task.id} ended: ${why}`, { code: task.error ? task.error.code : task.status });
    this.task = task;
  }
}

/** A task had not ended when the time to wait for it was over. It goes on; `taskId` names it. */
export class TaskNotEnded extends GenPulseError {
  constructor(taskId, timeoutS) {
    super(`Task ${taskId} has not ended within ${timeoutS} s. It goes on.`, { code: "not_ended" });
    this.taskId = taskId;
  }
}

/** The bytes that came are not those of the asset. */
export class DownloadBroken extends GenPulseError {
  constructor(assetId) {
    super(`The bytes of asset ${assetId} are not those that it should have. Fetch it again.`, { code: "download_broken" });
  }
}

/** A text that no path can name anything by. */
export class InvalidId extends GenPulseError {
  constructor(text) {
    super(`${JSON.stringify(text)} is no id: it has to be something, and no step to another path.`, { code: "invalid_id" });
  }
}

/** A message that is not from GenPulse, is too old, or cannot be read. */
export class InvalidWebhook extends GenPulseError {
  constructor(message) {
    super(message, { code: "invalid_webhook" });
  }
}
