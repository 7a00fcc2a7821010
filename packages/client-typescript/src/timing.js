/** Timers, signals and times. */

const LONGEST_MS = 2 ** 31 - 1;

/** How the API takes a `Date`; all else stays. Throws `RangeError` for a date that is none, of which JSON makes null. */
export function momentText(value) {
  return value instanceof Date ? value.toISOString() : value;
}

/** A timer; longer than 24 days is 24 days, since a browser would not wait at all. */
export function after(seconds, call) {
  return setTimeout(call, Math.min(seconds * 1000, LONGEST_MS));
}

/** Wait. Rejects with the reason of the signal. */
export function sleep(seconds, signal) {
  return new Promise((resolve, reject) => {
    const follower = follow(signal);
    const timer = after(seconds, () => (follower.release(), resolve()));
    const stop = () => (clearTimeout(timer), reject(follower.signal.reason));
    if (follower.signal.aborted) stop();
    else follower.signal.addEventListener("abort", stop, { once: true });
  });
}

/** A signal that stops when another does, or by itself, until it is released. */
export function follow(signal) {
  const controller = new AbortController();
  const stop = () => controller.abort(signal.reason);
  if (signal?.aborted) stop();
  else signal?.addEventListener("abort", stop, { once: true });
  return {
    signal: controller.signal,
    abort: (reason) => controller.abort(reason),
    release: () => signal?.removeEventListener("abort", stop),
  };
}
