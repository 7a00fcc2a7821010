"""Reading tasks, what is journaled of them, and their assets. Columns of many rows come as arrays."""

from genpulse.adapters.database.statements.columns import ATTEMPT_TIMES, ONE_OF_MANY, WHOLE_TASK

_TIMES = ", ".join(f"attempts.{name}" for name in ATTEMPT_TIMES)

BY_KEY = f"""
SELECT {WHOLE_TASK}, tasks.fingerprint FROM tasks WHERE owner = $1 AND idempotency_key = $2 AND deleted_at IS NULL
"""

NEWEST_KEY = """
SELECT idempotency_key FROM tasks
WHERE owner = $1 AND idempotency_key > $2 AND idempotency_key < $3 AND deleted_at IS NULL
ORDER BY idempotency_key DESC LIMIT 1
"""

BY_KEYS = f"""
SELECT {ONE_OF_MANY}, tasks.fingerprint, tasks.idempotency_key FROM tasks
WHERE owner = $1 AND idempotency_key = ANY($2::text[]) AND deleted_at IS NULL
"""

UNDER_KEYS = f"""
SELECT {WHOLE_TASK}, tasks.fingerprint, tasks.idempotency_key
FROM unnest($1::text[], $2::text[]) AS wanted(owner, idempotency_key) JOIN tasks USING (owner, idempotency_key)
WHERE tasks.deleted_at IS NULL
"""

OF_BATCH = f"SELECT {ONE_OF_MANY} FROM tasks WHERE batch_id = $1 AND deleted_at IS NULL ORDER BY id"

KEY_IS_DELETED = "SELECT EXISTS (SELECT FROM tombstones WHERE key_digest = $1)"

DELETED_KEYS = "SELECT key_digest FROM tombstones WHERE key_digest = ANY($1::bytea[])"

GET = f"SELECT {WHOLE_TASK} FROM tasks WHERE id = ANY($1::uuid[]) AND deleted_at IS NULL"

ATTEMPTS = f"""
SELECT attempts.id, attempts.task_id, attempts.number, attempts.provider, attempts.model, attempts.worker,
       attempts.client_reference, attempts.started_at, attempts.status, attempts.finished_at, attempts.error,
       {_TIMES},
       CASE attempts.status WHEN 'running' THEN tasks.order_sent_at ELSE attempts.submitting_at END
       AS submitting_at,
       CASE attempts.status WHEN 'running' THEN tasks.order_job_id ELSE attempts.job_id END AS job_id
FROM attempts JOIN tasks ON tasks.id = attempts.task_id
WHERE attempts.task_id = $1 AND tasks.deleted_at IS NULL ORDER BY number
"""

JOURNAL_ORDER = """
UPDATE tasks SET order_reference = made.reference, order_account = provider, order_sent_at = now(),
       order_job_id = NULL, order_settled_usd = NULL, order_settled_day = NULL, losses = 0
FROM unnest($1::uuid[], $2::uuid[], $3::text[]) AS made(task_id, lease, reference)
WHERE tasks.id = made.task_id AND tasks.lease = made.lease AND tasks.status = 'running'
RETURNING tasks.lease, order_reference, order_account, order_sent_at, order_job_id
"""

JOURNAL_JOB = """
UPDATE tasks SET order_job_id = made.job_id, losses = CASE WHEN tasks.lease = made.lease THEN 0 ELSE losses END,
       order_stop_at = CASE WHEN order_stop_at IS NOT NULL THEN now() END
FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[]) AS made(task_id, lease, reference, job_id)
WHERE tasks.id = made.task_id AND order_sent_at IS NOT NULL
  AND (tasks.lease = made.lease OR (order_reference = made.reference AND order_job_id IS NULL))
RETURNING made.lease, tasks.lease IS NOT DISTINCT FROM made.lease AS is_held
"""
"""Whoever has lost its lease still tells the name of its own order: nobody else will ever hear it. Where the task
has ended and nobody wants the order any more, it can be stopped from now on.
"""

SAVE_PROGRESS = """
UPDATE tasks SET progress = saved.progress, seq = greatest(tasks.seq, saved.seq)
FROM unnest($1::uuid[], $2::uuid[], $3::float8[], $4::bigint[]) AS saved(task_id, lease, progress, seq)
WHERE tasks.id = saved.task_id AND tasks.lease = saved.lease AND tasks.status = 'running'
"""

SAVE_WAITING = """
UPDATE tasks SET waiting_for = $3,
       waiting_since = CASE WHEN $3::text IS NULL THEN NULL
                            WHEN waiting_for = $3 THEN waiting_since ELSE now() END,
       last_error = coalesce($4::jsonb, last_error), seq = greatest(seq + 1, $5)
WHERE id = $1 AND lease = $2 AND status = 'running'
"""

ADD_ASSETS = """
WITH keys AS MATERIALIZED (
SELECT key, erased_at FROM doomed_objects WHERE key = ANY($5::text[]) ORDER BY key FOR KEY SHARE)
INSERT INTO assets (id, task_id, owner, environment, key, sha256, size, media_type, width, height, duration_s,
                    created_at)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[],
                     $8::text[], $9::int[], $10::int[], $11::float8[], $12::timestamptz[])
WHERE NOT EXISTS (SELECT FROM keys WHERE erased_at IS NOT NULL)
RETURNING id
"""
"""All of them, or none where the bytes of one were erased."""

_SHOWN = """assets.deleted_at IS NULL
    AND NOT EXISTS (SELECT FROM tasks AS maker
                    WHERE maker.id = assets.task_id AND maker.deleted_at IS NOT NULL)"""
"""Outputs of a task that was deleted are gone with it, also before their rows are."""

ASSETS = f"""
SELECT * FROM assets
WHERE id = ANY($1::uuid[]) AND ({_SHOWN}
                   OR EXISTS (SELECT FROM asset_uses JOIN tasks ON tasks.id = asset_uses.task_id
                              WHERE asset_uses.asset_id = assets.id AND tasks.finished_at IS NULL))
"""

TWIN = """
SELECT * FROM assets
WHERE sha256 = $1 AND strpos(key, '/id/') > 0 AND size = $2 AND strpos(key, $3) = 1 AND key <> $4
  AND environment = $5 AND deleted_at IS NULL
ORDER BY created_at LIMIT 1
"""
"""By the index of digests: no condition on the key is one that its own index would be taken for."""

OWNERS_OF_ASSETS = f"SELECT id, owner FROM assets WHERE id = ANY($1::uuid[]) AND {_SHOWN}"

MEDIA_TYPES = "SELECT id, media_type FROM assets WHERE id = ANY($1::uuid[])"

COUNTS = """
SELECT 'queued' AS status, count(*) FROM queue WHERE lease IS NULL
UNION ALL SELECT 'running', count(*) FROM queue WHERE worker IS NOT NULL
"""
"""By the indexes of the narrow table: rows of tasks are wide, and a million may wait."""
