/** When a call that failed is sent again. */

import { ApiRefused, ApiUnreachable } from "./errors.js";
import { checkOptions } from "./order.js";

/** For how many seconds a call is sent again in all: while the API is busy, and from when the connection is lost. */
export const RETRY_LIMITS = { busyS: 60, unreachableS: 15 };

/** Those, but for what is said otherwise. Throws `TypeError` for a limit that there is not. */
export function limitsOf(said) {
  checkOptions(said, Object.keys(RETRY_LIMITS));
  return Object.fromEntries(Object.entries(RETRY_LIMITS).map(([name, usual]) => [name, said[name] ?? usual]));
}

const PASSING = new Set([429, 502, 503, 504]);
const FIRST_S = 0.25;
const LONGEST_S = 8;

/** Those of one call. `beginAnew` forgets its failures, once something came of it. */
export class Retries {
  #request;
  #limits;
  #failures = 0;
  #busySince;
  #lostSince;

  constructor(request, limits) {
    this.#request = request;
    this.#limits = limits;
  }

  /** The call works. */
  beginAnew() {
    this.#failures = 0;
    this.#busySince = this.#lostSince = undefined;
  }

  /** Seconds until the call is sent again; undefined where it is not. */
  pauseS(error) {
    this.#failures += 1;
    const usual = Math.min(FIRST_S * 2 ** (this.#failures - 1), LONGEST_S) * (0.8 + 0.4 * Math.random());
    if (error instanceof ApiUnreachable) return this.#mayFollow(error) ? this.#afterLoss(usual) : undefined;
    if (error instanceof ApiRefused && this.#isPassing(error)) return this.#whileBusy(error.retryAfterS ?? usual);
    return undefined;
  }

  #mayFollow(error) {
    return error.sent ? this.#request.repeatable : this.#request.persistent;
  }

  /** A 429 is said before anything was done; of the others nobody knows. */
  #isPassing(error) {
    return error.status === 429 || (this.#request.repeatable && PASSING.has(error.status));
  }

  #afterLoss(pauseS) {
    this.#lostSince ??= now();
    return within(pauseS, this.#limits.unreachableS - (now() - this.#lostSince));
  }

  #whileBusy(pauseS) {
    this.#busySince ??= now();
    return within(pauseS, this.#limits.busyS - (now() - this.#busySince));
  }
}

function now() {
  return performance.now() / 1000;
}

function within(pauseS, leftS) {
  return pauseS < leftS ? pauseS : undefined;
}
