"""Batches are counted by an index, whatever the table of tasks holds."""

from uuid import UUID

import asyncpg
import pytest

from genpulse.adapters.database.statements import batches
from genpulse.adapters.database.statements.search import searches
from genpulse.adapters.database.tasks.batches import PostgresBatches
from genpulse.adapters.postgresql.connections import open_pool
from genpulse.domain.search.task_query import TaskFilter, TaskQuery
from genpulse.domain.task_batch import BatchQuery

# A third of the tasks is of no batch, the others are of 20.
_FILL = """
INSERT INTO batches (id, environment, owner, size, created_at)
SELECT ('0193a1b2-c3d4-7000-8000-0000000000' || lpad(n::text, 2, '0'))::uuid, 'dev', 'k' || n % 2, 333, now()
FROM generate_series(0, 19) AS n;
INSERT INTO tasks (id, environment, kind, provider, model, status, priority, input, metadata, attempt, seq,
                   created_at, started_at, finished_at, batch_id)
SELECT gen_random_uuid(), 'dev', 'any', 'p', 'p/m', 'succeeded', 0, '{}', '{}', 1, 1, now(), now(), now(),
       CASE WHEN n % 3 > 0 THEN ('0193a1b2-c3d4-7000-8000-0000000000' || lpad((n % 20)::text, 2, '0'))::uuid END
FROM generate_series(1, 10000) AS n;
ANALYZE tasks;
"""
BATCH = UUID("0193a1b2-c3d4-7000-8000-000000000007")


@pytest.fixture
async def connection(migrated_url):
    """With the planner as PostgreSQL ships it."""
    connection = await asyncpg.connect(migrated_url)
    await connection.execute(_FILL)
    yield connection
    await connection.close()


async def plan(connection, statement, *values):
    rows = await connection.fetch(f"EXPLAIN {statement}", *values)
    return "\n".join(row[0] for row in rows)


async def test_counts_ends_and_tasks_are_found_by_their_batch(connection):
    (search,) = searches.first(TaskQuery(filter=TaskFilter(batch=BATCH)))
    for statement, values in (
        (batches.GET, [BATCH]),
        (batches.ENDS, [BATCH]),
        (batches.PAGE, [BATCH, 5]),
        (search.text, search.values),
    ):
        found = await plan(connection, statement, *values)
        assert "ix_tasks_batch_id_id" in found, found
        assert "Seq Scan on tasks" not in found, found


async def test_a_page_counts_each_of_its_batches(connection, migrated_url):
    pool = await open_pool(migrated_url, size=1, application_name="tests")
    found = await PostgresBatches(pool).find(BatchQuery(limit=5, owner="k1"))
    await pool.close()
    assert [str(batch.id)[-2:] for batch in found] == ["19", "17", "15", "13", "11"]
    assert all(sum(batch.statuses.values()) in {333, 334} for batch in found)
