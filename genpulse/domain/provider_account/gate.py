"""Circuit breaker and rate limiter of one provider account.

A gate is one value for all workers. Whoever lets something through, or learns how it went, computes the next
value from the last one; times are seconds of one clock, whichever that is.
"""

import math
from dataclasses import dataclass, replace
from enum import StrEnum

from genpulse.domain.failure import Failure
from genpulse.domain.provider_account.learned_concurrency import NOTHING_LEARNED, LearnedConcurrency, Load
from genpulse.domain.provider_account.rate import Pace, Rate
from genpulse.domain.provider_account.verdict import Verdict, reason_of, verdict

PROBE_S = 60.0
"""How long the account is left alone while one task finds out whether it works again."""

LONGEST_S = 3600.0
"""The longest wait: after an hour an account is tried again, whatever it asked for."""


def asked_wait_s(failure: Failure) -> float:
    """Seconds that the provider asked for, from 0.0 to an hour."""
    wait_s = failure.retry_after_s or 0.0
    return 0.0 if math.isnan(wait_s) else min(max(wait_s, 0.0), LONGEST_S)


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
    """How many may go now. `wait_s`: seconds until it is worth asking again; 0 when all that was asked may go.

    `seats`: how many tasks of the account may run at once, where its refusals have taught that.
    """

    granted: int
    wait_s: float = 0.0
    seats: int | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """What keeps tasks from an account. `answer` is what the provider said, as `reason_of` tells it.

    It began `since_s` seconds ago, None where that was not kept, and lasts for `left_s` more, None while one task
    finds out whether it is over.
    """

    answer: str
    since_s: float | None
    left_s: float | None

    @property
    def code(self) -> str:
        """The failure's code."""
        return self.answer.partition(":")[0]


@dataclass(frozen=True, slots=True)
class LearnedLimit:
    """At most `concurrency` tasks at once, since the provider refused one `since_s` seconds ago."""

    concurrency: int
    since_s: float


@dataclass(frozen=True, slots=True)
class Circuit:
    """How a provider's account is. `wait_s`: seconds until it is tried again, 0 where it may be asked.

    A CLOSED one has a `hold` where the provider asked for a pause; one that is not CLOSED always has. `learned` is
    there while the account is asked for less at once than is configured.
    """

    state: CircuitState = CircuitState.CLOSED
    failures: int = 0
    wait_s: float = 0.0
    reason: str = ""
    hold: Hold | None = None
    learned: LearnedLimit | None = None


@dataclass(frozen=True, slots=True)
class Gate:
    """Where an account stands.

    `next_at` is when the next one is due by the rate (the theoretical arrival time of GCRA), `failures` how many
    there were in a row, `trips` how often the circuit has opened since it was last closed. Nothing passes before
    `shut_until`, which the circuit sets, or `held_until`, which the provider asked for; while a probe is under way
    only `probing_until` lets another one follow. A moment that lies further ahead than any is ever set was written
    before the clock was set back, and holds nothing up.
    `reason` is what was said at the last failure and `shut_since` when the circuit left being closed; `held_by` is
    what was said when the provider asked for the longest wait, and `held_since` when it first did. 0: not known.
    `learned` is how many tasks at once it bears.
    """

    next_at: float = 0.0
    failures: int = 0
    trips: int = 0
    shut_until: float = 0.0
    held_until: float = 0.0
    probing_until: float = 0.0
    reason: str = ""
    shut_since: float = 0.0
    held_since: float = 0.0
    held_by: str = ""
    learned: LearnedConcurrency = NOTHING_LEARNED

    def admit(self, rate: Rate | None, count: int, now: float) -> tuple[Admission, "Gate"]:
        """Let at most `count` (1 or more) through."""
        gate = self._believed(now)
        seats = gate.learned.most or None
        admission, after = _admit(gate, rate, min(count, seats or count), now)
        return replace(admission, seats=seats), after

    def pace(self, admission: Admission, rate: Rate, now: float) -> Pace:
        """What a rate leaves after this admission of one."""
        if not admission.granted:
            return Pace(admission.wait_s, 0, max(self.next_at - now, admission.wait_s))
        ahead = max(self.next_at - now, 0.0)
        remaining = int((rate.at_once * rate.interval_s - ahead) / rate.interval_s + 1e-6)
        return Pace(0.0, max(remaining, 0), ahead)

    def _believed(self, now: float) -> "Gate":
        shut_until, held_until = (0.0 if at > now + LONGEST_S else at for at in (self.shut_until, self.held_until))
        probing = 0.0 if self.probing_until > now + PROBE_S else self.probing_until
        learned = self.learned.believed(now)
        return replace(self, shut_until=shut_until, held_until=held_until, probing_until=probing, learned=learned)

    def give_back(self, rate: Rate | None, count: int) -> "Gate":
        """So many (0 or more) of those that were let through asked for nothing: their turns are free again.

        It ends the probe, since one of them may have been it. Where none was, one more probe goes than had to.
        """
        interval_s = rate.interval_s if rate else 0.0
        return replace(self, next_at=self.next_at - count * interval_s, probing_until=0.0)

    def answered(self) -> "Gate":
        """The account answered: the circuit closes. A wait that the provider asked for is kept."""
        return Gate(
            self.next_at,
            held_until=self.held_until,
            held_since=self.held_since,
            held_by=self.held_by,
            learned=self.learned,
        )

    def succeeded(self, concurrency: int | None, now: float) -> "Gate":
        """The account took a task: it has answered, and may bear one more at once, up to what is configured."""
        return replace(self.answered(), learned=self.learned.raised(concurrency, now))

    def failed(
        self, failure: Failure, policy: CircuitPolicy, now: float, draw: float, load: Load | None = None
    ) -> "Gate":
        """An attempt failed: what that says about the account is its `verdict`. Whatever it was ends a probe.

        `load` is what the account bore, where that is known: with a refusal, it was too much.
        """
        match verdict(failure.code):
            case Verdict.ANSWERED:
                return self.answered()
            case Verdict.TROUBLE:
                return _in_trouble(self._believed(now), failure, policy, now, draw)
            case Verdict.LIMITED:
                return _hold(_with_less(self._believed(now), load, now), failure, now)
            case Verdict.NOTHING:
                return replace(self, probing_until=0.0)

    def circuit(self, now: float) -> Circuit:
        """How it is, for those who look."""
        gate = self._believed(now)
        shut_s, held_s = (max(at - now, 0.0) for at in (gate.shut_until, gate.held_until))
        hold = None
        if gate.trips and shut_s >= held_s:
            hold = Hold(gate.reason, _ago(gate.shut_since, now), shut_s or None)
        elif held_s:
            hold = Hold(gate.held_by, _ago(gate.held_since, now), held_s)
        wait_s, most = max(shut_s, held_s), gate.learned.most
        learned = LearnedLimit(most, max(now - gate.learned.lowered_at, 0.0)) if most else None
        return Circuit(_state(gate.trips, wait_s), gate.failures, wait_s, gate.reason, hold, learned)


def _with_less(gate: Gate, load: Load | None, now: float) -> Gate:
    return replace(gate, learned=gate.learned.lowered(load, now)) if load else gate


def _state(trips: int, wait_s: float) -> CircuitState:
    if not trips:
        return CircuitState.CLOSED
    return CircuitState.OPEN if wait_s else CircuitState.HALF_OPEN


def _ago(moment: float, now: float) -> float | None:
    """Seconds since then; None where the moment is not known, or none that there can have been."""
    return max(now - moment, 0.0) if moment > 0 else None


def _admit(gate: Gate, rate: Rate | None, count: int, now: float) -> tuple[Admission, Gate]:
    closed_until = max(gate.shut_until, gate.held_until)
    if closed_until > now:
        return Admission(0, closed_until - now), gate
    if not gate.trips:
        return _admit_by_rate(gate, rate, count, now)
    if gate.probing_until > now:
        return Admission(0, gate.probing_until - now), gate
    admission, after = _admit_by_rate(gate, rate, 1, now)
    if not admission.granted:
        return admission, after
    return Admission(1, PROBE_S), replace(after, probing_until=now + PROBE_S)


def _admit_by_rate(gate: Gate, rate: Rate | None, count: int, now: float) -> tuple[Admission, Gate]:
    if rate is None:
        return Admission(count), gate
    interval_s, earlier_s = rate.interval_s, (rate.at_once - 1) * rate.interval_s
    latest_at = now + rate.at_once * interval_s
    due_at = min(max(gate.next_at, now), latest_at)
    free = int((now - due_at + earlier_s) / interval_s + 1e-6) + 1 if now >= due_at - earlier_s else 0
    granted = min(count, free)
    next_at = due_at + granted * interval_s
    after = replace(gate, next_at=next_at if granted else min(gate.next_at, latest_at))
    return Admission(granted, 0.0 if granted == count else max(next_at - earlier_s - now, 0.0)), after


def _hold(gate: Gate, failure: Failure, now: float) -> Gate:
    """Left alone as the provider asked, and for no shorter a time than it asked for before."""
    rested, until = replace(gate, probing_until=0.0), now + asked_wait_s(failure)
    if until <= max(gate.held_until, now):
        return rested
    since = gate.held_since if gate.held_until > now else now
    return replace(rested, held_until=until, held_since=since, held_by=reason_of(failure))


def _in_trouble(gate: Gate, failure: Failure, policy: CircuitPolicy, now: float, draw: float) -> Gate:
    """Those that were under way when the circuit opened fail after it, and make it no worse."""
    if gate.trips and now < gate.shut_until:
        return gate
    failures = gate.failures + 1
    after = replace(gate, failures=failures, reason=reason_of(failure), probing_until=0.0)
    if failures < policy.failures and not gate.trips:
        return after
    trips = gate.trips + 1
    open_s = min(max(policy.open_s(trips, draw), asked_wait_s(failure)), LONGEST_S)
    since = gate.shut_since if gate.trips else now
    return replace(after, trips=trips, shut_until=now + open_s, shut_since=since)
