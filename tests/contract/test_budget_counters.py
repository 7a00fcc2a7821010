"""Counters of all, of providers, keys and end customers say what a plain model says, whatever happens and when."""

import asyncio
import random
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genpulse.adapters.database.queue.task_queue import PostgresTaskQueue
from genpulse.adapters.database.tasks.store import PostgresTaskStore
from genpulse.adapters.memory.queue.task_queue import MemoryTaskQueue
from genpulse.adapters.memory.tasks.store import MemoryTaskStore
from genpulse.adapters.postgresql.connections import open_pool
from genpulse.domain.attempt import Canceled, Failed, Lease, Released, RetryLater, Succeeded
from genpulse.domain.errors import BudgetExceeded, KeyLimitExceeded
from genpulse.domain.failure import Actor, Charged, Failure, FailureCode
from genpulse.domain.keys.api_key import KeyLimits
from genpulse.domain.money.allowance import ENVIRONMENT, Allowance, BudgetScope, LimitUse, ScopeKind, ScopeUsage
from genpulse.domain.money.cost import Cost
from genpulse.domain.money.spending import SpendingLimits
from genpulse.domain.task import NewTask, TaskStatus
from tests.contract.conftest import Backend, new_task
from tests.database_clock import make_clock, set_clock
from tests.drawn import examples

START = datetime(2027, 1, 30, 22, tzinfo=UTC)
OWNERS = ("", "0190a1b2-0000-7000-8000-00000000000a", "0190a1b2-0000-7000-8000-00000000000b")
PROVIDERS = ("sandbox", "limited")
CUSTOMERS = ("acme", "Müller & Co")
PRICES = (None, Decimal(0), Decimal("0.04"), Decimal("1.5"))
COSTS = (None, Decimal(0), Decimal("0.03"), Decimal("2.25"))
LARGE = Decimal(1000)


TIGHT = {"max_active_tasks": 2, "daily_tasks": 3, "daily_usd": Decimal(2), "monthly_usd": Decimal(4)}
ALL = [
    (kind, name)
    for kind in ScopeKind
    for name in TIGHT
    if kind is not ScopeKind.CLIENT_TOKEN and (name.endswith("usd") or kind in {ScopeKind.KEY, ScopeKind.CUSTOMER})
]
"""A client token has limits of no day: `test_client_tokens.py` plays those."""


def limits_of(*names: tuple[ScopeKind, str]) -> SpendingLimits:
    """A few of all limits."""
    chosen = {kind: {} for kind in ScopeKind}
    for kind, name in names:
        chosen[kind][name] = TIGHT[name]
    customer = Allowance(**chosen[ScopeKind.CUSTOMER])
    return SpendingLimits(
        **{"daily_usd": LARGE, **chosen[ScopeKind.ENVIRONMENT]},
        key=KeyLimits(limit_by="customer", customer=customer, **chosen[ScopeKind.KEY]),
        providers={"limited": Allowance(**chosen[ScopeKind.PROVIDER])},
    )


SCOPES = (
    ENVIRONMENT,
    *(BudgetScope(ScopeKind.PROVIDER, name) for name in PROVIDERS),
    *(BudgetScope(ScopeKind.KEY, owner) for owner in OWNERS if owner),
    *(BudgetScope(ScopeKind.CUSTOMER, name, owner) for owner in OWNERS if owner for name in CUSTOMERS),
)


@dataclass
class Known:
    """A task as the model knows it: which day it counts on, and whether it lives."""

    new: NewTask
    day: datetime
    lives: bool = True
    failed: bool = False

    @property
    def price(self) -> Decimal:
        return self.new.price_usd or Decimal(0)

    @property
    def scopes(self) -> list[BudgetScope]:
        owner, customer = self.new.owner, self.new.metadata["customer"]
        own = (
            [BudgetScope(ScopeKind.KEY, owner), BudgetScope(ScopeKind.CUSTOMER, customer, owner)] if owner else []
        )
        return [ENVIRONMENT, BudgetScope(ScopeKind.PROVIDER, self.new.provider), *own]


@dataclass
class Model:
    """Every amount that was ever added, with its day: sums are made anew each time."""

    limits: SpendingLimits
    now: datetime = START
    tasks: dict[UUID, Known] = field(default_factory=dict)
    amounts: list[tuple[datetime, BudgetScope, Decimal]] = field(default_factory=list)
    submits: list[tuple[datetime, BudgetScope]] = field(default_factory=list)

    @property
    def today(self) -> datetime:
        return self.now.replace(hour=0)

    def add(self, known: Known, usd: Decimal) -> None:
        self.amounts += [(known.day, scope, usd) for scope in known.scopes]

    def submit(self, new: NewTask) -> None:
        known = self.tasks[new.id] = Known(new, self.today)
        self.submits += [(known.day, scope) for scope in known.scopes]
        self.add(known, known.price)

    def usage(self, scope: BudgetScope) -> ScopeUsage:
        counts_tasks = scope.kind in {ScopeKind.KEY, ScopeKind.CUSTOMER}
        usd = defaultdict(Decimal)
        for day, whose, amount in self.amounts:
            if whose == scope:
                usd[day] += amount
        month = [amount for day, amount in usd.items() if (day.year, day.month) == (self.now.year, self.now.month)]
        return ScopeUsage(
            sum(known.lives and scope in known.scopes for known in self.tasks.values()) if counts_tasks else 0,
            self.submits.count((self.today, scope)) if counts_tasks else 0,
            usd[self.today],
            sum(month, Decimal(0)),
        )

    def fits(self, tasks: list[NewTask], *, again: bool = False) -> bool:
        for scope in SCOPES:
            ours = [task for task in tasks if scope in Known(task, self.now).scopes]
            price, usage = sum((task.price_usd or Decimal(0) for task in ours), Decimal(0)), self.usage(scope)
            allowance = self.limits.allowance_of(scope)
            for used, more, limit in (
                (usage.active_tasks, len(ours), allowance.max_active_tasks),
                (usage.today_tasks, 0 if again else len(ours), allowance.daily_tasks),
                (usage.today_usd, price, allowance.daily_usd),
                (usage.month_usd, price, allowance.monthly_usd),
            ):
                if limit is not None and more and used + more > limit:
                    return False
        return True


def failure(charged: Charged) -> Failure:
    return Failure(FailureCode.TIMEOUT, "", retryable=True, charged=charged, who_must_act=Actor.NOBODY)


class Play:
    """Does something to some task, again and again, and tells the model."""

    def __init__(
        self,
        backend: Backend,
        chance: random.Random,
        limits: SpendingLimits,
        set_now: Callable[[datetime], Awaitable[None]],
    ) -> None:
        self.backend, self.store, self.random = backend, backend.store, chance
        self.set_now, self.limits = set_now, limits
        self.model = Model(self.limits)
        self.held: dict[UUID, Lease] = {}
        self.refusals: list[LimitUse] = []

    async def turn(self) -> None:
        steps = (self.submit, self.submit, self.submit_batch, self.claim, self.claim, self.finish, self.finish)
        more = (self.pay, self.pay, self.cancel, self.retry, self.retry, self.expire, self.wait)
        await self.random.choice((*steps, *more))()
        counted = await self.store.counted(SCOPES)
        for scope in SCOPES:
            usage = counted.usage_of(scope.counter)
            expected = self.model.usage(scope)
            assert tracked(scope, usage) == expected, scope
            assert min(usage.active_tasks, usage.today_tasks, usage.today_usd, usage.month_usd) >= 0, scope

    def new(self, owner: str | None = None) -> NewTask:
        pick = self.random.choice
        return new_task(
            owner=pick(OWNERS) if owner is None else owner,
            provider=pick(PROVIDERS),
            price_usd=pick(PRICES),
            metadata={"customer": pick(CUSTOMERS)},
            deadline_s=pick([None, None, 3600.0]),
        )

    async def write(self, tasks: list[NewTask], act: Awaitable[object]) -> None:
        fits = self.model.fits(tasks)
        try:
            await act
        except (BudgetExceeded, KeyLimitExceeded) as error:
            self.refusals.append(error.use)
            was_taken = False
        else:
            was_taken = True
        assert was_taken is fits
        if not was_taken:
            return
        for task in tasks:
            self.model.submit(task)

    async def submit(self) -> None:
        new = self.new()
        await self.write([new], self.store.submit(new, self.limits))

    async def submit_batch(self) -> None:
        owner = self.random.choice(OWNERS)
        batch = [self.new(owner) for _ in range(3)]
        await self.write(batch, self.store.submit_batch(batch, self.limits))

    async def claim(self) -> None:
        for begun in await self.backend.claim(*PROVIDERS, at_most=2):
            self.held[begun.task.id] = begun.lease

    async def pay(self) -> None:
        if not self.held:
            return
        task_id = self.random.choice(list(self.held))
        known, model = self.model.tasks[task_id], self.model
        carried = known.day < model.today and bool(known.price)
        before = known.day
        if carried:
            self.move(known, model.today)
        others = [
            (usage.today_usd, usage.month_usd, self.limits.allowance_of(scope))
            for scope in known.scopes
            for usage in [model.usage(scope)]
        ]
        fits = not known.price or all(
            (limit.daily_usd is None or day <= limit.daily_usd)
            and (limit.monthly_usd is None or month <= limit.monthly_usd)
            for day, month, limit in others
        )
        try:
            await self.store.hold_price(await self.store.get(task_id), self.limits)
        except (BudgetExceeded, KeyLimitExceeded):
            assert not fits
            if carried:
                self.move(known, before)
        else:
            assert fits

    def move(self, known: Known, day: datetime) -> None:
        self.model.add(known, -known.price)
        known.day = day
        self.model.add(known, known.price)

    async def finish(self) -> None:
        if not self.held:
            return
        task_id = self.random.choice(list(self.held))
        known, cost = self.model.tasks[task_id], self.random.choice(COSTS)
        charged = self.random.choice(list(Charged))
        outcomes = (
            Succeeded((), Cost(cost) if cost is not None else None),
            Failed(failure(charged)),
            RetryLater(failure(charged), 0.0, counts=False),
            Canceled(),
            Released(),
        )
        outcome = self.random.choice(outcomes)
        await self.backend.end(self.held.pop(task_id), outcome)
        status = (await self.store.get(task_id)).status
        known.lives, known.failed = not status.ended, status is TaskStatus.FAILED
        if isinstance(outcome, Succeeded) and cost is not None:
            self.model.add(known, cost - known.price)
        elif status.ended and status is not TaskStatus.SUCCEEDED:
            self.model.add(known, -known.price)
        if isinstance(outcome, Failed | RetryLater) and charged is not Charged.NO:
            self.model.add(known, known.price)

    async def cancel(self) -> None:
        if not self.model.tasks:
            return
        known = self.random.choice(list(self.model.tasks.values()))
        await self.store.cancel(known.new.id)
        self.gone(known, (await self.store.get(known.new.id)).status, TaskStatus.CANCELED)

    def gone(self, known: Known, status: TaskStatus, as_: TaskStatus) -> None:
        if known.lives and status is as_:
            known.lives, known.failed = False, status is TaskStatus.FAILED
            self.model.add(known, -known.price)

    async def retry(self) -> None:
        failed = [known for known in self.model.tasks.values() if known.failed]
        if not failed:
            return
        known = self.random.choice(failed)
        fits = self.model.fits([known.new], again=True)
        try:
            await self.store.retry(known.new.id, limits=self.limits)
        except (BudgetExceeded, KeyLimitExceeded):
            assert not fits
            return
        assert fits
        known.day, known.lives, known.failed = self.model.today, True, False
        self.model.add(known, known.price)

    async def expire(self) -> None:
        for task in await self.store.expire():
            self.gone(self.model.tasks[task.id], task.status, TaskStatus.FAILED)

    async def wait(self) -> None:
        """An hour or a day; now and then the clock goes back over midnight."""
        hours = self.random.choice([1, 2, 24, 24, -1])
        self.model.now = max(START, self.model.now + timedelta(hours=hours))
        await self.set_now(self.model.now)


def tracked(scope: BudgetScope, usage: ScopeUsage) -> ScopeUsage:
    """Tasks are counted for keys and customers alone."""
    if scope.kind in {ScopeKind.KEY, ScopeKind.CUSTOMER}:
        return usage
    return ScopeUsage(0, 0, usage.today_usd, usage.month_usd)


def some_limits(chance: random.Random) -> SpendingLimits:
    return limits_of(*chance.sample(ALL, chance.randint(1, 3)))


async def play_in_memory(chance: random.Random, limits: SpendingLimits, turns: int) -> list[LimitUse]:
    clock = [START]

    async def set_now(at: datetime) -> None:
        clock[0] = at

    queue = MemoryTaskQueue()
    play = Play(Backend(MemoryTaskStore(queue, now=lambda: clock[0]), queue), chance, limits, set_now)
    for _ in range(turns):
        await play.turn()
    return play.refusals


@settings(max_examples=examples(20), deadline=None)
@given(st.randoms(use_true_random=False))
def test_counters_in_memory_are_those_of_the_model(chance):
    asyncio.run(play_in_memory(chance, some_limits(chance), 40))


@pytest.mark.parametrize("one", ALL)
def test_each_limit_is_met_by_what_is_played(one):
    """Else the play would say nothing of it."""
    assert any(asyncio.run(play_in_memory(random.Random(seed), limits_of(one), 60)) for seed in range(16))


@pytest.mark.parametrize("seed", range(2))
async def test_counters_of_the_database_are_those_of_the_model(own_database_url, seed):
    await make_clock(own_database_url, START)
    pool = await open_pool(own_database_url, size=3, application_name="tests")
    queue = PostgresTaskQueue(pool, own_database_url)
    chance, backend = random.Random(seed), Backend(PostgresTaskStore(pool), queue)
    play = Play(backend, chance, some_limits(chance), lambda at: set_clock(pool, at))
    for _ in range(120):
        await play.turn()
    await queue.close()
    await play.store.close()
    await pool.close()
