"""What only the real database can show of a deletion: plans, locks, and those who come in between."""

import asyncio
from dataclasses import replace

import pytest
import uuid_utils.compat

from genpulse.adapters.database.queue.task_queue import PostgresTaskQueue
from genpulse.adapters.database.removal.deletion import PostgresDeletions
from genpulse.adapters.database.removal.retention import EXPECT, PostgresRetention
from genpulse.adapters.database.statements import deletion, tasks
from genpulse.adapters.database.tasks.ending_attempts import asset_columns
from genpulse.adapters.database.tasks.store import PostgresTaskStore
from genpulse.adapters.database.tasks.submission_columns import statement_for
from genpulse.adapters.database.webhooks.deliveries import PostgresDeliveries
from genpulse.adapters.postgresql.connections import open_pool
from genpulse.domain.assets.asset import Asset, Content, key_of
from genpulse.domain.attempt import Succeeded
from genpulse.domain.errors import BytesErased
from genpulse.domain.retention import Pruned
from tests.contract.conftest import Backend, new_task, now

_FILL = """
INSERT INTO tasks (id, environment, kind, provider, model, status, priority, input, metadata, created_at,
                   finished_at, attempt, retain_s, deleted_at)
SELECT gen_random_uuid(), 'dev', 'noop', 'sandbox', 'sandbox/noop', 'succeeded', 0, '{}', '{}',
       now() - '200 days'::interval, now() - n * '1 second'::interval, 1,
       CASE WHEN n % 3 = 0 THEN 100 * n END, CASE WHEN n % 100 = 0 THEN now() - n * '1 second'::interval END
FROM generate_series(1, 20000) AS n
"""
_NOTES = """
INSERT INTO doomed_objects (key, size, last_created_at, environment, expected_for, erased_at, removed_at)
SELECT 'assets/' || n, 7, now(), 'dev', gen_random_uuid(), CASE WHEN n % 10 = 0 THEN now() END,
       CASE WHEN n % 20 = 0 THEN now() END
FROM generate_series(1, 20000) AS n
"""
_STONES = """
INSERT INTO tombstones (id, environment, owner, kind, provider, model, created_at, deleted_at, deleted_by, reason,
                        key_digest)
SELECT gen_random_uuid(), 'dev', '', 'noop', 'sandbox', 'sandbox/noop', now(), now(), '', 'request',
       sha256(n::text::bytea)
FROM generate_series(1, 20000) AS n
"""
_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


@pytest.fixture
async def pool(own_database_url):
    pool = await open_pool(own_database_url, size=6, application_name="tests")
    yield pool
    await pool.close()


@pytest.fixture
async def backend(pool, own_database_url):
    queue = PostgresTaskQueue(pool, own_database_url)
    store = PostgresTaskStore(pool)
    yield Backend(store, queue, PostgresDeliveries(pool))
    await queue.close()
    await store.close()


@pytest.fixture
async def retention(pool):
    retention = PostgresRetention(pool, "dev")
    yield retention
    await retention.close()


def asset(content: str = "a") -> Asset:
    kept = Content(key_of(content * 64, now()), content * 64, 5, "image/png")
    return Asset(uuid_utils.compat.uuid7(), kept, now(), "dev")


async def plan(pool, statement, *arguments):
    async with pool.acquire() as connection, connection.transaction():
        rows = await connection.fetch(f"EXPLAIN {statement}", *arguments)
    return "\n".join(row[0] for row in rows)


async def blocked(pool):
    """Wait until somebody waits for a lock, at most a minute."""
    async with asyncio.timeout(60):
        while not await pool.fetchval(_WAITING):
            await asyncio.sleep(0.01)


async def test_what_is_to_go_is_found_by_an_index(pool):
    for statement in (_FILL, _NOTES, _STONES, "ANALYZE"):
        await pool.execute(statement)
    ids = [uuid_utils.compat.uuid7() for _ in range(500)]
    found = await plan(pool, deletion.DELETE_OVERDUE, 200, "dev", 10.0)
    assert "ix_tasks_retained" in found
    assert "Sort" not in found
    assert "ix_tasks_deleted_at" in await plan(pool, deletion.ERASABLE, 200, 3.0, "dev")
    assert "ix_tasks_unwanted" in await plan(pool, deletion.UNENDED, 200, "dev")
    assert "ix_assets_deleted_at" in await plan(pool, deletion.ERASABLE_ASSETS, 200, "dev")
    assert "ix_doomed_objects_erased_at" in await plan(pool, deletion.ERASED_OBJECTS, 200, "dev")
    assert "ix_doomed_objects_expected_for" in await plan(pool, deletion.EXPECTED_FOR, ids)
    assert "ix_tombstones_deleted_at" in await plan(pool, deletion.FORGET, now() - now(), 200, "dev")
    assert "pk_tasks" in await plan(pool, deletion.DELETE_FREE_TASKS, ids, "me", "dev", "me")
    assert "ix_tombstones_key_digest" in await plan(pool, tasks.KEY_IS_DELETED, b"x")
    new = new_task(idempotency_key="k")
    submit = await plan(pool, *statement_for([new], {new.id: None}))
    assert "Index Scan using ix_tombstones_key_digest" in submit
    assert "Index Cond: (key_digest = new.key_digest)" in submit
    expect = await plan(pool, EXPECT, ["k"], [1], "dev", [ids[0]])
    assert "Index Scan using pk_tombstones" in expect
    assert "Index Cond: (id = expected.task_id)" in expect
    for statement in (deletion.DELETE_FREE_TASKS, deletion.JOURNAL):
        arguments = (ids, None, "dev", "") if statement is deletion.DELETE_FREE_TASKS else (ids,)
        assert "Seq Scan on tasks" not in await plan(pool, statement, *arguments)


async def test_an_asset_that_is_being_committed_keeps_its_bytes(pool, backend, retention):
    deletions, old, new = PostgresDeletions(pool, "dev"), asset(), asset()
    await retention.expect(old.content.key, 5)
    await backend.store.add_asset(old)
    await deletions.delete_asset(old.id, owner=None)
    async with pool.acquire() as other:
        transaction = other.transaction()
        await transaction.start()
        assert await other.fetch(tasks.ADD_ASSETS, *asset_columns([new]))
        erasing = asyncio.create_task(deletions.erase_assets(10))
        await blocked(pool)
        await transaction.commit()
    assert (await erasing).pruned == Pruned(assets=1)
    assert await deletions.erased_objects(10) == ()
    assert await retention.expect(old.content.key, 5) == old.content.key


async def test_an_end_that_comes_while_its_bytes_are_being_erased_is_refused(pool, backend, retention):
    deletions, old = PostgresDeletions(pool, "dev"), asset()
    await retention.expect(old.content.key, 5)
    await backend.store.add_asset(old)
    begun, innocent = await backend.begun(), await backend.begun()
    late = replace(asset(), task_id=begun.task.id)
    await retention.expect(late.content.key, 5, begun.task.id)
    await deletions.delete_asset(old.id, owner=None)
    async with pool.acquire() as other:
        transaction = other.transaction()
        await transaction.start()
        await deletions._erase_assets(10, other)
        ends = [
            asyncio.create_task(backend.end(begun.lease, Succeeded((late,)))),
            asyncio.create_task(backend.end(innocent.lease, Succeeded(()))),
        ]
        await blocked(pool)
        await transaction.commit()
    refused, number = await asyncio.gather(*ends, return_exceptions=True)
    assert isinstance(refused, BytesErased)
    assert isinstance(number, int)
    assert [stored.key for stored in await deletions.erased_objects(10)] == [old.content.key]
    assert (await backend.store.get(begun.task.id)).status == "running"


async def test_many_workers_erase_at_once_and_each_thing_once(pool, backend):
    deletions = [PostgresDeletions(pool, "dev") for _ in range(4)]
    ids = [(await backend.store.submit(new_task())).task.id for _ in range(40)]
    marks = await asyncio.gather(*(one.delete_tasks(ids, owner=None, deleted_by="") for one in deletions))
    assert sorted(task_id for done in marks for task_id in done.deleted) == sorted(ids)
    for task_id in ids:
        await backend.store.cancel(task_id)
    batches = [await asyncio.gather(*(one.erase_tasks(7, 0) for one in deletions)) for _ in range(3)]
    assert sum(batch.pruned.tasks for group in batches for batch in group) == 40
    assert await pool.fetchval("SELECT count(*) FROM tombstones WHERE erased_at IS NOT NULL") == 40


async def test_nothing_of_another_environment_is_touched(pool, backend):
    theirs = PostgresDeletions(pool, "test")
    begun = await backend.begun(retain_s=0)
    await backend.end(begun.lease, Succeeded(()))
    assert await theirs.delete_overdue(10, 0) == 0
    assert (await theirs.delete_tasks([begun.task.id], owner=None, deleted_by="")).deleted == ()
    await PostgresDeletions(pool, "dev").delete_tasks([begun.task.id], owner=None, deleted_by="")
    assert (await theirs.erase_tasks(10, 0)).pruned == Pruned()
