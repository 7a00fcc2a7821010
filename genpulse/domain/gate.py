"""The gate before a provider's account: how much is let through, and when the account is left alone.

A gate is one value for all workers. Whoever lets something through, or learns how it went, computes the next
value from the last one; times are seconds of one clock, whichever that is.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from genpulse.domain.failure import Failure, FailureCode
from genpulse.domain.rate import Rate

PROBE_S = 60.0
"""How long the account is left alone while one task finds out whether it works again."""

LONGEST_S = 3600.0
"""A longer wait that a provider asks for is asked for again after an hour."""

_TROUBLE = frozenset(
    {
        FailureCode.PROVIDER_UNAVAILABLE,
        FailureCode.TIMEOUT,
        FailureCode.UNKNOWN_OUTCOME,
        FailureCode.AUTHENTICATION_FAILED,
        FailureCode.QUOTA_EXHAUSTED,
    }
)
"""Failures that the next task would meet too: they are about the account and not about the task."""
_REASON_LENGTH = 300


class CircuitState(StrEnum):
    """CLOSED: all is well. OPEN: nothing is sent. HALF_OPEN: one task is sent to find out."""

    CLOSED = "closed"
    HALF_OPEN = "half_open"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class CircuitPolicy:
    """After `failures` (1 or more) failures in a row the circuit opens for `first_s` seconds.

    Each probe that fails opens it for twice as long, up to `longest_s` seconds.
    """

    failures: int = 5
    first_s: float = 5.0
    longest_s: float = 300.0

    def open_s(self, trips: int, draw: float) -> float:
        """Seconds until the next probe when it opens for the `trips`-th time. `draw` is from 0.0 to 1.0."""
        ceiling = min(self.first_s * 2.0 ** min(trips - 1, 60), self.longest_s)
        return ceiling * (0.75 + draw / 4)


@dataclass(frozen=True, slots=True)
class Limits:
    """What an account may be asked: how many tasks at once, and how many start in a time. None: no limit."""

    concurrency: int | None = None
    rate: Rate | None = None


@dataclass(frozen=True, slots=True)
class Admission:
    """How many may go now. `wait_s`: seconds until it is worth asking again; 0 when all that was asked may go."""

    granted: int
    wait_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Circuit:
    """How a provider's account is. `wait_s`: seconds until it is tried again, 0 unless OPEN."""

    state: CircuitState = CircuitState.CLOSED
    failures: int = 0
    wait_s: float = 0.0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Gate:
    """Where an account stands.

    `next_at` is when the next one is due by the rate (the theoretical arrival time of GCRA), `failures` how many
    there were in a row, `trips` how often the circuit has opened since it was last closed. Nothing passes before
    `shut_until`, and while a probe is under way only `probing_until` lets another one follow.
    """

    next_at: float = 0.0
    failures: int = 0
    trips: int = 0
    shut_until: float = 0.0
    probing_until: float = 0.0
    reason: str = ""

    def admit(self, rate: Rate | None, wanted: int, now: float) -> tuple[Admission, "Gate"]:
        """Let at most `wanted` (1 or more) through."""
        if self.shut_until > now:
            return Admission(0, self.shut_until - now), self
        if not self.trips:
            return self._admit_by_rate(rate, wanted, now)
        if self.probing_until > now:
            return Admission(0, self.probing_until - now), self
        admission, after = self._admit_by_rate(rate, 1, now)
        if not admission.granted:
            return admission, self
        return Admission(1, PROBE_S), replace(after, probing_until=now + PROBE_S)

    def _admit_by_rate(self, rate: Rate | None, wanted: int, now: float) -> tuple[Admission, "Gate"]:
        if rate is None:
            return Admission(wanted), self
        due_at = max(self.next_at, now)
        earlier_s = (rate.at_once - 1) * rate.interval_s
        free = int((now - due_at + earlier_s) / rate.interval_s + 1e-6) + 1 if now >= due_at - earlier_s else 0
        granted = min(wanted, free)
        after = replace(self, next_at=due_at + granted * rate.interval_s) if granted else self
        wait_s = 0.0 if granted == wanted else max(due_at + granted * rate.interval_s - earlier_s - now, 0.0)
        return Admission(granted, wait_s), after

    def give_back(self, rate: Rate | None, count: int) -> "Gate":
        """So many of those that were let through did not go."""
        interval_s = rate.interval_s if rate else 0.0
        return replace(self, next_at=self.next_at - count * interval_s, probing_until=0.0)

    def succeeded(self) -> "Gate":
        """The account answered as it should: the circuit closes."""
        return Gate(next_at=self.next_at)

    def failed(self, failure: Failure, policy: CircuitPolicy, now: float, draw: float) -> "Gate":
        """An attempt failed. Only failures that others would meet too count; a wait that was asked for is kept."""
        if failure.code is FailureCode.RATE_LIMITED:
            until = now + min(failure.retry_after_s or 0.0, LONGEST_S)
            return replace(self, shut_until=max(self.shut_until, until), probing_until=0.0)
        if failure.code not in _TROUBLE or (self.trips and now < self.shut_until):
            return self
        failures = self.failures + 1
        reason = f"{failure.code.value}: {failure.message}"[:_REASON_LENGTH]
        counted = replace(self, failures=failures, reason=reason, probing_until=0.0)
        if failures < policy.failures and not self.trips:
            return counted
        trips = self.trips + 1
        open_s = max(policy.open_s(trips, draw), min(failure.retry_after_s or 0.0, LONGEST_S))
        return replace(counted, trips=trips, shut_until=now + open_s)

    def circuit(self, now: float) -> Circuit:
        """How it is, for those who look."""
        if not self.trips:
            return Circuit(failures=self.failures, reason=self.reason)
        if self.shut_until > now:
            return Circuit(CircuitState.OPEN, self.failures, self.shut_until - now, self.reason)
        return Circuit(CircuitState.HALF_OPEN, self.failures, 0.0, self.reason)
