"""Retry policy: whether and when a failed attempt is tried again."""

from collections.abc import Callable
from dataclasses import dataclass

from genpulse.domain.attempt import Failed, RetryLater
from genpulse.domain.failure import Actor, Charged, Failure, FailureCode


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """A task may fail `max_attempts` (1 or more) times; waits grow from `base_s` to `longest_s` seconds.

    `resubmits` are the providers that are asked again even where an earlier request may have been paid for.
    """

    max_attempts: int = 5
    base_s: float = 1.0
    longest_s: float = 300.0
    resubmits: frozenset[str] = frozenset()

    def retries(self, failure: Failure, provider: str) -> bool:
        """Whether a failure is worth another attempt."""
        is_unknown = failure.code is FailureCode.UNKNOWN_OUTCOME
        return failure.retryable or (is_unknown and provider in self.resubmits)

    def delay_s(self, failures: int, retry_after_s: float | None, draw: float) -> float:
        """Seconds until the attempt after the `failures`-th failure. `draw` is a random number from 0.0 to 1.0.

        The wait doubles with every failure and is spread over its upper half, so that many tasks that failed
        together do not come back together. A provider that asked for a longer wait gets it.
        """
        ceiling = min(self.base_s * 2.0 ** min(max(failures - 1, 0), 60), self.longest_s)
        return max(ceiling * (0.5 + draw / 2), retry_after_s or 0.0)


def decide(
    policy: RetryPolicy,
    failures: int,
    failure: Failure,
    *,
    provider: str,
    left_s: float | None,
    random: Callable[[], float],
    outage: bool = False,
) -> Failed | RetryLater:
    """What follows from an attempt that failed after `failures` others: the next one later, or the end.

    `left_s` are the seconds until the task's deadline, None without one. During an `outage` of the provider's
    account an attempt that cost nothing does not count as one of those that a task has: whichever task finds out
    that it lasts would have to pay for it.
    """
    uncounted = outage and failure.charged is Charged.NO
    if not policy.retries(failure, provider) or (failures + 1 >= policy.max_attempts and not uncounted):
        return Failed(failure)
    delay_s = policy.delay_s(failures + 1, failure.retry_after_s, random())
    if left_s is not None and delay_s >= left_s:
        return Failed(deadline_exceeded(failure.charged, last=failure))
    return RetryLater(failure, delay_s, counts=not uncounted)


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


LOSSES = 3
"""A task that has lost so many workers in a row may be why they were lost, and does not run again by itself."""


_ORDERED = (
    "A retry takes up what it had ordered where the provider can be asked about it, and orders anew elsewhere."
)


def worker_lost(charged: Charged, *, again: bool) -> Failure:
    """The failure of a task whose workers were lost one after the other.

    `again`: it has an order open, which only somebody ends who has asked the vendor, or as unknown. So this is one
    failed attempt and not the end, and the next follows after a pause.
    """
    order = "" if charged is Charged.NO else f" {_ORDERED}"
    return Failure(
        FailureCode.WORKER_LOST,
        f"{LOSSES} workers in a row were lost while they ran this task, which may be the reason: look into their"
        f" last log lines and the system's for memory and crashes before it is retried.{order}",
        retryable=again,
        charged=charged,
        who_must_act=Actor.OPERATOR,
    )
