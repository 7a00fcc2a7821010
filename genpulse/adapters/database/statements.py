"""The SQL of the task store. Each takes columns of many rows as arrays."""

from collections.abc import Sequence

from genpulse.domain.event import SPAN
from genpulse.domain.task import TaskQuery, TaskStatus

_SUBMIT = """
WITH written AS (
INSERT INTO tasks (id, environment, owner, kind, provider, model, status, priority, input, metadata,
                   webhook_url, deadline_at, idempotency_key, fingerprint, created_at, price_usd)
SELECT id, environment, owner, kind, provider, model, 'queued', priority, input::jsonb, metadata::jsonb,
       webhook_url, deadline_at, idempotency_key, fingerprint, created_at, price_usd
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::smallint[],
            $8::text[], $9::text[], $10::text[], $11::timestamptz[], $12::text[], $13::text[],
            $14::timestamptz[], $15::numeric[])
     AS new(id, environment, owner, kind, provider, model, priority, input, metadata,
            webhook_url, deadline_at, idempotency_key, fingerprint, created_at, price_usd)
ON CONFLICT (owner, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING
RETURNING id, provider, priority),
queued AS ({adding})
SELECT id FROM written
"""


def submit(adding: str) -> str:
    """The rows and their queue entries in one statement; `adding` is `QueueEntries.adding`."""
    return _SUBMIT.format(adding=adding)


BY_KEY = """
SELECT tasks.* FROM tasks
JOIN unnest($1::text[], $2::text[]) AS wanted(owner, idempotency_key) USING (owner, idempotency_key)
"""

GET = "SELECT * FROM tasks WHERE id = ANY($1::uuid[])"

_STATUS = {
    TaskStatus.QUEUED: "status = 'queued' AND finished_at IS NULL",
    TaskStatus.RUNNING: "status = 'running' AND finished_at IS NULL",
    TaskStatus.SUCCEEDED: "status = 'succeeded'",
    TaskStatus.FAILED: "status = 'failed' AND error IS NOT NULL",
    TaskStatus.CANCELED: "status = 'canceled' AND cancel_requested_at IS NOT NULL",
}


def find(query: TaskQuery) -> tuple[str, Sequence[object]]:
    """A statement that asks for what is wanted and no more, so that an index fits, and its values."""
    wanted = (
        ("id < ${}", query.before),
        ("kind = ${}", query.kind),
        ("provider = ${}", query.provider),
        # Tasks of nobody are in no index by owner.
        ("owner = ${} AND owner <> ''" if query.owner else "owner = ${}", query.owner),
        ("error ->> 'code' = ${} AND error IS NOT NULL AND status = 'failed'", query.code and query.code.value),
    )
    given = [(text, value) for text, value in wanted if value is not None]
    conditions = [text.format(number) for number, (text, _) in enumerate(given, 1)]
    if query.status is not None:
        conditions.append(_STATUS[query.status])
    where = f"WHERE {' AND '.join(conditions)} " if conditions else ""
    values = [value for _, value in given]
    return f"SELECT * FROM tasks {where}ORDER BY id DESC LIMIT ${len(values) + 1}", [*values, query.limit]


ATTEMPTS = "SELECT * FROM attempts WHERE task_id = $1 ORDER BY number"

BEGIN = f"""
WITH claimed AS (
SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::timestamptz[], $5::text[], $6::text[])
     AS claimed(task_id, ticket, attempt_id, began_at, worker, client_reference)),
begun AS (
UPDATE tasks SET status = 'running', lease = claimed.attempt_id, ticket = claimed.ticket,
       attempt = tasks.attempt + 1, started_at = coalesce(tasks.started_at, claimed.began_at),
       progress = NULL, seq = (tasks.seq / {SPAN} + 1) * {SPAN}
FROM claimed
WHERE tasks.id = claimed.task_id AND tasks.cancel_requested_at IS NULL
  AND (tasks.status = 'queued' OR (tasks.status = 'running' AND tasks.ticket = claimed.ticket))
RETURNING tasks.*, claimed.began_at, claimed.worker, claimed.client_reference),
abandoned AS (
UPDATE attempts SET status = 'abandoned', finished_at = begun.began_at
FROM begun
WHERE attempts.task_id = begun.id AND begun.attempt > 1 AND attempts.status = 'running'),
added AS (
INSERT INTO attempts (id, task_id, number, provider, model, worker, client_reference, status, started_at)
SELECT lease, id, attempt, provider, model, worker, client_reference, 'running', began_at FROM begun)
SELECT * FROM begun
"""

PREVIOUS_ATTEMPTS = """
SELECT DISTINCT ON (task_id) * FROM attempts
WHERE task_id = ANY($1::uuid[]) AND id <> ALL($2::uuid[])
ORDER BY task_id, number DESC
"""

ABANDON = """
UPDATE attempts SET status = 'abandoned', finished_at = $2
WHERE task_id = ANY($1::uuid[]) AND status = 'running'
"""

CANCEL_LOST = f"""
UPDATE tasks SET status = 'canceled', lease = NULL, finished_at = now(),
       seq = (seq / {SPAN} + 1) * {SPAN} - 1
FROM unnest($1::uuid[], $2::bigint[]) AS claimed(task_id, ticket)
WHERE tasks.id = claimed.task_id AND cancel_requested_at IS NOT NULL
  AND (status = 'queued' OR (status = 'running' AND tasks.ticket = claimed.ticket))
RETURNING id
"""

JOURNAL = """
UPDATE attempts SET submitting_at = coalesce($3, submitting_at), job_id = coalesce($4, job_id)
FROM tasks
WHERE attempts.id = $2 AND tasks.id = $1 AND tasks.lease = $2 AND tasks.status = 'running'
RETURNING attempts.id
"""

SAVE_PROGRESS = """
UPDATE tasks SET progress = saved.progress, seq = greatest(tasks.seq, saved.seq)
FROM unnest($1::uuid[], $2::uuid[], $3::float8[], $4::bigint[]) AS saved(task_id, lease, progress, seq)
WHERE tasks.id = saved.task_id AND tasks.lease = saved.lease AND tasks.status = 'running'
"""

_FINISH = f"""
WITH ended AS (
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::float8[], $5::text[], $6::text[], $7::text[],
                     $8::timestamptz[], $9::text[], $10::text[], $11::timestamptz[], $12::bigint[])
     AS ended(task_id, lease, status, progress, outputs, error, cost, finished_at,
              attempt_status, attempt_error, attempt_ended_at, ticket)),
done AS (
UPDATE tasks SET status = ended.status, lease = NULL, progress = ended.progress,
       outputs = ended.outputs::jsonb, error = ended.error::jsonb, cost = ended.cost::jsonb,
       finished_at = ended.finished_at, seq = (tasks.seq / {SPAN} + 1) * {SPAN} - 1
FROM ended
WHERE tasks.id = ended.task_id AND tasks.lease = ended.lease AND tasks.status = 'running'
RETURNING tasks.seq, ended.lease, ended.attempt_status, ended.attempt_error, ended.attempt_ended_at,
          ended.ticket),
closed AS (
UPDATE attempts SET status = done.attempt_status, finished_at = done.attempt_ended_at,
       error = done.attempt_error::jsonb
FROM done WHERE attempts.id = done.lease),
settled AS ({{settling}})
SELECT lease, seq FROM done
"""


def finish(settling: str) -> str:
    """Tasks, attempts and queue entries in one statement; `settling` is `QueueEntries.settling`."""
    return _FINISH.format(settling=settling)


CANCEL = f"""
UPDATE tasks SET
       status = CASE status WHEN 'queued' THEN 'canceled' ELSE status END,
       finished_at = CASE status WHEN 'queued' THEN $2 ELSE finished_at END,
       seq = CASE status WHEN 'queued' THEN (seq / {SPAN} + 1) * {SPAN} - 1 ELSE seq END,
       cancel_requested_at = coalesce(cancel_requested_at, $2)
WHERE id = $1 AND status IN ('queued', 'running')
RETURNING *
"""

RETRY = """
UPDATE tasks SET status = 'queued', error = NULL, progress = NULL, finished_at = NULL, ticket = NULL,
       deadline_at = NULL, cancel_requested_at = NULL, seq = seq + 1
WHERE id = $1 AND status = 'failed'
RETURNING *
"""

CANCEL_REQUESTED = "SELECT id FROM tasks WHERE id = ANY($1::uuid[]) AND cancel_requested_at IS NOT NULL"

EXPIRE = f"""
UPDATE tasks SET status = 'failed', error = $2::jsonb, finished_at = $1,
       seq = (seq / {SPAN} + 1) * {SPAN} - 1
WHERE id IN (SELECT id FROM tasks WHERE finished_at IS NULL AND deadline_at <= $1 AND status = 'queued'
             LIMIT 1000 FOR UPDATE SKIP LOCKED)
RETURNING *
"""

_SPENT = """
SELECT coalesce(sum(
           coalesce(nullif((cost ->> 'amount_usd')::numeric, 'NaN'),
                    CASE WHEN status IN ('queued', 'running', 'succeeded') OR (status = 'canceled' AND attempt > 0)
                         THEN price_usd END,
                    0)
           + CASE WHEN attempt > 1 OR status IN ('queued', 'failed')
                  THEN coalesce(price_usd, 0) * (SELECT count(*) FROM attempts
                                                 WHERE task_id = tasks.id AND attempts.status = 'failed'
                                                   AND attempts.error ->> 'charged' <> 'no')
                  ELSE 0 END), 0)
"""

SPENT = f"""{_SPENT}FROM tasks WHERE created_at >= $1 AND (price_usd IS NOT NULL OR cost IS NOT NULL)
"""

SPENT_BY = f"""{_SPENT}FROM tasks
WHERE owner = $2 AND owner <> '' AND created_at >= $1 AND (price_usd IS NOT NULL OR cost IS NOT NULL)
"""

USAGE = """
SELECT (SELECT count(*) FROM tasks WHERE owner = $1 AND owner <> '' AND finished_at IS NULL) AS active,
       (SELECT count(*) FROM tasks WHERE owner = $1 AND owner <> '' AND id >= $2) AS today
"""

ADD_ASSETS = """
INSERT INTO assets (id, task_id, owner, environment, key, sha256, size, media_type, width, height, duration_s,
                    created_at)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[],
                     $8::text[], $9::int[], $10::int[], $11::float8[], $12::timestamptz[])
"""

ASSET = "SELECT * FROM assets WHERE id = $1"

COUNTS = "SELECT status, count(*) FROM tasks WHERE finished_at IS NULL GROUP BY status"
