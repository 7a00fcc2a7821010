"""SQL of waiting work, notifications and workers."""

from genpulse.adapters.database.statements.columns import worker_channel
from genpulse.domain.task import Priority

ANNOUNCE = f"""
SELECT pg_notify({worker_channel("worker")}, 'news ' || task_id::text) FROM queue
WHERE task_id = $1 AND worker IS NOT NULL
"""

UNWANTED = """
SELECT queue.task_id FROM queue
JOIN (SELECT id FROM tasks WHERE cancel_requested_at IS NOT NULL AND finished_at IS NULL) AS unwanted
     ON unwanted.id = queue.task_id
WHERE queue.worker = $1
"""

LIMITED_DUE = """
SELECT wanted.provider FROM unnest($1::text[], $2::int[]) AS wanted(provider, seats)
WHERE EXISTS (SELECT FROM queue
              WHERE queue.provider = wanted.provider AND lease IS NULL AND NOT begun AND due_at <= now())
  AND (wanted.seats IS NULL
       OR (SELECT count(*) FROM queue WHERE queue.provider = wanted.provider AND limited) < wanted.seats)
"""

RUNNING = "SELECT count(*) FROM queue WHERE provider = $1 AND limited"

NEXT_DUE_MARGIN_S = 0.5
NEXT_DUE = f"""
SELECT extract(epoch FROM due_at - now())::float8 FROM queue
WHERE deferred AND provider = ANY($1::text[])
  AND due_at > now() - ($3::float8 + {NEXT_DUE_MARGIN_S}) * interval '1 s'
  AND due_at < now() + $2::float8 * interval '1 s'
ORDER BY due_at LIMIT 1
"""
"""What has become due since somebody looked, so many seconds ago, came too late for that, and is due at once."""

_STEP = Priority.NORMAL - Priority.LOW

PROMOTE = f"""
WITH RECURSIVE providers AS (
(SELECT provider FROM queue WHERE lease IS NULL ORDER BY provider LIMIT 1)
UNION ALL
SELECT next.provider FROM providers CROSS JOIN LATERAL (
    SELECT provider FROM queue WHERE lease IS NULL AND queue.provider > providers.provider
    ORDER BY provider LIMIT 1) AS next),
urgent AS MATERIALIZED (
SELECT providers.provider, highest.priority FROM providers CROSS JOIN LATERAL (
    SELECT priority FROM queue
    WHERE queue.provider = providers.provider AND lease IS NULL AND NOT begun AND due_at <= now()
      AND since <= due_at
    ORDER BY priority DESC LIMIT 1) AS highest)
UPDATE queue SET priority = priority + {_STEP}, since = now()
WHERE task_id IN (SELECT queue.task_id FROM urgent
                  JOIN queue ON queue.provider = urgent.provider AND queue.priority < urgent.priority
                  WHERE lease IS NULL AND due_at < now() - $1::interval AND since < now() - $1::interval
                  LIMIT 1000 FOR UPDATE OF queue SKIP LOCKED)
"""
"""Nothing is promoted behind what was promoted itself: or all that waits for long would pass others' work."""

BACKLOGS = """
SELECT provider, count(*) AS count,
       coalesce(extract(epoch FROM now() - min(due_at) FILTER (WHERE due_at <= now())), 0)::float8 AS overdue_s
FROM queue WHERE lease IS NULL GROUP BY provider
"""

LOADS = """
WITH RECURSIVE providers AS (
(SELECT provider FROM queue WHERE lease IS NULL ORDER BY provider LIMIT 1)
UNION ALL
SELECT next.provider FROM providers CROSS JOIN LATERAL (
    SELECT provider FROM queue WHERE lease IS NULL AND queue.provider > providers.provider
    ORDER BY provider LIMIT 1) AS next),
held AS (
SELECT provider, priority, count(*) AS running FROM queue WHERE worker IS NOT NULL GROUP BY provider, priority),
waits AS (
SELECT providers.provider, levels.priority, sum(due.count) AS waiting, sum(later.count) AS later,
       min(due.due_at) AS due_at
FROM providers CROSS JOIN unnest($1::int[]) AS levels(priority) CROSS JOIN unnest(ARRAY[true, false]) AS has(begun)
CROSS JOIN LATERAL (SELECT count(*), min(due_at) AS due_at FROM (
    SELECT due_at FROM queue WHERE queue.provider = providers.provider AND queue.priority = levels.priority
      AND lease IS NULL AND queue.begun = has.begun AND due_at <= now() ORDER BY due_at LIMIT $2) AS first) AS due
CROSS JOIN LATERAL (SELECT count(*) FROM (
    SELECT FROM queue WHERE queue.provider = providers.provider AND queue.priority = levels.priority
      AND lease IS NULL AND queue.begun = has.begun AND due_at > now() LIMIT $2) AS first) AS later
GROUP BY providers.provider, levels.priority)
SELECT provider, priority, coalesce(running, 0) AS running, least(coalesce(waiting, 0), $2)::int AS waiting,
       least(coalesce(later, 0), $2)::int AS later,
       coalesce(extract(epoch FROM now() - due_at), 0)::float8 AS overdue_s
FROM waits FULL JOIN held USING (provider, priority)
WHERE coalesce(running, 0) + coalesce(waiting, 0) + coalesce(later, 0) > 0
ORDER BY provider, priority DESC
"""
"""The index of what waits is walked to each provider and priority, and no further than is counted."""

WORKERS = "SELECT count(*) FROM workers WHERE lease_until > now()"

TIDY = """
DELETE FROM workers
WHERE lease_until < now() - interval '1 hour' AND NOT EXISTS (SELECT FROM queue WHERE worker = workers.id)
"""
