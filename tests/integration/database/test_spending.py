"""Several processes that spend the same day's money, and what an upgrade finds of that day."""

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import asyncpg
import pytest
import uuid_utils.compat

from genpulse.adapters.database.keys.api_keys import PostgresKeys
from genpulse.adapters.database.queue.task_queue import PostgresTaskQueue
from genpulse.adapters.database.schema.migrate import upgrade
from genpulse.adapters.database.tasks.store import PostgresTaskStore
from genpulse.adapters.postgresql.connections import open_pool
from genpulse.domain.attempt import Canceled, Failed, Released, RetryLater, Succeeded
from genpulse.domain.errors import BudgetExceeded, KeyLimitExceeded
from genpulse.domain.failure import Charged
from genpulse.domain.keys.api_key import KeyLimits
from genpulse.domain.money.allowance import ScopeUsage
from genpulse.domain.money.cost import Cost
from genpulse.domain.money.spending import SpendingLimits
from genpulse.domain.task import Submitted
from tests.contract.conftest import Backend, new_task, new_worker
from tests.contract.test_money import check_books, failure
from tests.queues import depth_of

PRICE = Decimal("0.10")


@pytest.fixture
async def processes(migrated_url) -> AsyncIterator[list[Backend]]:
    """Two that know nothing of each other but the database."""
    opened = []
    for name in ("one", "two"):
        pool = await open_pool(migrated_url, size=5, application_name="tests")
        queue = PostgresTaskQueue(pool, migrated_url)
        opened.append(Backend(PostgresTaskStore(pool), queue, worker=new_worker(name)))
    yield opened
    for backend in opened:
        await backend.queue.close()
        await backend.store.close()
        await backend.store._pool.close()


@pytest.mark.parametrize(
    "limits",
    [
        SpendingLimits(10 * PRICE),
        SpendingLimits(key=KeyLimits(daily_usd=10 * PRICE)),
        SpendingLimits(key=KeyLimits(daily_tasks=10)),
        SpendingLimits(key=KeyLimits(max_active_tasks=10)),
    ],
)
async def test_of_fifty_at_once_there_is_money_for_ten(processes, limits):
    tasks = [new_task(owner="anna", price_usd=PRICE) for _ in range(50)]
    submits = [processes[number % 2].store.submit(task, limits) for number, task in enumerate(tasks)]
    answers = await asyncio.gather(*submits, return_exceptions=True)
    assert sum(isinstance(answer, Submitted) for answer in answers) == 10
    assert sum(isinstance(answer, BudgetExceeded | KeyLimitExceeded) for answer in answers) == 40
    assert await depth_of(processes[0].queue) == 10
    await check_books(processes[0])


async def test_batches_and_single_ones_share_what_is_there(processes):
    limits = SpendingLimits(10 * PRICE, KeyLimits(max_active_tasks=9))

    async def one(backend):
        return [await backend.store.submit(new_task(owner="anna", price_usd=PRICE), limits)]

    async def three(backend):
        tasks = [new_task(owner="anna", price_usd=PRICE) for _ in range(3)]
        return await backend.store.submit_batch(tasks, limits)

    wishes = [(one, three)[number % 3 == 0](processes[number % 2]) for number in range(24)]
    answers = await asyncio.gather(*wishes, return_exceptions=True)
    assert all(isinstance(answer, tuple | list | BudgetExceeded | KeyLimitExceeded) for answer in answers)
    taken = sum(len(answer) for answer in answers if isinstance(answer, tuple | list))
    assert taken == await depth_of(processes[0].queue) == 9
    await check_books(processes[0])


async def test_the_same_key_from_two_sides_is_one_task(processes):
    limits = SpendingLimits(PRICE)
    one = new_task(price_usd=PRICE, idempotency_key="k", owner="anna")
    again = [replace(one, id=uuid_utils.compat.uuid7()) for _ in range(10)]
    submits = [processes[number % 2].store.submit(task, limits) for number, task in enumerate([one, *again])]
    answers = await asyncio.gather(*submits, return_exceptions=True)
    assert len({answer.task.id for answer in answers if isinstance(answer, Submitted)}) == 1
    assert (await processes[0].store.earlier(one)) is not None
    assert await processes[0].store.spent_usd() == PRICE


async def test_two_that_change_the_counters_of_many_owners_never_wait_for_each_other(processes):
    """PostgreSQL ends one of two that do: an error here."""
    dice = random.Random(11)
    owners, prices = ["", *"abcdefgh"], [None, PRICE, 3 * PRICE]
    known: list[UUID] = []
    """Some of them twice, under one key."""

    async def submits(backend: Backend) -> None:
        for _ in range(12):
            limits = dice.choice([SpendingLimits(), SpendingLimits(Decimal(10**6), KeyLimits(daily_tasks=10**6))])
            tasks = [new_task(owner=dice.choice(owners), price_usd=dice.choice(prices)) for _ in range(8)]
            keyed = [
                replace(task, id=uuid_utils.compat.uuid7(), idempotency_key=f"k{dice.randrange(20)}")
                for task in tasks
            ]
            answers = await asyncio.gather(*(backend.store.submit(task, limits) for task in (*tasks, *keyed)))
            known.extend(answer.task.id for answer in answers)

    async def ends(backend: Backend) -> None:
        outcomes = (
            Succeeded((), Cost(Decimal("0.3"))),
            Failed(failure(Charged.YES)),
            RetryLater(failure(Charged.MAYBE), 0.0),
            Released(),
            Canceled(),
        )
        for _ in range(25):
            begun = await backend.claim(at_most=15)
            await asyncio.gather(*(backend.end(one.lease, dice.choice(outcomes)) for one in begun))

    async def others(backend: Backend) -> None:
        for _ in range(60):
            if known:
                await backend.store.cancel(dice.choice(known))
                await backend.store.expire()
            await asyncio.sleep(0)

    await asyncio.gather(*(act(backend) for act in (submits, ends, others) for backend in processes))
    assert len(known) == 2 * 12 * 16
    await check_books(processes[0])


_WAITING = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


async def test_counters_are_locked_in_the_same_order_whatever_the_order_of_the_tasks(processes):
    """Two statements are held up in the middle; each would then have what the other one needs next."""
    owners = "abcdefgh"

    async def submit(backend: Backend, names: str) -> None:
        tasks = [new_task(owner=name, price_usd=PRICE) for name in names]
        await asyncio.gather(*(backend.store.submit(task) for task in tasks))

    await submit(processes[0], owners)
    for _ in range(3):
        async with processes[0].store._pool.acquire() as holding, holding.transaction():
            await holding.execute("SELECT FROM spending WHERE owner = 'd' FOR UPDATE")
            both = asyncio.gather(submit(processes[0], owners), submit(processes[1], owners[::-1]))
            while await processes[1].store._pool.fetchval(_WAITING) < 2:
                await asyncio.sleep(0.01)
        await both
    await check_books(processes[0])


_TASK = """
INSERT INTO tasks (id, environment, owner, kind, provider, model, status, priority, input, metadata, created_at,
                   attempt, finished_at, lease, price_usd, cost)
VALUES ($1, 'dev', $2, 'k', 'p', 'p/m', $3, 0, '{}', '{}', $4, 1, $5, NULL, $6, $7)
"""
_ATTEMPT = """
INSERT INTO attempts (id, task_id, number, provider, model, worker, client_reference, status, started_at, error)
VALUES (gen_random_uuid(), $1, $2, 'p', 'p/m', 'w', 'r', 'failed', now(), $3)
"""
_KEY = "INSERT INTO api_keys (id, name, hint, digest, scopes, created_at) VALUES ($1, 'k', 'h', $2, '{}', now())"


async def test_an_upgrade_counts_what_today_has_cost_so_far(database_url):
    await upgrade(database_url, to="0009")
    key, midnight = uuid4(), datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    connection = await asyncpg.connect(database_url)
    await connection.execute(_KEY, key, b"d")

    async def task(status: str, when: datetime, price: Decimal | None = PRICE, cost: str | None = None) -> UUID:
        task_id = UUID(int=int(when.timestamp() * 1000) << 80 | uuid4().int & ((1 << 80) - 1))
        ended = None if status == "queued" else when
        document = cost and f'{{"amount_usd": "{cost}", "estimated": false}}'
        await connection.execute(_TASK, task_id, str(key), status, when, ended, price, document)
        return task_id

    yesterday = midnight - timedelta(seconds=1)
    await task("succeeded", midnight, cost="1.25E-2")
    await task("succeeded", midnight, cost="NaN")
    await task("succeeded", midnight, cost="1E+200000")
    await task("canceled", midnight)
    await task("queued", midnight, price=None)
    failed = await task("failed", midnight)
    await connection.execute(_ATTEMPT, failed, 1, '{"charged": "maybe"}')
    await connection.execute(_ATTEMPT, failed, 2, '{"charged": "no"}')
    await task("succeeded", yesterday)
    waiting = await task("queued", yesterday)
    await upgrade(database_url)
    pool = await open_pool(database_url, size=2, application_name="tests")
    store, keys = PostgresTaskStore(pool), PostgresKeys(pool)
    usd = Decimal("0.0125") + 4 * PRICE
    assert await store.spent_usd() == usd
    assert replace(await keys.usage(key), month_usd=Decimal(0)) == ScopeUsage(2, 6, usd)
    await connection.execute(
        "INSERT INTO queue (task_id, provider, priority) VALUES ($1, 'p', 0) ON CONFLICT DO NOTHING", waiting
    )
    await connection.execute("UPDATE tasks SET attempt = 0")
    await store.cancel(waiting)
    assert replace(await keys.usage(key), month_usd=Decimal(0)) == ScopeUsage(1, 6, usd)
    assert await connection.fetchval("SELECT min(usd) FROM spending") == 0
    names = await connection.fetch("SELECT indexname FROM pg_indexes WHERE tablename = 'tasks'")
    assert not {row["indexname"] for row in names} & {"ix_tasks_spent", "ix_tasks_active_owner"}
    await store.close()
    await pool.close()
    await connection.close()
