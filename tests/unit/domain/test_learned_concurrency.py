"""How many tasks at once an account is asked for, as its refusals teach."""

import heapq
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genpulse.domain.failure import Actor, Charged, Failure, FailureCode
from genpulse.domain.provider_account.gate import Admission, CircuitPolicy, Gate, LearnedLimit
from genpulse.domain.provider_account.learned_concurrency import (
    CLOCK_SET_BACK_S,
    FORGOTTEN_S,
    NOTHING_LEARNED,
    RAISED_AFTER,
    RAISED_AFTER_S,
    REFUSED_AGAIN_AFTER,
    REFUSED_AGAIN_AFTER_S,
    LearnedConcurrency,
    Load,
)
from genpulse.domain.provider_account.rate import Rate

NOW = 1_000_000.0
POLICY = CircuitPolicy()
REFUSED = Failure(FailureCode.RATE_LIMITED, "429", True, Charged.NO, Actor.NOBODY)
ONCE = Load(40, 0.0)


def learned(most: int, refused_at: int = 0, at: float = NOW) -> LearnedConcurrency:
    return LearnedConcurrency(most, refused_at or 2 * most, at, at)


@pytest.mark.parametrize(("running", "most"), [(40, 20), (9, 4), (3, 1), (2, 1), (1, 0), (0, 0)])
def test_a_refusal_halves_what_runs_and_one_that_runs_alone_teaches_nothing(running, most):
    assert NOTHING_LEARNED.lowered(Load(running, 0.0), NOW).most == most


def test_of_what_runs_no_more_counts_than_may_run():
    assert learned(8).lowered(Load(40, 0.0), NOW + 1).most == 4
    assert learned(8).lowered(Load(4, 0.0), NOW + 1).most == 2
    assert Load(40, 0.0).within(6) == Load(6, 0.0)
    assert Load(4, 0.0).within(6) == Load(4, 0.0) == Load(4, 0.0).within(None)


def test_a_burst_counts_once():
    burst = NOTHING_LEARNED
    for late_s in range(50):
        burst = burst.lowered(Load(50 - late_s, 10.0 + late_s), NOW + late_s)
    assert (burst.most, burst.lowered_at) == (25, NOW)
    assert burst.lowered(Load(25, 40.0), NOW + 50).most == 12, "began since"


def test_so_many_tasks_raise_it_by_one():
    raised = learned(4)
    for _ in range(RAISED_AFTER):
        assert raised.most == 4
        raised = raised.raised(None, NOW + 1)
    assert (raised.most, raised.taken, raised.changed_at) == (5, 0, NOW + 1)


def test_the_number_that_was_refused_last_takes_more():
    raised = learned(4, refused_at=5)
    for _ in range(4 * REFUSED_AGAIN_AFTER):
        assert raised.most == 4
        raised = raised.raised(None, NOW + 1)
    assert raised.most == 5


@pytest.mark.parametrize(("refused_at", "after_s"), [(9, RAISED_AFTER_S), (5, REFUSED_AGAIN_AFTER_S)])
def test_one_task_raises_it_after_so_many_seconds(refused_at, after_s):
    assert learned(4, refused_at).raised(None, NOW + after_s - 0.1).most == 4
    assert learned(4, refused_at).raised(None, NOW + after_s).most == 5


@pytest.mark.parametrize("configured", [1, 4, 5])
def test_where_all_that_is_configured_may_run_nothing_is_learned(configured):
    assert learned(4).raised(configured, NOW + RAISED_AFTER_S) == NOTHING_LEARNED


@pytest.mark.parametrize("moment", [NOW + FORGOTTEN_S, NOW - CLOCK_SET_BACK_S - 1, NOW - 90_000])
def test_it_is_forgotten_after_an_hour_and_where_the_clock_was_set_back(moment):
    gate = Gate(learned=learned(4))
    assert gate.admit(None, 9, moment) == (Admission(9), Gate())
    assert gate.circuit(moment).learned is None
    assert gate.learned.raised(None, moment) == NOTHING_LEARNED
    assert gate.learned.lowered(Load(6, 0.0), moment).most == 3


def test_the_gate_lets_no_more_through_and_says_how_many_may_run_and_since_when():
    gate = Gate().failed(REFUSED, POLICY, NOW, 1.0, Load(8, 0.0))
    assert gate.admit(None, 9, NOW + 2)[0] == Admission(4, 0.0, seats=4)
    assert gate.admit(Rate.parse("1/s"), 9, NOW + 2)[0] == Admission(1, pytest.approx(1), seats=4)
    assert gate.circuit(NOW + 2).learned == LearnedLimit(4, 2.0)
    assert gate.answered().learned == gate.learned, "an answer that took no task"


@pytest.mark.parametrize("code", [code for code in FailureCode if code is not FailureCode.RATE_LIMITED])
def test_no_other_failure_teaches_anything(code):
    failure = Failure(code, "no", True, Charged.NO, Actor.NOBODY)
    gate = Gate(learned=learned(4))
    assert gate.failed(failure, POLICY, NOW + 1, 1.0, ONCE).learned == gate.learned
    assert gate.failed(REFUSED, POLICY, NOW + 1, 1.0).learned == gate.learned, "nobody knows under which load"


LOADS = st.builds(Load, st.integers(0, 300), st.floats(0, 100))
STEPS = st.lists(st.tuples(st.floats(-90, 4000), st.one_of(st.none(), LOADS)), max_size=200)


@given(st.one_of(st.none(), st.integers(1, 60)), STEPS)
def test_it_stays_between_one_and_what_is_configured(configured, steps):
    """A refusal never raises it, and a task that is taken never lowers it; each moves it by its rule."""
    now, held = NOW, NOTHING_LEARNED
    for pause_s, load in steps:
        now += pause_s
        before = held.believed(now)
        held = held.lowered(load.within(configured), now) if load else held.raised(configured, now)
        assert held == NOTHING_LEARNED or held.most >= 1
        assert configured is None or held.most < max(configured, 2)
        if load:
            assert held == before or 1 <= held.most <= max(load.running // 2, 1)
            assert not before.most or held.most in {before.most, before.most // 2, load.running // 2}
        else:
            assert held == NOTHING_LEARNED or held.most in {before.most, before.most + 1}


@given(st.integers(1, 500), LOADS, LOADS, st.floats(0, 200))
def test_a_greater_load_leaves_no_less(most, one, other, after_s):
    less, more = sorted((one, other), key=lambda load: load.running)
    more = Load(more.running, less.age_s)
    held, now = learned(most), NOW + after_s
    outcomes = [held.lowered(load, now).most for load in (less, more) if load.running > 1]
    assert outcomes == sorted(outcomes)


@dataclass
class Vendor:
    """Takes so many at once by the time it is asked, and needs a second or three for each."""

    takes: Callable[[float], int]
    works: int = 0


@dataclass
class Simulation:
    """Workers with one gate before one vendor, in virtual time: a heap of what happens when."""

    vendor: Vendor
    learns: bool = True
    told_at_end: bool = True
    configured: int | None = None
    workers: int = 1
    room: int = 50
    gate: Gate = field(default_factory=Gate)
    now: float = NOW
    waiting: int = 0
    taken: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    most_at_once: int = 0

    def __post_init__(self):
        self.random = random.Random(7)
        self.running = [0] * self.workers
        self._numbers, self._events = itertools.count(), []

    def run(self, tasks: int, until_s: float = 1e9) -> "Simulation":
        self.waiting += tasks
        self._claim()
        while self._events and self._events[0][0] < NOW + until_s:
            self.now, _, happens, *more = heapq.heappop(self._events)
            happens(*more)
            self._claim()
        return self

    def _in(self, seconds: float, happens: Callable[..., None], *more: object) -> None:
        heapq.heappush(self._events, (self.now + seconds, next(self._numbers), happens, *more))

    def _claim(self) -> None:
        for worker in self.random.sample(range(self.workers), self.workers):
            room = self.room - self.running[worker]
            if not room or not self.waiting:
                continue
            admission, self.gate = self.gate.admit(None, room, self.now)
            seats = min((n for n in (admission.seats, self.configured) if n is not None), default=10**9)
            count = max(min(admission.granted, self.waiting, seats - sum(self.running)), 0)
            self.waiting -= count
            self.running[worker] += count
            self.most_at_once = max(self.most_at_once, sum(self.running))
            for _ in range(count):
                self._in(self.random.uniform(0.02, 0.1), self._asked, worker, self.now)

    def _asked(self, worker: int, began_at: float) -> None:
        if self.vendor.works >= self.vendor.takes(self.now - NOW):
            self._in(self.random.uniform(0.02, 0.1), self._was_refused, worker, began_at)
            return
        self.vendor.works += 1
        if not self.told_at_end:
            self.gate = self.gate.succeeded(self.configured, self.now)
        self._in(self.random.uniform(1, 3), self._ends, worker)

    def _ends(self, worker: int) -> None:
        self.vendor.works -= 1
        self.running[worker] -= 1
        self.taken.append(self.now - NOW)
        if self.told_at_end:
            self.gate = self.gate.succeeded(self.configured, self.now)

    def _was_refused(self, worker: int, began_at: float) -> None:
        load = Load(sum(self.running), self.now - began_at).within(self.configured)
        self.gate = self.gate.failed(REFUSED, POLICY, self.now, 1.0, load if self.learns else None)
        self.refused.append(self.now - NOW)
        self.running[worker] -= 1
        self._in(self.random.uniform(0.5, 1.5), self._due)

    def _due(self) -> None:
        self.waiting += 1

    def share(self, from_s: float = 0.0, until_s: float = 1e9) -> float:
        """How many of what the vendor was asked in that time it refused."""
        refused, taken = (sum(from_s <= at < until_s for at in one) for one in (self.refused, self.taken))
        return refused / (refused + taken)

    def busy(self, from_s: float, until_s: float) -> float:
        """How many the vendor had at once in that time, on average: each takes two seconds."""
        return 2 * sum(from_s <= at < until_s for at in self.taken) / (until_s - from_s)


@pytest.mark.parametrize(
    ("takes", "workers", "told_at_end"),
    [(3, 1, True), (3, 2, False), (10, 2, True), (40, 1, False), (40, 2, True)],
)
def test_it_settles_near_what_the_vendor_takes(takes, workers, told_at_end):
    """After a minute no more than 1 in 40 is refused; of those who do not learn, 3 in 4 are."""
    learns = Simulation(Vendor(lambda _: takes), workers=workers, told_at_end=told_at_end)
    learns.run(takes * 200, until_s=300)
    assert learns.share(60, 300) <= 0.025
    assert learns.busy(60, 300) >= 0.85 * takes
    naive = Simulation(Vendor(lambda _: takes), workers=workers, learns=False).run(takes * 20, until_s=10)
    assert naive.share(0, 10) >= 0.75


def test_it_finds_out_that_the_vendor_takes_more_or_less():
    vendor = Vendor(lambda second: 3 if second < 200 else 40 if second < 400 else 10)
    simulation = Simulation(vendor, workers=2).run(100_000, until_s=500)
    assert simulation.busy(50, 200) >= 2.4
    assert simulation.busy(320, 400) >= 33, "two minutes later"
    assert 8 <= simulation.busy(410, 500) <= 10.1
    assert simulation.share(50) <= 0.04


@pytest.mark.parametrize("takes", [1, 4, 7, 60])
def test_what_is_configured_is_never_exceeded(takes):
    simulation = Simulation(Vendor(lambda _: takes), configured=6, workers=3).run(300)
    assert simulation.most_at_once == 6
    assert len(simulation.taken) == 300
    assert not simulation.refused or takes < 6


def test_everything_is_done_where_the_vendor_takes_nothing_for_a_while():
    vendor = Vendor(lambda second: 0 if 20 < second < 40 else 8)
    simulation = Simulation(vendor, workers=2).run(300)
    assert len(simulation.taken) == 300
    assert sum(30 < at < 40 for at in simulation.refused) <= 10 / 0.04, "one by one"
