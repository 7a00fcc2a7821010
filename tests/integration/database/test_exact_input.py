"""Rows and messages from before inputs were kept exactly."""

import asyncpg
from alembic import command

from genpulse.adapters.database.tasks.exact_input import columns_of
from genpulse.adapters.database.tasks.store import PostgresTaskStore
from genpulse.adapters.database.webhooks.deliveries import PostgresDeliveries
from genpulse.adapters.postgresql.connections import open_pool
from tests.integration.database.test_deliveries_migration import migrated

_TASK = """
INSERT INTO tasks (id, environment, kind, provider, model, status, priority, input, metadata, webhook_url,
                   created_at)
VALUES (gen_random_uuid(), 'dev', 'noop', 'sandbox', 'sandbox/noop', 'queued', 0, '{"n": [1e22, 1.0, "x"]}', '{}',
        'https://a.example/', now())
RETURNING id
"""
_ENDED = "UPDATE tasks SET status = 'canceled', finished_at = now(), seq = seq + 1 WHERE id = $1"
AS_KEPT = {"n": [10**22, 1.0, "x"]}


async def test_what_was_written_before_and_what_an_older_process_writes_can_be_read(database_url):
    await migrated(database_url, command.upgrade, "0013")
    connection = await asyncpg.connect(database_url)
    ids = [await connection.fetchval(_TASK)]
    await connection.execute(_ENDED, ids[0])
    await migrated(database_url, command.upgrade, "head")
    ids.append(await connection.fetchval(_TASK))
    await connection.execute(_ENDED, ids[1])
    pool = await open_pool(database_url, size=2, application_name="tests")
    store = PostgresTaskStore(pool)
    assert [(await store.get(task_id)).input for task_id in ids] == [AS_KEPT, AS_KEPT]
    told = await PostgresDeliveries(pool, "dev").due(10, 60.0, per_origin=5, room={})
    assert [task.input for _, task in told] == [AS_KEPT, AS_KEPT]
    await store.close()
    await pool.close()
    await connection.close()


def test_an_input_is_kept_twice_only_where_a_number_would_change():
    for input_, twice in (
        ({"n": 1.5, "m": 1e-7, "big": 10**30, "text": "1e+22 and -0.0"}, False),
        ({"n": 1e22}, True),
        ({"n": [0, -0.0]}, True),
        ({}, False),
    ):
        text, exact = columns_of(input_)
        assert (exact == text) is twice
        assert (exact is None) is not twice
