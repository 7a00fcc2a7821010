"""Two processes that spend the same budgets: as many tasks are taken as fit, whoever submits them and when."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from genpulse.adapters.database.queue.task_queue import PostgresTaskQueue
from genpulse.adapters.database.tasks.store import PostgresTaskStore
from genpulse.adapters.postgresql.connections import open_pool
from genpulse.domain.attempt import Canceled, Failed, Released, Succeeded
from genpulse.domain.errors import BudgetExceeded, CustomerLimitExceeded, KeyLimitExceeded
from genpulse.domain.failure import Charged
from genpulse.domain.keys.api_key import KeyLimits
from genpulse.domain.money.allowance import ENVIRONMENT, Allowance, BudgetScope, ScopeKind
from genpulse.domain.money.cost import Cost
from genpulse.domain.money.spending import SpendingLimits
from genpulse.domain.task import NewTask
from tests.contract.conftest import Backend, new_task
from tests.contract.test_money import failure
from tests.database_clock import make_clock, set_clock
from tests.queues import depth_of

PRICE = Decimal("0.10")
SUM = 50 * PRICE
KEY = "0190a1b2-0000-7000-8000-00000000000a"
PROVIDER = BudgetScope(ScopeKind.PROVIDER, "sandbox")


def of_provider(allowance: Allowance) -> SpendingLimits:
    return SpendingLimits(providers={"sandbox": allowance})


def of_customer(allowance: Allowance) -> SpendingLimits:
    return SpendingLimits(key=KeyLimits(limit_by="customer", customer=allowance))


@asynccontextmanager
async def processes(url: str, *names: str) -> AsyncIterator[Sequence[Backend]]:
    """Some that know nothing of each other but the database."""
    opened = []
    for name in names:
        pool = await open_pool(url, size=5, application_name=name)
        opened.append(Backend(PostgresTaskStore(pool), PostgresTaskQueue(pool, url)))
    yield opened
    for backend in opened:
        await backend.queue.close()
        await backend.store.close()
        await backend.store._pool.close()


def tasks_of(customer: str, count: int) -> list[NewTask]:
    metadata = {"customer": customer}
    return [new_task(owner=KEY, price_usd=PRICE, metadata=metadata) for _ in range(count)]


LIMITS = {
    "environment, day": (SpendingLimits(daily_usd=SUM), BudgetExceeded),
    "environment, month": (SpendingLimits(monthly_usd=SUM), BudgetExceeded),
    "provider, day": (of_provider(Allowance(daily_usd=SUM)), BudgetExceeded),
    "provider, month": (of_provider(Allowance(monthly_usd=SUM)), BudgetExceeded),
    "key, day": (SpendingLimits(key=KeyLimits(daily_usd=SUM)), KeyLimitExceeded),
    "key, month": (SpendingLimits(key=KeyLimits(monthly_usd=SUM)), KeyLimitExceeded),
    "customer, day": (of_customer(Allowance(daily_usd=SUM)), CustomerLimitExceeded),
    "customer, month": (of_customer(Allowance(monthly_usd=SUM)), CustomerLimitExceeded),
    "customer, tasks": (of_customer(Allowance(daily_tasks=50)), CustomerLimitExceeded),
    "customer, active": (of_customer(Allowance(max_active_tasks=50)), CustomerLimitExceeded),
}


@pytest.mark.parametrize(("limits", "refusal"), LIMITS.values(), ids=LIMITS)
async def test_of_two_hundred_at_once_there_is_money_for_fifty(migrated_url, limits, refusal):
    async with processes(migrated_url, "one", "two") as backends:
        submits = [
            backends[number % 2].store.submit(task, limits) for number, task in enumerate(tasks_of("acme", 200))
        ]
        answers = await asyncio.gather(*submits, return_exceptions=True)
        refused = [answer for answer in answers if isinstance(answer, Exception)]
        assert Counter(map(type, refused)) == {refusal: 150}
        assert {(answer.use.used, answer.use.limit) for answer in refused} == {
            (refused[0].use.limit, refused[0].use.limit)
        }
        assert await depth_of(backends[0].queue) == 50
        assert await backends[0].store.spent_usd() == SUM
        with pytest.raises(refusal):
            await backends[1].store.submit_batch(tasks_of("acme", 2), limits)


async def test_customers_of_a_key_do_not_share_what_each_may_do(migrated_url):
    limits = of_customer(Allowance(daily_tasks=5))
    tasks = [task for name in ("acme", "acme ", "ACME", "ü") for task in tasks_of(name, 12)]
    async with processes(migrated_url, "one", "two") as backends:
        submits = [backends[number % 2].store.submit(task, limits) for number, task in enumerate(tasks)]
        answers = await asyncio.gather(*submits, return_exceptions=True)
        taken = Counter(
            answer.task.metadata["customer"] for answer in answers if not isinstance(answer, Exception)
        )
        assert taken == dict.fromkeys(("acme", "acme ", "ACME", "ü"), 5)
        # A batch of two customers is one whole: it does not fit where one of them does not.
        mixed = [*tasks_of("new", 1), *tasks_of("acme", 1)]
        with pytest.raises(CustomerLimitExceeded, match="customer 'acme' of this API key"):
            await backends[0].store.submit_batch(mixed, limits)
        names = await backends[0].store._pool.fetch("SELECT owner FROM spending")
        assert not any("acme" in row["owner"].lower() for row in names)


LAST_DAY = datetime(2027, 1, 31, 23, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize("day", [14, 31])
async def test_a_month_is_one_budget_for_those_before_and_after_midnight(own_database_url, day):
    """One process sees a second before midnight, the other one a second after; of two months, each has its own."""
    before = LAST_DAY.replace(day=day)
    await make_clock(own_database_url, before, early=before, late=before + timedelta(seconds=2))
    limits = SpendingLimits(monthly_usd=SUM, providers={"sandbox": Allowance(monthly_usd=SUM)})
    async with processes(own_database_url, "early", "late") as backends:
        submits = [
            backends[number % 2].store.submit(task, limits) for number, task in enumerate(tasks_of("a", 200))
        ]
        answers = await asyncio.gather(*submits, return_exceptions=True)
        refused = [answer for answer in answers if isinstance(answer, Exception)]
        assert len(refused) == (150 if day == 14 else 100)
        months = [(await backend.store.counted([PROVIDER])).usage_of(PROVIDER.counter) for backend in backends]
        assert {usage.month_usd for usage in months} == {SUM}


_GATE = """
CREATE FUNCTION clock.wait_before_the_check() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
    IF pg_current_xact_id_if_assigned() IS NOT NULL AND current_query() LIKE '%AS wanted(owner)%' THEN
        PERFORM pg_advisory_xact_lock_shared(1);
    END IF;
    RETURN true;
END $$;
CREATE OR REPLACE FUNCTION clock.now() RETURNS timestamptz LANGUAGE sql AS $$
    SELECT at FROM clock.setting
    WHERE clock.wait_before_the_check() AND application = current_setting('application_name')
$$;
"""
_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


async def test_neither_of_two_days_is_looked_at_before_the_other_one_is_committed(own_database_url):
    """Both are held up when they have written and have not looked; without a lock both would see room."""
    before = LAST_DAY.replace(day=14)
    await make_clock(own_database_url, before, early=before, late=before + timedelta(seconds=2), gate=before)
    limits = SpendingLimits(monthly_usd=PRICE)
    async with processes(own_database_url, "early", "late", "gate") as (early, late, gate):
        async with gate.store._pool.acquire() as holding, holding.transaction():
            await holding.execute(_GATE)
        async with gate.store._pool.acquire() as holding:
            await holding.execute("SELECT pg_advisory_lock(1)")
            submits = [backend.store.submit(new_task(price_usd=PRICE), limits) for backend in (early, late)]
            both = asyncio.gather(*submits, return_exceptions=True)
            while await holding.fetchval(_WAITING) < 2:
                await asyncio.sleep(0.01)
            await holding.execute("SELECT pg_advisory_unlock(1)")
        assert Counter(map(type, await both))[BudgetExceeded] == 1


async def test_a_task_counts_in_the_month_in_which_it_is_paid(own_database_url):
    await make_clock(own_database_url, LAST_DAY)
    limits = SpendingLimits(monthly_usd=PRICE, key=KeyLimits(monthly_usd=PRICE))
    async with processes(own_database_url, "one") as (backend,):
        store = backend.store
        await store.submit(tasks_of("a", 1)[0], limits)
        (begun,) = await backend.claim()
        with pytest.raises(BudgetExceeded, match=r"0.10 of this month's 0.10 USD .* ends at 2027-02-01 00:00 UTC"):
            await store.submit(tasks_of("a", 1)[0], limits)
        await set_clock(store._pool, LAST_DAY + timedelta(seconds=2))
        key = BudgetScope(ScopeKind.KEY, KEY)

        async def months() -> list[Decimal]:
            counted = await store.counted([key, PROVIDER])
            return [counted.usage_of(scope.counter).month_usd for scope in (ENVIRONMENT, key, PROVIDER)]

        assert await months() == [0, 0, 0]
        await store.hold_price(begun.task, limits)
        assert await months() == [PRICE] * 3
        with pytest.raises(BudgetExceeded):
            await store.submit(tasks_of("a", 1)[0], limits)
        await backend.end(begun.lease, Succeeded((), Cost(Decimal("0.04"))))
        assert await months() == [Decimal("0.04")] * 3
        await set_clock(store._pool, LAST_DAY)
        assert await months() == [0, 0, 0]


async def test_a_task_from_before_a_budget_of_its_provider_counts_once_it_is_paid(migrated_url):
    async with processes(migrated_url, "one") as (backend,):
        first, second = [await backend.begun(price_usd=PRICE) for _ in range(2)]
        limits = of_provider(Allowance(daily_usd=PRICE))
        await backend.store.hold_price(first.task, limits)
        with pytest.raises(BudgetExceeded, match=r"0.10 of the 0.10 USD that sandbox may cost today"):
            await backend.store.hold_price(second.task, limits)
        await backend.end(first.lease, Succeeded((), None))
        counted = await backend.store.counted([PROVIDER])
        assert counted.usage_of(PROVIDER.counter).today_usd == counted.usage_of("").today_usd - PRICE == PRICE


_RECOUNT = """
SELECT scope, count(*) AS tasks, count(*) FILTER (WHERE finished_at IS NULL) AS active, sum(
    coalesce((cost ->> 'amount_usd')::numeric,
             CASE WHEN status IN ('queued', 'running', 'succeeded') OR EXISTS (
                      SELECT FROM attempts WHERE task_id = tasks.id AND attempts.status = 'canceled'
                      AND submitting_at IS NOT NULL)
                  THEN price_usd END, 0)
    + price_usd * (SELECT count(*) FROM attempts WHERE task_id = tasks.id AND attempts.status = 'failed'
                   AND attempts.error ->> 'charged' <> 'no')) AS usd
FROM tasks CROSS JOIN LATERAL unnest(budget_scopes) AS scope GROUP BY scope ORDER BY scope
"""
"""Of tasks that have ordered nothing: those that are canceled cost nothing."""
_COUNTED = """
SELECT owner AS scope, sum(tasks)::int AS tasks, sum(active)::int AS active, sum(usd) AS usd FROM spending
WHERE owner LIKE '%:%' GROUP BY owner ORDER BY owner
"""


async def test_whatever_two_processes_do_at_once_the_counters_are_what_a_recount_gives(migrated_url):
    """Counters of all kinds are changed: who locked two of them in another order would wait for ever."""
    chance = random.Random(5)
    customer = Allowance(max_active_tasks=10**6, daily_usd=Decimal(10**6), monthly_usd=Decimal(10**6))
    key = KeyLimits(limit_by="customer", customer=customer)
    million = Allowance(monthly_usd=Decimal(10**6))
    limits = SpendingLimits(Decimal(10**6), key, Decimal(10**6), {"sandbox": million, "limited": million})

    def new(owner: str) -> NewTask:
        provider, name = chance.choice(("sandbox", "limited")), chance.choice("abc")
        return new_task(owner=owner, provider=provider, price_usd=PRICE, metadata={"customer": name})

    def some(count: int) -> list[NewTask]:
        owner = chance.choice((KEY, KEY.replace("a", "b")))
        return [new(owner) for _ in range(count)]

    async with processes(migrated_url, "one", "two") as backends:
        one, two = (backend.store for backend in backends)
        first = [task for _ in range(30) for task in some(1)]
        await asyncio.gather(*(one.submit(task, limits) for task in first))
        begun = await backends[0].claim("sandbox", "limited", at_most=20)
        ordered = {each.lease: (await one.journal_order(each.lease)).sent_at for each in begun[::2]}
        await one._pool.execute("UPDATE tasks SET spent_day = CURRENT_DATE - 1")
        await one._pool.execute("UPDATE spending SET day = CURRENT_DATE - 1 WHERE day > '-infinity'")
        outcomes = (Succeeded((), Cost(Decimal("0.04"))), Canceled(), Released(), Failed(failure(Charged.YES)))
        await asyncio.gather(
            *(store.submit_batch(some(3), limits) for store in (one, two) for _ in range(8)),
            *(store.submit(task, limits) for store in (one, two) for _ in range(15) for task in some(1)),
            *(two.hold_price(each.task, limits) for each in begun[:10]),
            *(
                backends[0].end(each.lease, chance.choice(outcomes), ordered_at=ordered.get(each.lease))
                for each in begun[10:]
            ),
            *(two.cancel(task.id) for task in first),
        )
        recounted = [dict(row) for row in await one._pool.fetch(_RECOUNT)]
        counted = [dict(row) for row in await one._pool.fetch(_COUNTED)]
        for row in recounted:
            row |= {} if row["scope"].startswith("customer:") else {"tasks": 0, "active": 0}
        assert counted == recounted
        assert len(counted) == 2 + 6


async def test_what_nobody_limits_writes_no_further_counter(migrated_url):
    async with processes(migrated_url, "one") as (backend,):
        await backend.store.submit(tasks_of("acme", 1)[0])
        rows = await backend.store._pool.fetch("SELECT owner FROM spending ORDER BY day, owner")
        assert [row["owner"] for row in rows] == [KEY, "", KEY]
        assert await backend.store._pool.fetchval("SELECT count(*) FROM tasks WHERE budget_scopes IS NULL") == 1
