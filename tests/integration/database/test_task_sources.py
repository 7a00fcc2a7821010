"""What wakes tasks that wait for others is quick however many tasks there are."""

import pytest

from genpulse.adapters.database.statements import ends, sources
from genpulse.adapters.postgresql.connections import open_pool

_TASKS = """
INSERT INTO tasks (id, environment, kind, provider, model, status, priority, input, metadata, created_at,
                   depends_on)
SELECT gen_random_uuid(), 'dev', 'noop', 'sandbox', 'sandbox/noop', 'queued', 0, '{}', '{}', now(),
       CASE WHEN number % 5 = 0 THEN ARRAY[gen_random_uuid()] END
FROM generate_series(1, 30000) AS number
"""
_QUEUE = """
INSERT INTO queue (task_id, provider, priority, due_at)
SELECT id, provider, priority, CASE WHEN depends_on IS NULL THEN now() ELSE 'infinity' END FROM tasks
"""
_SOURCES = """
INSERT INTO task_sources (source_id, task_id)
SELECT depends_on[1], id FROM tasks WHERE depends_on IS NOT NULL
"""
_WOKEN = f"""
WITH done AS (
SELECT id, status, finished_at FROM tasks WHERE id = ANY($1::uuid[])), {sources.woken_by("done")}
SELECT count(*) FROM woken
"""


@pytest.fixture
async def pool(own_database_url):
    pool = await open_pool(own_database_url, size=2, application_name="tests")
    yield pool
    await pool.close()


async def test_what_waits_is_found_by_indexes_whether_tables_were_analyzed_or_not(pool):
    for statements in ((_TASKS, _QUEUE, _SOURCES), ("ANALYZE",)):
        for statement in statements:
            await pool.execute(statement)
        wanted = [row["id"] for row in await pool.fetch("SELECT id FROM tasks LIMIT 20")]
        for statement, value in ((ends.CANCEL, wanted[0]), (sources.WAKE, wanted), (_WOKEN, wanted)):
            plan = "\n".join(row[0] for row in await pool.fetch(f"EXPLAIN {statement}", value))
            for table in ("queue", "tasks", "task_sources"):
                assert f"Seq Scan on {table}" not in plan, plan
