"""A database that has grown: so many rows that whoever reads a table whole is seen."""

from uuid import UUID

import asyncpg

from genpulse.adapters.database.tasks.store import PostgresTaskStore
from genpulse.adapters.postgresql.connections import open_pool

TASKS = 20_000
WAITING = 2_000
RUNNING = 50
RECEIVERS = 5
OWNERS = tuple(UUID(int=number + 1) for number in range(4))
RARE_OWNER = UUID(int=99)
TABLES = (
    *("tasks", "attempts", "queue", "deliveries", "assets", "ledger", "batches", "api_keys", "usage_hours"),
    *("console_actions", "console_sessions", "workers"),
)

# Ids are UUIDv7 of the last 29 days. One in 1,000 is of a kind, a model, a customer and so on of its own.
_TASK_ID = """(lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || substr(md5(n::text), 1, 3)
               || '8' || substr(md5(n::text), 4, 15))::uuid"""
_KEYS = """
INSERT INTO api_keys (id, name, hint, digest, scopes, created_at)
SELECT lpad(to_hex(n), 32, '0')::uuid, 'key ' || n, 'h', ('d' || n)::bytea, '{tasks:read,tasks:write}', now()
FROM unnest(ARRAY[2, 3, 4, 99]) AS n
"""
_BATCHES = """
INSERT INTO batches (id, environment, owner, size, created_at)
SELECT lpad(to_hex(4096 + n), 32, '0')::uuid, 'dev', lpad(to_hex(n % 4 + 1), 32, '0')::uuid::text, 100, now()
FROM generate_series(0, 400) AS n
"""
_MADE = f"""
CREATE TEMPORARY TABLE made AS
SELECT {_TASK_ID} AS id, n, at, n % 1000 = 7 AS is_rare,
       CASE WHEN n % 1000 = 7 THEN lpad(to_hex(99), 32, '0')::uuid::text
            WHEN n % 5 = 4 THEN '' ELSE lpad(to_hex(n % 5 + 1), 32, '0')::uuid::text END AS owner,
       CASE WHEN n % 1000 = 7 THEN 'rare' WHEN n % 2 = 0 THEN 'art' ELSE 'p' || n % 4 END AS provider,
       CASE WHEN n % 1000 = 7 THEN 'rare/m' WHEN n % 2 = 0 THEN 'art/easel' ELSE 'p' || n % 4 || '/m' || n % 8 END
       AS model,
       CASE WHEN n >= {TASKS - RUNNING} THEN 'running' WHEN n >= {TASKS - RUNNING - WAITING} THEN 'queued'
            WHEN n % 50 = 0 OR n % 2000 = 7 THEN 'failed' WHEN n % 50 = 1 THEN 'canceled' ELSE 'succeeded' END
       AS status
FROM generate_series(0, {TASKS - 1}) AS n,
     LATERAL (SELECT now() - interval '29 days' * (1 - n::float8 / {TASKS}) - interval '10 s' AS at) AS made
"""
_TASK_ROWS = """
INSERT INTO tasks (id, environment, owner, kind, provider, model, status, priority, input, metadata, outputs,
                   error, cost, price_usd, attempt, seq, created_at, started_at, finished_at, cancel_requested_at,
                   batch_id, lease)
SELECT id, 'dev', owner, CASE WHEN is_rare THEN 'text-to-speech' ELSE 'text-to-image' END, provider, model, status,
       0,
       jsonb_build_object('prompt', CASE WHEN is_rare THEN 'a badger' ELSE 'a red fox at dawn, no. ' || n END),
       CASE WHEN is_rare THEN '{"customer": "rare"}' ELSE jsonb_build_object('customer', 'c' || n % 40) END,
       CASE WHEN status = 'succeeded' THEN jsonb_build_array(jsonb_build_object(
           'id', md5('asset' || n)::uuid, 'task_id', id, 'environment', 'dev', 'owner', owner, 'created_at', at,
           'key', md5(n::text), 'sha256', md5(n::text), 'size', 1000, 'media_type', 'image/png', 'width', 64,
           'height', 64, 'duration_s', null)) ELSE '[]' END,
       CASE WHEN status = 'failed' THEN jsonb_build_object(
           'code', CASE WHEN is_rare THEN 'timeout' ELSE 'provider_unavailable' END, 'message', 'away',
           'retryable', true, 'charged', 'no', 'who_must_act', 'nobody', 'retry_after_s', null) END,
       CASE WHEN status = 'succeeded' THEN '{"amount_usd": "0.04", "estimated": false}'::jsonb END, 0.04,
       CASE WHEN status = 'queued' THEN 0 ELSE 1 END, 999, at, CASE WHEN status <> 'queued' THEN at END,
       CASE WHEN status NOT IN ('queued', 'running') THEN at + interval '9 seconds' END,
       CASE WHEN status = 'canceled' THEN at END,
       CASE WHEN n % 4 = 0 THEN lpad(to_hex(4096 + n / 100), 32, '0')::uuid END,
       CASE WHEN status = 'running' THEN md5('attempt' || n)::uuid END
FROM made
"""
_BESIDE_TASKS = """
INSERT INTO attempts (id, task_id, number, provider, model, worker, client_reference, status, started_at,
                      finished_at, polls)
SELECT md5('attempt' || n)::uuid, id, 1, provider, model, 'w', 'gp', status, at,
       CASE WHEN status <> 'running' THEN at + interval '9 seconds' END, 0
FROM made WHERE status <> 'queued';
INSERT INTO queue (task_id, owner, provider, priority, due_at, lease, worker)
SELECT id, owner, provider, 0, at, CASE WHEN status = 'running' THEN md5('attempt' || n)::uuid END,
       CASE WHEN status = 'running' THEN md5('worker')::uuid END
FROM made WHERE status IN ('queued', 'running');
INSERT INTO ledger (task_id, attempt, kind, amount_usd, provider, model, owner, environment, day, source)
SELECT id, 1, entry, 0.04, provider, model, owner, 'dev', (at AT TIME ZONE 'utc')::date, 'price'
FROM made, unnest(ARRAY['reserved', 'settled']) AS entry;
INSERT INTO assets (id, task_id, owner, environment, key, sha256, size, media_type, width, height, created_at)
SELECT md5('asset' || n)::uuid, id, owner, 'dev', md5(n::text), md5(n::text), 1000, 'image/png', 64, 64, at
FROM made WHERE status = 'succeeded';
INSERT INTO deliveries (id, task_id, type, url, task, created_at, tries, next_try_at, delivered_at, origin,
                        environment, last_error)
SELECT md5('delivery' || n)::uuid, id, 'task.succeeded', 'https://' || n % 5 || '.example/', '{}', at,
       CASE WHEN n % 10 = 0 THEN 3 ELSE 1 END, CASE WHEN n % 40 = 0 THEN now() + interval '1 h' END,
       CASE WHEN n % 10 <> 0 THEN at END, 'https://' || n % 5 || '.example', 'dev', ''
FROM made WHERE status NOT IN ('queued', 'running')
"""
_CONSOLE = """
INSERT INTO console_sessions (digest, key_id, expires_at)
SELECT sha256(n::text::bytea), lpad(to_hex(1), 32, '0')::uuid, now() + interval '1 h'
FROM generate_series(1, 5000) AS n;
INSERT INTO console_actions (id, action, subject, owner, key_name, address)
SELECT gen_random_uuid(), 'task.cancel', '', 'k' || n % 7, '', '' FROM generate_series(1, 5000) AS n
"""


async def fill(url: str) -> None:
    """Fill an empty database, sum its usage up, and let the planner know."""
    connection = await asyncpg.connect(url)
    await connection.execute("SET session_replication_role = replica; SET synchronous_commit = off")
    for statement in (_KEYS, _BATCHES, _MADE, _TASK_ROWS, _BESIDE_TASKS, _CONSOLE):
        await connection.execute(statement)
    pool = await open_pool(url, size=2, application_name="tests", environment="dev")
    store = PostgresTaskStore(pool)
    while await store.sum_usage():
        pass
    await store.close()
    await pool.close()
    for table in TABLES:
        await connection.execute(f"VACUUM ANALYZE {table}")
    await connection.close()


def batch_id(number: int) -> UUID:
    """The id of a batch."""
    return UUID(int=4096 + number)
