"""Writing and reading batches. A batch is counted by the rows of its tasks, so that no counter can be wrong."""

from genpulse.domain.task import TaskStatus

BEGIN_KEYED = """
INSERT INTO batches (id, environment, owner, idempotency_key, fingerprint, size, created_at)
VALUES ($1, $2, $3, $4, $5, $6, now())
ON CONFLICT (owner, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING
RETURNING id
"""
"""No row where the key is known; whoever writes it at the same moment is waited for."""

KEEP = """
INSERT INTO batches (id, environment, owner, fingerprint, size, created_at) VALUES ($1, $2, $3, '', $4, now())
"""

BY_KEY = "SELECT id, fingerprint FROM batches WHERE owner = $1 AND idempotency_key = $2"

_COUNTS = ", ".join(f"count(*) FILTER (WHERE status = '{status}') AS {status}" for status in TaskStatus)

_STANDING = f"""
SELECT chosen.*, standing.*
FROM ({{chosen}}) AS chosen LEFT JOIN LATERAL (
    SELECT {_COUNTS},
           count(*) FILTER (WHERE status = 'failed' AND (error ->> 'retryable')::bool) AS retryable,
           sum((cost ->> 'amount_usd')::numeric) AS amount_usd,
           coalesce(bool_or((cost ->> 'estimated')::bool), false) AS estimated,
           max(finished_at) AS last_end_at
    FROM tasks WHERE tasks.batch_id = chosen.id AND deleted_at IS NULL
) AS standing ON true
ORDER BY chosen.id DESC
"""

_COLUMNS = "SELECT id, environment, owner, created_at, size FROM batches"

GET = _STANDING.format(chosen=f"{_COLUMNS} WHERE id = $1")

PAGE = _STANDING.format(
    chosen=f"{_COLUMNS} WHERE ($1::uuid IS NULL OR id < $1) ORDER BY id DESC LIMIT $2",
)

PAGE_OF_OWNER = _STANDING.format(
    chosen=f"{_COLUMNS} WHERE owner = $3 AND ($1::uuid IS NULL OR id < $1) ORDER BY id DESC LIMIT $2",
)

ENDS = """
SELECT id, finished_at FROM tasks
WHERE batch_id = $1 AND finished_at IS NOT NULL AND deleted_at IS NULL ORDER BY finished_at, id
"""

FORGET = """
DELETE FROM batches
WHERE id IN (SELECT id FROM (SELECT id, created_at, environment FROM batches ORDER BY id LIMIT $2) AS oldest
             WHERE created_at < now() - $1::interval AND ($3::text IS NULL OR environment = $3))
  AND NOT EXISTS (SELECT FROM tasks WHERE tasks.batch_id = batches.id)
"""
"""Of the oldest ones those of which every task is gone."""
