"""Whether an attempt that failed is tried again, and when."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from genpulse.domain.attempt import Failed, RetryLater
from genpulse.domain.failure import Actor, Charged, Failure, FailureCode


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """At most `max_attempts` (1 or more) attempts; waits grow from `base_s` to `longest_s` seconds."""

    max_attempts: int = 5
    base_s: float = 1.0
    longest_s: float = 300.0

    def delay_s(self, attempt: int, retry_after_s: float | None, draw: float) -> float:
        """Seconds until the attempt after this one. `draw` is a random number from 0.0 to 1.0.

        The wait doubles with every attempt and is spread over its upper half, so that many tasks that failed
        together do not come back together. A provider that asked for a longer wait gets it.
        """
        ceiling = min(self.base_s * 2.0 ** min(attempt - 1, 60), self.longest_s)
        return max(ceiling * (0.5 + draw / 2), retry_after_s or 0.0)


def decide(
    policy: RetryPolicy,
    attempt: int,
    failure: Failure,
    *,
    now: datetime,
    deadline_at: datetime | None,
    random: Callable[[], float],
) -> Failed | RetryLater:
    """What follows from a failed attempt: the next one later, or the end."""
    if not failure.retryable or attempt >= policy.max_attempts:
        return Failed(failure)
    delay_s = policy.delay_s(attempt, failure.retry_after_s, random())
    if deadline_at is not None and now + timedelta(seconds=delay_s) >= deadline_at:
        return Failed(deadline_exceeded(failure.charged, last=failure))
    return RetryLater(failure, delay_s)


def deadline_exceeded(charged: Charged, last: Failure | None = None) -> Failure:
    """The failure of a task that did not end in time."""
    because = f" The last attempt failed: {last.message}" if last else ""
    return Failure(
        FailureCode.DEADLINE_EXCEEDED,
        f"The task did not end before its deadline.{because}",
        retryable=False,
        charged=charged,
        who_must_act=Actor.CALLER,
    )
