"""Many rows of a database at revision 0012, written by SQL: ended tasks, and some that wait."""

import asyncpg

BATCH = 250_000
WAITING = 100
"""Of so many tasks one waits."""
_ID = """
(lpad(to_hex((extract(epoch FROM timestamptz '2026-01-01') * 1000)::bigint + n), 12, '0') || {version}
 || substr(md5({word} || n), 1, 3) || '8' || substr(md5({word} || n), 4, 15))::uuid
"""
_TASK_ID = _ID.format(version="'7'", word="'task'")
_ATTEMPT_ID = _ID.format(version="'7'", word="'attempt'")
_ASSET_ID = _ID.format(version="'7'", word="'asset'")
_MOMENT = "timestamptz '2026-01-01' + n * interval '1 second' / 2"
_TASKS = f"""
INSERT INTO tasks (id, environment, owner, kind, provider, model, status, priority, input, metadata, webhook_url,
                   outputs, attempt, seq, created_at, started_at, finished_at, price_usd, cost, spent_day)
SELECT {_TASK_ID}, 'dev', (n % 50)::text, 'text-to-image', 'p' || n % 5, 'p' || n % 5 || '/m',
       CASE WHEN n % {WAITING} = 0 THEN 'queued' WHEN n % 20 = 1 THEN 'failed' ELSE 'succeeded' END, 0,
       jsonb_build_object('prompt', 'a red fox in the snow at dawn, number ' || n, 'seed', n, 'size', '1024x1024'),
       jsonb_build_object('customer', 'c' || n % 1000), CASE WHEN n % 4 = 0 THEN 'https://hooks.example/' || n END,
       jsonb_build_array(jsonb_build_object('asset_id', {_ASSET_ID})),
       1, 5, {_MOMENT}, CASE WHEN n % {WAITING} > 0 THEN {_MOMENT} END,
       CASE WHEN n % {WAITING} > 0 THEN {_MOMENT} + interval '9 seconds' END, 0.04,
       jsonb_build_object('amount_usd', '0.04'), ({_MOMENT})::date
FROM generate_series($1::bigint, $2::bigint) AS n
"""
_ATTEMPTS = f"""
INSERT INTO attempts (id, task_id, number, provider, model, worker, client_reference, status, submitting_at,
                      job_id, started_at, finished_at)
SELECT {_ATTEMPT_ID}, {_TASK_ID}, 1, 'p' || n % 5, 'p' || n % 5 || '/m', 'w-1', 'gp-' || md5(n::text),
       CASE WHEN n % 20 = 1 THEN 'failed' ELSE 'succeeded' END, {_MOMENT}, 'job-' || n, {_MOMENT},
       {_MOMENT} + interval '9 seconds'
FROM generate_series($1::bigint, $2::bigint) AS n WHERE n % {WAITING} > 0
"""
_ASSETS = f"""
INSERT INTO assets (id, task_id, owner, environment, key, sha256, size, media_type, width, height, created_at)
SELECT {_ASSET_ID}, {_TASK_ID}, (n % 50)::text, 'dev', '2026/01/' || md5(n::text), md5(n::text) || md5('x' || n),
       100000, 'image/png', 1024, 1024, {_MOMENT}
FROM generate_series($1::bigint, $2::bigint) AS n WHERE n % {WAITING} > 0
"""
_DELIVERIES = f"""
INSERT INTO deliveries (id, task_id, type, url, task, created_at, delivered_at, tries)
SELECT {_ATTEMPT_ID}, {_TASK_ID}, 'task.succeeded', 'https://hooks.example/' || n, '{{}}', {_MOMENT}, {_MOMENT}, 1
FROM generate_series($1::bigint, $2::bigint) AS n WHERE n % 4 = 0 AND n % {WAITING} > 0
"""
_QUEUE = f"""
INSERT INTO queue (task_id, provider, priority)
SELECT {_TASK_ID}, 'p' || n % 5, 0
FROM generate_series($1::bigint, $2::bigint) AS n WHERE n % {WAITING} = 0
"""


async def fill(url, tasks, tell=lambda _: None):
    """Write so many tasks with all that belongs to them. No trigger looks at them, as in a restored dump."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("SET session_replication_role = replica; SET synchronous_commit = off")
        for first in range(1, tasks + 1, BATCH):
            last = min(first + BATCH - 1, tasks)
            for statement in (_TASKS, _ATTEMPTS, _ASSETS, _DELIVERIES, _QUEUE):
                await connection.execute(statement, first, last)
            tell(f"{last:,} tasks are there")
        await connection.execute("ANALYZE")
    finally:
        await connection.close()
