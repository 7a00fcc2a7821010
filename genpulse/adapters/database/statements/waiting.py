"""SQL of waiting work, notifications and workers."""

from genpulse.adapters.database.statements.columns import worker_channel
from genpulse.domain.task import Priority

ANNOUNCE = f"""
SELECT pg_notify({worker_channel("worker")}, 'news ' || task_id::text) FROM queue
WHERE task_id = $1 AND worker IS NOT NULL
"""

LIMITED_DUE = """
SELECT wanted.provider FROM unnest($1::text[], $2::int[]) AS wanted(provider, seats)
WHERE EXISTS (SELECT FROM queue
              WHERE queue.provider = wanted.provider AND lease IS NULL AND NOT begun AND due_at <= now())
  AND (wanted.seats IS NULL
       OR (SELECT count(*) FROM queue WHERE queue.provider = wanted.provider AND limited) < wanted.seats)
"""

RUNNING = "SELECT count(*) FROM queue WHERE provider = $1 AND limited"

NEXT_DUE = """
SELECT extract(epoch FROM due_at - now())::float8 FROM queue
WHERE deferred AND provider = ANY($1::text[])
  AND due_at > now() - interval '0.5 s' AND due_at < now() + $2::float8 * interval '1 s'
ORDER BY due_at LIMIT 1
"""
"""What became due a moment ago may have come too late for those who looked before they asked."""

_STEP = Priority.NORMAL - Priority.LOW

PROMOTE = f"""
UPDATE queue SET priority = priority + {_STEP}, since = now()
WHERE task_id IN (SELECT task_id FROM queue
                  WHERE lease IS NULL AND priority < {int(Priority.HIGH)}
                    AND due_at < now() - $1::interval AND since < now() - $1::interval
                  LIMIT 1000 FOR UPDATE SKIP LOCKED)
"""

BACKLOGS = """
SELECT provider, count(*) AS count,
       coalesce(extract(epoch FROM now() - min(due_at) FILTER (WHERE due_at <= now())), 0)::float8 AS overdue_s
FROM queue WHERE lease IS NULL GROUP BY provider
"""

WORKERS = "SELECT count(*) FROM workers WHERE lease_until > now()"

TIDY = """
DELETE FROM workers
WHERE lease_until < now() - interval '1 hour' AND NOT EXISTS (SELECT FROM queue WHERE worker = workers.id)
"""
