"""What only the real database can show: volume, plans, locks, and those who come in between."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import asyncpg
import pytest
import uuid_utils.compat

from genpulse.adapters.database.queue.task_queue import PostgresTaskQueue
from genpulse.adapters.database.removal import pruning as statements
from genpulse.adapters.database.removal.pruning import PostgresPruning
from genpulse.adapters.database.removal.retention import PostgresRetention
from genpulse.adapters.database.tasks.store import PostgresTaskStore
from genpulse.adapters.database.webhooks.deliveries import PostgresDeliveries
from genpulse.adapters.postgresql.connections import open_pool
from genpulse.domain.assets.asset import Asset, Content
from genpulse.domain.attempt import Failed, Succeeded
from genpulse.domain.errors import (
    ClocksDiffer,
    DatabaseUnavailable,
    ProviderUnavailable,
    UnknownAsset,
    UnknownTask,
)
from genpulse.domain.retention import Pruned, RetentionPolicy
from genpulse.domain.webhook_delivery import Answer
from genpulse.lifecycle.removal.prune import prune
from genpulse.testing.rig import memory_services
from tests.contract.conftest import Backend, new_task, new_worker, now
from tests.queues import depth_of

MANY = 10_000
BATCH = 1000
LOCK_S = 1.0
OLD = timedelta(days=200)
NONE = timedelta(0)

_TASKS = """
INSERT INTO tasks (id, environment, kind, provider, model, status, priority, input, metadata, created_at,
                   finished_at, attempt)
SELECT gen_random_uuid(), 'dev', 'noop', 'sandbox', 'sandbox/noop', 'succeeded', 0, '{"prompt": "x"}', '{}',
       now() - '200 days'::interval, now() - '200 days'::interval + n * '1 second'::interval, 1
FROM generate_series(1, $1::int) AS n
"""
_ATTEMPTS = """
INSERT INTO attempts (id, task_id, number, provider, model, worker, client_reference, status, started_at)
SELECT gen_random_uuid(), id, 1, provider, model, 'w', 'r', 'succeeded', created_at FROM tasks
"""
_DELIVERIES = """
INSERT INTO deliveries (id, task_id, type, url, task, created_at, delivered_at)
SELECT gen_random_uuid(), id, 'task.succeeded', 'https://example.org/', '{}', created_at, created_at FROM tasks
"""
_ASSETS = """
INSERT INTO assets (id, task_id, environment, key, sha256, size, media_type, created_at)
SELECT gen_random_uuid(), id, 'dev', 'assets/' || id, '', 7, 'image/png', created_at FROM tasks
"""

_NOTES = """
INSERT INTO doomed_objects (key, size, last_created_at, environment)
SELECT 'assets/' || n, 7, now() - n * '1 minute'::interval, 'dev' FROM generate_series(1, 20000) AS n
"""

_TERMINATE = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'broken'"


@pytest.fixture
async def pool(own_database_url):
    pool = await open_pool(own_database_url, size=6, application_name="tests")
    yield pool
    await pool.close()


@pytest.fixture
async def backend(pool, own_database_url):
    backend = Backend(
        PostgresTaskStore(pool),
        PostgresTaskQueue(pool, own_database_url),
        PostgresDeliveries(pool),
    )
    yield backend
    await backend.queue.close()
    await backend.store.close()


async def filled(pool, count=MANY):
    for statement in (_TASKS, _ATTEMPTS, _DELIVERIES, _ASSETS):
        await pool.execute(statement, *([count] if statement is _TASKS else []))
    for table in ("tasks", "attempts", "deliveries", "assets"):
        await pool.execute(f"ANALYZE {table}")


async def drained(batch):
    """All batches, counted."""
    pruned, batches, more = Pruned(), 0, True
    while more:
        done = await batch()
        pruned, batches, more = pruned + done.pruned, batches + 1, done.more
        await asyncio.sleep(0.01)
    return pruned, batches


async def test_ten_thousand_go_while_others_work_and_nobody_waits_for_long(pool, own_database_url, backend):
    """The live side gives up after one second of waiting for a lock; it never has to."""
    await filled(pool)
    kept = [(await backend.store.submit(new_task(provider="idle"))).task for _ in range(20)]
    live_pool = await open_pool(own_database_url, size=4, application_name="live")
    live = Backend(
        PostgresTaskStore(live_pool),
        PostgresTaskQueue(live_pool, own_database_url),
        PostgresDeliveries(live_pool),
        worker=new_worker("live"),
    )
    async with live_pool.acquire() as connection:
        name = await connection.fetchval("SELECT current_database()")
        await connection.execute(f"ALTER DATABASE {name} SET lock_timeout = '{LOCK_S * 1000:.0f}ms'")
    await live_pool.expire_connections()
    stop, done = asyncio.Event(), []

    async def work():
        while not stop.is_set():
            begun = await live.begun(webhook_url="https://example.org/")
            outcome = Failed(ProviderUnavailable("down").failure) if len(done) % 3 else Succeeded(())
            done.append(await live.ended(begun.lease, outcome))

    async with live_pool.acquire() as connection:
        assert await connection.fetchval("SHOW lock_timeout") == "1s"
    async with asyncio.TaskGroup() as group:
        group.create_task(work())
        async with PostgresRetention(pool).turn() as pruning:
            tasks, task_batches = await drained(lambda: pruning.tasks(OLD / 2, BATCH))
            assets, asset_batches = await drained(lambda: pruning.assets(OLD / 2, BATCH))
            objects = (await pruning.doomed(NONE, 2 * MANY)).objects
        stop.set()
    assert tasks == Pruned(tasks=MANY, attempts=MANY, deliveries=MANY)
    assert assets == Pruned(assets=MANY)
    assert (task_batches, asset_batches) == (MANY // BATCH + 1, MANY // BATCH + 1)
    assert len(objects) == MANY
    assert done, "nobody else came to anything"
    assert [await backend.store.get(task.id) for task in done] == done
    assert await pool.fetchval("SELECT count(*) FROM tasks") == len(kept) + len(done)
    assert await pool.fetchval("SELECT count(*) FROM attempts") == len(done)
    assert await pool.fetchval("SELECT count(*) FROM deliveries") == len(done)
    assert await depth_of(backend.queue) == len(kept)
    await live.queue.close()
    await live.store.close()
    await live_pool.close()


async def plan(pool, statement, *arguments):
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        rows = await connection.fetch(f"EXPLAIN {statement}", *arguments)
    return "\n".join(row[0] for row in rows)


async def test_what_is_old_is_found_by_an_index(pool):
    await filled(pool, 5000)
    await pool.execute("UPDATE assets SET task_id = NULL")
    await pool.execute("ANALYZE assets")
    assert "ix_tasks_finished_at" in await plan(pool, statements.OLDEST_TASKS, OLD / 2, BATCH, "dev")
    assert "ix_assets_of_no_task" in await plan(pool, statements.OLDEST_ASSETS, OLD / 2, BATCH, "dev")
    assert "Seq Scan on tasks" not in await plan(pool, statements.OLDEST_TASKS, OLD / 2, BATCH, "dev")


async def test_what_is_noted_is_found_by_an_index(pool):
    await pool.execute(_NOTES)
    await pool.execute("ANALYZE doomed_objects")
    found = await plan(pool, statements.OLDEST_OBJECTS, OLD, BATCH, "dev")
    assert "ix_doomed_objects_last_created_at" in found
    assert "Sort" not in found


async def test_a_host_whose_clock_is_months_ahead_removes_nothing_that_is_young(pool, backend):
    """It removed all that had ended, with its bytes, however young that was."""
    retention = PostgresRetention(pool, "dev")
    output = Asset(uuid_utils.compat.uuid7(), Content("k", "", 1, "image/png"), now(), "dev")
    await retention.expect("noted", 1)
    begun = await backend.begun(environment="dev")
    task = await backend.ended(begun.lease, Succeeded((replace(output, task_id=begun.task.id),)))
    async with memory_services() as services:
        wrong = replace(services, retention=retention, now=lambda: now() + timedelta(days=120))
        with pytest.raises(ClocksDiffer):
            await prune(wrong, RetentionPolicy())
        right = replace(services, retention=retention)
        assert await prune(right, RetentionPolicy()) == Pruned()
    assert await retention.due(RetentionPolicy().ages) == Pruned()
    assert await backend.store.get(task.id) == task
    assert (await backend.store.asset(output.id)).content == output.content
    assert await pool.fetchval("SELECT count(*) FROM doomed_objects") == 1
    await retention.close()


async def test_two_processes_that_note_the_same_keys_never_deadlock(pool, own_database_url):
    other_pool = await open_pool(own_database_url, size=4, application_name="other")
    retentions = [PostgresRetention(pool), PostgresRetention(other_pool)]
    keys = [f"key-{number}" for number in range(40)]

    async def note(retention, order):
        for _ in range(10):
            await asyncio.gather(*(retention.expect(key, 1) for key in order))

    await asyncio.gather(note(retentions[0], keys), note(retentions[1], keys[::-1]))
    assert await pool.fetchval("SELECT count(*) FROM doomed_objects") == len(keys)
    for retention in retentions:
        await retention.close()
    await other_pool.close()


async def test_every_reference_to_what_goes_is_indexed(pool):
    """Deleting a task looks for what refers to it: a table without an index would be read for each."""
    missing = await pool.fetch(
        """
        SELECT conrelid::regclass AS referring, conname FROM pg_constraint
        WHERE contype = 'f' AND confrelid IN ('tasks'::regclass, 'assets'::regclass)
          AND NOT EXISTS (SELECT FROM pg_index WHERE indrelid = conrelid AND indkey[0] = conkey[1])
        """
    )
    assert missing == []


async def ended(backend, outcome, **changes):
    begun = await backend.begun(**changes)
    return await backend.age(await backend.ended(begun.lease, outcome), OLD)


async def test_a_row_that_somebody_holds_is_left_for_the_next_time(pool, own_database_url, backend):
    held, free = [await ended(backend, Succeeded(())) for _ in range(2)]
    other = await asyncpg.connect(own_database_url)
    async with PostgresRetention(pool).turn() as pruning:
        async with other.transaction():
            await other.execute("SELECT FROM tasks WHERE id = $1 FOR UPDATE", held.id)
            assert (await pruning.tasks(NONE, BATCH)).pruned == Pruned(tasks=1, attempts=1)
        assert (await pruning.tasks(NONE, BATCH)).pruned == Pruned(tasks=1, attempts=1)
    await other.close()
    with pytest.raises(UnknownTask):
        await backend.store.get(free.id)


async def locked(pool, pid):
    """Return when this backend waits for a lock."""
    async with asyncio.timeout(60):
        while not await pool.fetchval("SELECT count(*) FROM pg_locks WHERE pid = $1 AND NOT granted", pid):
            await asyncio.sleep(0.005)


async def test_a_message_that_is_sent_again_meanwhile_keeps_its_task(pool, own_database_url, backend):
    task = await ended(backend, Succeeded(()), webhook_url="https://example.org/")
    ((delivery, _),) = await backend.deliveries.due(10, 60, per_origin=10, room={})
    await backend.deliveries.taken(delivery.id, Answer(200))
    other = await asyncpg.connect(own_database_url)
    mine = await asyncpg.create_pool(own_database_url, min_size=1, max_size=1)
    pid = await mine.fetchval("SELECT pg_backend_pid()")
    async with asyncio.TaskGroup() as group, other.transaction():
        await other.execute("UPDATE deliveries SET next_try_at = now() WHERE id = $1", delivery.id)
        pruning = group.create_task(PostgresPruning(mine, other).tasks(NONE, BATCH))
        await locked(pool, pid)
    assert pruning.result().pruned == Pruned()
    assert (await backend.store.get(task.id)).id == task.id
    await other.close()
    await mine.close()


async def test_an_upload_that_a_task_begins_to_name_meanwhile_stays(pool, own_database_url, backend):
    """The submit holds the asset: it is passed over, and stays once the submit is committed."""
    upload = Asset(uuid_utils.compat.uuid7(), Content("k", "", 1, "image/png"), now() - OLD, "dev")
    await backend.store.add_asset(upload)
    other = await asyncpg.connect(own_database_url)
    async with PostgresRetention(pool).turn() as pruning:
        async with other.transaction():
            await other.execute(
                """
                INSERT INTO tasks (id, environment, kind, provider, model, status, priority, input, metadata,
                                   created_at)
                VALUES (gen_random_uuid(), 'dev', 'k', 'p', 'm', 'queued', 0, $1::jsonb, '{}', now())
                """,
                f'{{"image": "{upload.id}"}}',
            )
            assert (await pruning.assets(NONE, BATCH)).pruned == Pruned()
        assert (await pruning.assets(NONE, BATCH)).pruned == Pruned()
    assert (await backend.store.asset(upload.id)).id == upload.id
    await other.close()


async def test_a_task_may_name_an_asset_that_is_gone_or_never_was(backend):
    submitted = await backend.store.submit(new_task(input={"image": str(uuid_utils.compat.uuid7())}))
    assert (await backend.store.get(submitted.task.id)).status == "queued"


async def test_a_submit_that_names_an_upload_that_just_goes_is_taken(pool, own_database_url, backend):
    upload = Asset(uuid_utils.compat.uuid7(), Content("k", "", 1, "image/png"), now() - OLD, "dev")
    await backend.store.add_asset(upload)
    other = await asyncpg.connect(own_database_url)
    async with asyncio.TaskGroup() as group, other.transaction():
        await other.execute("DELETE FROM assets WHERE id = $1", upload.id)
        submitting = group.create_task(backend.store.submit(new_task(input={"image": str(upload.id)})))
        async with asyncio.timeout(60):
            while not await pool.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
                await asyncio.sleep(0.005)
    assert submitting.result().task.status == "queued"
    with pytest.raises(UnknownAsset):
        await backend.store.asset(upload.id)
    await other.close()


async def test_a_turn_whose_connection_breaks_is_free_again(pool, own_database_url):
    broken = await open_pool(own_database_url, size=2, application_name="broken")

    async def prune():
        async with PostgresRetention(broken).turn() as pruning:
            async with PostgresRetention(pool).turn() as second:
                assert second is None
            await pool.execute(_TERMINATE)
            await pruning.tasks(NONE, BATCH)

    with pytest.raises(DatabaseUnavailable):
        await prune()
    async with PostgresRetention(pool).turn() as third:
        assert third is not None
    await broken.close()


async def test_a_turn_that_is_cut_off_at_any_moment_ends_by_that_and_leaves_no_transaction(pool):
    retention = PostgresRetention(pool)

    async def turn():
        async with retention.turn() as pruning:
            await pruning.doomed(OLD, BATCH)

    for step in range(400):
        task = asyncio.create_task(turn())
        await asyncio.sleep(step * 1e-5)
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled() or task.exception() is None, task.exception()
    assert not await pool.fetchval("SELECT count(*) FROM pg_stat_activity WHERE state ~ 'in transaction'")
    await retention.close()


async def test_a_turn_whose_connection_is_lost_tells_what_became_of_its_body(pool):
    retention = PostgresRetention(pool)

    async def turn(error):
        async with retention.turn() as pruning:
            await pool.execute("SELECT pg_terminate_backend($1)", pruning._turn.get_server_pid())
            await asyncio.sleep(0.05)
            if error is not None:
                raise error

    for error in (KeyError("a bug"), None):
        (told,) = await asyncio.gather(turn(error), return_exceptions=True)
        assert told is error
    async with retention.turn() as pruning:
        assert await pruning.now()
    await retention.close()
