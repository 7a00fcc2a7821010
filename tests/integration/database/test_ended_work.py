"""What ends while it is counted is counted once, and each count walks a piece of an index."""

import asyncio
import json
import random
from collections import Counter
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
import uuid_utils.compat
from prometheus_client.core import CollectorRegistry

from genpulse.adapters.database.ended_work import PostgresEndedWork
from genpulse.adapters.database.statements import ended_work
from genpulse.adapters.database.tasks.store import PostgresTaskStore
from genpulse.adapters.postgresql.connections import open_pool
from genpulse.api.metrics.ended_work import EndedWorkFigures
from genpulse.api.metrics.model_labels import ModelLabels
from genpulse.domain.attempt import Canceled, End, Failed, Released, RetryLater, Succeeded, Worker
from genpulse.domain.errors import ProviderRejected, ProviderUnavailable
from genpulse.domain.search.ended_work import BOUNDS_S
from genpulse.domain.task import NewTask

OUTCOMES = (
    Succeeded(()),
    Failed(ProviderRejected("no").failure),
    Canceled(),
    Released(),
    RetryLater(ProviderUnavailable("down").failure, 0.0),
)
MODELS = ("sandbox/one", "sandbox/two")
TASKS = 200
LAG = timedelta(milliseconds=100)


@pytest.fixture
async def pools(migrated_url):
    """Pools of several processes."""
    async with AsyncExitStack() as stack:
        made = [await open_pool(migrated_url, size=4, application_name="tests") for _ in range(4)]
        for pool in made:
            stack.push_async_callback(pool.close)
        yield made


def worker() -> Worker:
    return Worker(uuid_utils.compat.uuid7(), "w", 600.0)


def tasks(count: int) -> list[NewTask]:
    return [
        NewTask(uuid_utils.compat.uuid7(), "dev", "noop", "sandbox", model, {})
        for model in random.Random(count).choices(MODELS, k=count)
    ]


async def work_off(store: PostgresTaskStore, choice: random.Random) -> None:
    """Claim and end as one worker does, until nothing is left."""
    me = worker()
    await store.renew(me, datetime.now(UTC))
    while claims := await store.claim(me, "sandbox", [uuid_utils.compat.uuid7() for _ in range(7)]):
        ends = [End(claim.lease, choice.choice(OUTCOMES)) for claim in claims]
        await asyncio.gather(*map(store.finish, ends))


async def hold_up(pool, looks: asyncio.Condition) -> None:
    """Let ends come to a halt a few times, in the midst of their statement, while others look."""
    halts = 0
    while halts < 4:
        # It takes the rows in another order than an end may, and is the one that gives way then.
        with suppress(asyncpg.DeadlockDetectedError):
            async with pool.acquire() as connection, connection.transaction():
                await connection.execute("SELECT FROM tasks ORDER BY id FOR UPDATE")
                halts += 1
                async with looks:
                    while await connection.fetchval("SELECT clock_timestamp() < now() + $1::interval", 2 * LAG):
                        await looks.wait()


async def look_on(figures: EndedWorkFigures, ended: PostgresEndedWork, done: asyncio.Event, looks) -> None:
    while not done.is_set():
        await figures.look(ended, 60)
        async with looks:
            looks.notify_all()


def counted(figures: EndedWorkFigures) -> dict[str, Counter]:
    registry = CollectorRegistry()
    registry.register(figures)
    found = {"genpulse_tasks_ended_total": Counter(), "genpulse_attempts_ended_total": Counter()}
    list(registry.collect())
    for family in registry.collect():
        for sample in family.samples:
            if sample.name in found:
                found[sample.name][tuple(sample.labels.values())] += sample.value
    return found


FACTS = """
SELECT provider, model, status, coalesce(error ->> 'code', '') AS code, count(*)
FROM {table} WHERE finished_at IS NOT NULL GROUP BY 1, 2, 3, 4
"""


async def facts(pool) -> dict[str, Counter]:
    found = {}
    for table in ("tasks", "attempts"):
        name, rows = f"genpulse_{table}_ended_total", await pool.fetch(FACTS.format(table=table))
        found[name] = Counter({tuple(row.values())[:4]: row["count"] for row in rows})
    return found


@pytest.mark.parametrize("at_once", [50_000, 3])
async def test_all_that_ends_while_it_is_counted_is_counted_once(pools, monkeypatch, at_once):
    monkeypatch.setattr("genpulse.api.metrics.ended_work.MOST_AT_ONCE", at_once)
    stores = [PostgresTaskStore(pool) for pool in pools[:3]]
    await stores[0].submit_batch(tasks(TASKS))
    done, looks = asyncio.Event(), asyncio.Condition()
    ended = PostgresEndedWork(pools[3], lag_s=LAG.total_seconds())
    processes = [EndedWorkFigures(ModelLabels(MODELS).of) for _ in range(2)]
    async with asyncio.TaskGroup() as group:
        for figures in processes:
            group.create_task(look_on(figures, ended, done, looks))
        holding = group.create_task(hold_up(pools[3], looks))
        await asyncio.gather(*(work_off(store, random.Random(place)) for place, store in enumerate(stores)))
        done.set()
        holding.cancel()
    expected = await facts(pools[3])
    last_at = await pools[3].fetchval("SELECT max(finished_at) FROM attempts")
    for figures in processes:
        while min(figures._until.values()) < last_at:
            await figures.look(ended, 60)
        await figures.look(ended, 60)
        assert counted(figures) == expected
    assert expected["genpulse_tasks_ended_total"].total() == TASKS
    assert expected["genpulse_attempts_ended_total"].total() > TASKS
    for store in stores:
        await store.close()


async def test_nothing_is_settled_that_an_open_transaction_may_still_end(pools):
    ended = PostgresEndedWork(pools[0], lag_s=0.0)
    async with pools[1].acquire() as connection:
        async with connection.transaction():
            began_at = await connection.fetchval("SELECT now()")
            assert [await ended.settled_until() < began_at for _ in range(20)] == [True] * 20
            later = await pools[2].fetchval("SELECT clock_timestamp()")
        assert await ended.settled_until() > later


async def test_a_transaction_that_is_open_for_long_holds_nothing_up(pools):
    """What `now()` says of a transaction stays the same, so that a short bound stands for a long time."""
    soon = ended_work.SETTLED_UNTIL.replace("30 s", "0.2 s")
    async with pools[1].acquire() as connection, connection.transaction():
        began_at = await connection.fetchval("SELECT now()")
        while await pools[0].fetchval(soon, timedelta(0)) <= began_at:
            await asyncio.sleep(0.05)


ROWS = 5_000
FILL = (
    f"""INSERT INTO tasks (id, environment, kind, provider, model, status, priority, input, metadata, created_at,
                           started_at, finished_at)
        SELECT gen_random_uuid(), 'dev', 'noop', 'p', 'p/m', 'succeeded', 0, '{{}}', '{{}}', at, at, at
        FROM generate_series(1, {ROWS}) AS n, LATERAL (SELECT now() - n * interval '1 s' AS at) AS made""",
    """INSERT INTO attempts (id, task_id, number, provider, model, worker, client_reference, status, started_at,
                             finished_at)
       SELECT gen_random_uuid(), id, 1, 'p', 'p/m', 'w', '', 'succeeded', finished_at, finished_at FROM tasks""",
    """INSERT INTO deliveries (id, task_id, type, url, task, created_at, tried_at)
       SELECT gen_random_uuid(), id, 'task.succeeded', '', '{}', finished_at, finished_at FROM tasks""",
)


def nodes(plan):
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)


async def test_each_count_walks_a_piece_of_one_index(pools):
    statements = {
        "ix_tasks_finished_at": (ended_work.TASKS, [timedelta(seconds=bound) for bound in BOUNDS_S]),
        "ix_attempts_finished_at": (ended_work.ATTEMPTS, [timedelta(seconds=bound) for bound in BOUNDS_S]),
        "ix_deliveries_tried_at": (ended_work.DELIVERIES, "dev"),
    }
    until = await pools[0].fetchval("SELECT now()")
    async with pools[0].acquire() as connection:
        for statement in (*FILL, "ANALYZE tasks, attempts, deliveries"):
            await connection.execute(statement)
        for index, (statement, last) in statements.items():
            since = until - timedelta(seconds=15)
            rows = await connection.fetch(
                f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", since, until, 50_000, last
            )
            (plan,) = json.loads(rows[0][0])
            (read,) = [node for node in nodes(plan["Plan"]) if node.get("Index Name") == index]
            assert 10 < read["Actual Rows"] + read.get("Rows Removed by Filter", 0) < 20
            assert not [node for node in nodes(plan["Plan"]) if node["Node Type"] == "Seq Scan"]
