"""What the console asks is found by an index, however much there is, with the planner as PostgreSQL ships it."""

import json

import asyncpg
import pytest
import uuid_utils.compat

from genpulse.adapters.database import console
from genpulse.adapters.database.statements import waiting
from genpulse.adapters.database.webhooks import deliveries as webhook_deliveries
from genpulse.adapters.postgresql.connections import _PLANNER
from genpulse.domain.search.failing_receiver import COUNTED_AT_MOST as FAILING_AT_MOST
from genpulse.domain.search.queue_load import COUNTED_AT_MOST
from genpulse.domain.task import Priority

WAITING = 60_000
LIMIT = 51
_FILL_QUEUE = f"""
WITH made AS (
INSERT INTO tasks (id, environment, owner, kind, provider, model, status, priority, input, metadata, created_at)
SELECT gen_random_uuid(), 'dev', '', 'any', 'p' || n % 3, 'p/m', 'queued', (n % 3 - 1) * 10, '{{}}', '{{}}', now()
FROM generate_series(1, {WAITING}) AS n
RETURNING id, provider, priority)
INSERT INTO queue (task_id, provider, priority, due_at)
SELECT id, provider, priority, now() - random() * interval '1 hour' FROM made
"""
_FILL_DELIVERIES = """
INSERT INTO deliveries (id, task_id, type, url, task, created_at, tries, next_try_at, delivered_at, origin,
                        environment, last_error)
SELECT gen_random_uuid(), id, 'task.failed', 'http://x', '{}', now() - random() * interval '1 day',
       CASE WHEN n % 2 = 0 THEN 3 ELSE 1 END, NULL, CASE WHEN n % 2 <> 0 THEN now() END,
       'http://' || n % 5 || '.example', 'dev', ''
FROM (SELECT id, row_number() OVER () AS n FROM tasks) AS numbered
"""
_FILL_CONSOLE = """
INSERT INTO api_keys (id, name, hint, digest, scopes, created_at)
VALUES ('00000000-0000-0000-0000-000000000001', 'k', 'h', 'd', '{}', now());
INSERT INTO console_sessions (digest, key_id, expires_at)
SELECT sha256(n::text::bytea), '00000000-0000-0000-0000-000000000001', now() + n * interval '1 s'
FROM generate_series(-100, 20000) AS n;
INSERT INTO console_actions (id, action, subject, owner, key_name, address)
SELECT gen_random_uuid(), 'task.cancel', '', CASE WHEN n % 1000 = 0 THEN 'rare' ELSE 'k' || n % 7 END, '', ''
FROM generate_series(1, 50000) AS n
"""


@pytest.fixture
async def connection(migrated_url):
    connection = await asyncpg.connect(migrated_url, server_settings=_PLANNER)
    await connection.execute(_FILL_QUEUE)
    await connection.execute(_FILL_DELIVERIES)
    await connection.execute(_FILL_CONSOLE)
    for table in ("tasks", "queue", "deliveries", "console_sessions", "console_actions"):
        await connection.execute(f"VACUUM ANALYZE {table}")
    yield connection
    await connection.close()


def nodes(node):
    yield node
    for inner in node.get("Plans", ()):
        yield from nodes(inner)


async def test_each_question_walks_an_index_and_reads_no_more_than_it_tells(connection):
    last, digest = uuid_utils.compat.uuid7(), b"digest"
    questions = (
        (waiting.LOADS, (list(Priority), COUNTED_AT_MOST), 2 * COUNTED_AT_MOST),
        (webhook_deliveries.FAILING, ("dev", 100), 2 * FAILING_AT_MOST),
        (webhook_deliveries.FAILING_AT, ("dev", "http://3.example", 20), 3 * FAILING_AT_MOST),
        (console.SESSION, (digest,), 1),
        (console.OPEN, (digest, "00000000-0000-0000-0000-000000000001", "12 hours"), 200),
        (console.ACTIONS, (None, LIMIT), 2 * LIMIT),
        (console.ACTIONS, (last, LIMIT), 2 * LIMIT),
        (console.ACTIONS_OF, (None, LIMIT, "rare"), 2 * LIMIT),
    )
    await connection.set_type_codec("interval", schema="pg_catalog", encoder=str, decoder=str)
    for statement, values, most in questions:
        transaction = connection.transaction()
        await transaction.start()
        told = await connection.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", *values)
        await transaction.rollback()
        plan = json.loads(told)[0]["Plan"]
        for node in nodes(plan):
            read = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
            seen = (statement, node["Node Type"], node.get("Relation Name"), node.get("Index Name"), read)
            assert node["Node Type"] != "Seq Scan", seen
            assert read <= most, seen
