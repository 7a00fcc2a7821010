"""Counters of days and owners say what the rows say, whatever happens to tasks and in whatever order."""

import asyncio
import random
from collections import Counter
from dataclasses import replace
from decimal import Decimal

import pytest

from genpulse.adapters.memory.tasks.store import MemoryTaskStore
from genpulse.domain.attempt import Canceled, Failed, Released, RetryLater, Succeeded
from genpulse.domain.errors import BudgetExceeded, IdempotencyKeyReuse, KeyLimitExceeded, NotRetryable
from genpulse.domain.failure import Actor, Charged, Failure, FailureCode
from genpulse.domain.keys.api_key import KeyLimits
from genpulse.domain.money.allowance import ScopeUsage
from genpulse.domain.money.cost import Cost
from genpulse.domain.money.ledger import Balance
from genpulse.domain.money.spending import SpendingLimits
from tests.contract.conftest import new_task
from tests.contract.ledger_books import check_ledger, entries_of
from tests.queues import depth_of

OWNERS = ("", "anna", "bert")
PRICES = (None, Decimal(0), Decimal("0.04"), Decimal("1.5"))
COSTS = (None, "0", "0.03", "2.25", "NaN", "Infinity", "-1")

RECOUNT = """
SELECT owner, count(*) AS tasks, count(*) FILTER (WHERE finished_at IS NULL) AS active FROM tasks GROUP BY owner
"""

COUNTED = """
SELECT owner, sum(active)::int AS active, sum(tasks)::int AS tasks, sum(usd) AS usd FROM spending GROUP BY owner
"""


def failure(charged):
    return Failure(FailureCode.TIMEOUT, "", retryable=True, charged=charged, who_must_act=Actor.NOBODY)


async def recounted(backend):
    """Tasks and live tasks of each owner from their rows, and dollars from the ledger."""
    usd = Counter()
    for entry in await entries_of(backend.store):
        usd[entry.owner] += Balance.of([entry]).counted_usd
    if isinstance(backend.store, MemoryTaskStore):
        tasks = backend.store.all_tasks()
        counts = Counter(task.owner for task in tasks)
        live = Counter(task.owner for task in tasks if not task.status.ended)
        return {
            owner: ScopeUsage(live[owner], count, *[Decimal(usd[owner])] * 2) for owner, count in counts.items()
        }
    rows = await backend.store._pool.fetch(RECOUNT)
    dollars = {owner: Decimal(amount) for owner, amount in usd.items()}
    return {
        row["owner"]: ScopeUsage(row["active"], row["tasks"], *[dollars.get(row["owner"], Decimal(0))] * 2)
        for row in rows
    }


async def counted(backend, owners):
    if isinstance(backend.store, MemoryTaskStore):
        return {owner: await backend.store.usage(owner) for owner in owners}
    rows = await backend.store._pool.fetch(COUNTED)
    found = {row["owner"]: ScopeUsage(row["active"], row["tasks"], row["usd"], row["usd"]) for row in rows}
    return {owner: found.get(owner, ScopeUsage(0, 0, Decimal(0))) for owner in owners}


async def check_books(backend):
    await check_ledger(backend.store)
    rows = await recounted(backend)
    named = [owner for owner in rows if owner]
    assert await counted(backend, named) == {owner: rows[owner] for owner in named}
    assert await backend.store.spent_usd() == sum((usage.today_usd for usage in rows.values()), Decimal(0))


class Play:
    """Does something to some task, again and again."""

    def __init__(self, backend, seed):
        self.backend, self.store, self.random = backend, backend.store, random.Random(seed)
        self.held, self.known, self.number = {}, [], 0

    def steps(self):
        return (self.submit, self.submit, self.submit_batch, self.replay, self.claim, self.claim, self.finish)

    def more_steps(self):
        return (self.finish, self.finish, self.cancel, self.retry, self.expire, self.order, self.take_over)

    def new(self, **changes):
        pick = self.random.choice
        return new_task(owner=pick(OWNERS), price_usd=pick(PRICES), **changes)

    async def submit(self):
        self.number += 1
        new = self.new(idempotency_key=f"k{self.number}", deadline_s=self.random.choice([None, None, 0.0]))
        limits = SpendingLimits(self.random.choice([None, Decimal(15)]), KeyLimits(max_active_tasks=9))
        try:
            await self.store.submit(new, limits)
        except (BudgetExceeded, KeyLimitExceeded):
            return
        self.known.append(new)

    async def submit_batch(self):
        new = self.new()
        batch = [replace(self.new(), owner=new.owner) for _ in range(3)]
        try:
            await self.store.submit_batch(batch, SpendingLimits(Decimal(20), KeyLimits(daily_tasks=60)))
        except (BudgetExceeded, KeyLimitExceeded):
            return
        self.known += batch

    async def replay(self):
        keyed = [task for task in self.known if task.idempotency_key]
        if keyed:
            known = self.random.choice(keyed)
            again = replace(self.new(), owner=known.owner, idempotency_key=known.idempotency_key)
            assert (await self.store.submit(again)).task.id == known.id
            with pytest.raises(IdempotencyKeyReuse):
                await self.store.submit_batch([self.new(), replace(again, fingerprint="other")])

    async def claim(self):
        for begun in await self.backend.claim(at_most=2):
            self.held[begun.task.id] = begun.lease

    async def take_over(self):
        await self.store.leave(self.backend.worker)
        self.held = {one.task.id: one.lease for one in await self.backend.taken_over()} if self.held else {}

    async def order(self):
        if self.held:
            lease = self.random.choice(list(self.held.values()))
            await self.store.journal_order(lease)
            await self.store.hold_price(await self.store.get(lease.task_id), SpendingLimits(Decimal(1000)))

    async def finish(self):
        if not self.held:
            return
        task_id = self.random.choice(list(self.held))
        cost = self.random.choice(COSTS)
        charged = failure(self.random.choice(list(Charged)))
        outcomes = (
            Succeeded((), Cost(Decimal(cost)) if cost else None),
            Failed(charged),
            RetryLater(charged, 0.0, self.random.random() < 0.5),
            Canceled(),
            Released(),
        )
        open_too = self.random.random() < 0.3
        await self.backend.end(self.held.pop(task_id), self.random.choice(outcomes), order_open=open_too)

    async def cancel(self):
        if self.known:
            await self.store.cancel(self.random.choice(self.known).id)

    async def retry(self):
        for task in self.random.sample(self.known, min(len(self.known), 4)):
            try:
                await self.store.retry(task.id, keeps_order=self.random.random() < 0.5)
            except NotRetryable:
                continue

    async def expire(self):
        await self.store.expire()


@pytest.mark.parametrize("seed", range(12))
async def test_counters_are_what_a_recount_gives(backend, seed):
    play = Play(backend, seed)
    for _ in range(60):
        await play.random.choice((*play.steps(), *play.more_steps()))()
        await check_books(backend)
    assert any(usage.today_usd for usage in (await recounted(backend)).values())


async def test_many_at_once_leave_the_counters_right(backend):
    """Owners are mixed, so that whoever locks two counters in different orders would wait for ever."""
    play = Play(backend, 7)
    await asyncio.gather(*(backend.store.submit(play.new()) for _ in range(120)))
    begun = await backend.claim(at_most=100)
    outcomes = (Succeeded((), Cost(Decimal("0.3"))), Failed(failure(Charged.YES)), Released(), Canceled())
    await asyncio.gather(
        *(backend.end(one.lease, play.random.choice(outcomes)) for one in begun),
        *(backend.store.submit(play.new(), SpendingLimits(Decimal(10**6))) for _ in range(60)),
        *(backend.store.cancel(one.task.id) for one in begun[:50]),
    )
    await check_books(backend)


@pytest.mark.parametrize(
    ("limits", "refusal"),
    [
        (SpendingLimits(Decimal("1.00")), BudgetExceeded),
        (SpendingLimits(key=KeyLimits(daily_usd=Decimal("1.00"))), KeyLimitExceeded),
        (SpendingLimits(key=KeyLimits(daily_tasks=10)), KeyLimitExceeded),
        (SpendingLimits(key=KeyLimits(max_active_tasks=10)), KeyLimitExceeded),
    ],
)
async def test_as_many_are_taken_as_fit_and_not_one_more(backend, limits, refusal):
    tasks = [new_task(owner="anna", price_usd=Decimal("0.10")) for _ in range(30)]
    answers = await asyncio.gather(*(backend.store.submit(task, limits) for task in tasks), return_exceptions=True)
    assert Counter(type(answer) for answer in answers if isinstance(answer, Exception)) == {refusal: 20}
    assert await depth_of(backend.queue) == 10
    await check_books(backend)
    with pytest.raises(refusal):
        await backend.store.submit(new_task(owner="anna", price_usd=Decimal("0.10")), limits)


async def test_who_does_not_fit_holds_no_neighbour_up(backend):
    limits = SpendingLimits(Decimal("1.00"))
    prices = ["0.90", "0.90", "0.10", "0.00", "0.05", "5.00"]
    tasks = [new_task(price_usd=Decimal(price)) for price in prices]
    answers = await asyncio.gather(*(backend.store.submit(task, limits) for task in tasks), return_exceptions=True)
    assert [isinstance(answer, BudgetExceeded) for answer in answers] == [False, True, False, False, True, True]


async def test_a_replay_takes_no_room(backend):
    limits = SpendingLimits(Decimal("0.20"))
    keyed = new_task(price_usd=Decimal("0.10"), idempotency_key="k")
    await backend.store.submit(keyed, limits)
    again = replace(new_task(price_usd=Decimal("0.10")), idempotency_key="k")
    other = new_task(price_usd=Decimal("0.10"))
    replayed, taken = await asyncio.gather(
        backend.store.submit(again, limits), backend.store.submit(other, limits)
    )
    assert (replayed.replayed, replayed.task.id, taken.replayed) == (True, keyed.id, False)
    assert await backend.store.spent_usd() == Decimal("0.20")


async def test_a_batch_that_does_not_fit_as_a_whole_is_not_written_at_all(backend):
    limits = SpendingLimits(key=KeyLimits(max_active_tasks=2))
    batch = [new_task(owner="anna", price_usd=Decimal(1)) for _ in range(3)]
    with pytest.raises(KeyLimitExceeded, match="would make 3"):
        await backend.store.submit_batch(batch, limits)
    assert await depth_of(backend.queue) == 0
    assert await backend.store.spent_usd() == 0
    assert len(await backend.store.submit_batch(batch[:2], limits)) == 2
    assert await backend.store.submit_batch([], limits) == ()


async def test_a_retry_that_does_not_fit_changes_nothing(backend):
    price = Decimal("0.10")
    failed = [await backend.begun(owner="anna", price_usd=price) for _ in range(4)]
    for begun in failed:
        await backend.end(begun.lease, Failed(failure(Charged.NO)))
    limits = SpendingLimits(2 * price)
    answers = await asyncio.gather(
        *(backend.store.retry(begun.task.id, limits=limits) for begun in failed), return_exceptions=True
    )
    assert sum(isinstance(answer, BudgetExceeded) for answer in answers) == 2
    assert await depth_of(backend.queue) == 2
    with pytest.raises(KeyLimitExceeded):
        await backend.store.retry(
            next(
                begun.task.id
                for begun, answer in zip(failed, answers, strict=True)
                if isinstance(answer, Exception)
            ),
            limits=SpendingLimits(key=KeyLimits(max_active_tasks=2, daily_tasks=0)),
        )
    await check_books(backend)


async def test_the_price_is_looked_at_again_before_it_is_paid(backend):
    price = Decimal("0.10")
    first, second = await backend.begun(price_usd=price), await backend.begun(price_usd=price)
    await backend.store.hold_price(first.task, SpendingLimits(2 * price))
    with pytest.raises(BudgetExceeded, match=r"costs 0.10 USD, and 0.10 of today's 0.15 USD"):
        await backend.store.hold_price(second.task, SpendingLimits(Decimal("0.15")))
    await backend.end(second.lease, Failed(failure(Charged.NO)))
    await backend.store.hold_price(first.task, SpendingLimits(Decimal("0.15")))


async def test_prices_that_are_looked_at_at_once_are_held_to_their_own_limits(backend):
    prices = [Decimal("0.10"), Decimal("0.20"), Decimal("0.40"), None]
    begun = [await backend.begun(price_usd=price, owner=f"key {price}") for price in prices]
    limits = [
        SpendingLimits(Decimal("0.70")),
        SpendingLimits(Decimal("0.69")),
        SpendingLimits(key=KeyLimits(monthly_usd=Decimal("0.40"))),
        SpendingLimits(Decimal("0.01")),
    ]
    held = await asyncio.gather(
        *(backend.store.hold_price(one.task, limit) for one, limit in zip(begun, limits, strict=True)),
        return_exceptions=True,
    )
    assert [type(one) for one in held] == [type(None), BudgetExceeded, type(None), type(None)]
    await check_books(backend)
