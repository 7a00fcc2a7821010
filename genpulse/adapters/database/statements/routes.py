"""SQL of tasks on a route that wait for a provider which is left alone at present."""

from genpulse.adapters.database.statements.columns import AT_WISH, CHANNEL, TASK

WAITING = f"""
SELECT {TASK} FROM tasks JOIN queue ON queue.task_id = tasks.id
WHERE tasks.route IS NOT NULL AND tasks.finished_at IS NULL AND tasks.provider = ANY($1::text[])
  AND tasks.status = 'queued' AND tasks.cancel_requested_at IS NULL AND tasks.order_sent_at IS NULL
  AND EXISTS (
      SELECT FROM jsonb_array_elements(tasks.route -> 'targets') WITH ORDINALITY AS target(document, number)
      WHERE target.number > (tasks.route ->> 'place')::int + 1
        AND split_part(target.document ->> 'model', '/', 1) = ANY($3::text[]))
  AND queue.lease IS NULL AND NOT queue.ordered AND queue.due_at <= now()
ORDER BY tasks.id LIMIT $2
"""

MOVE = f"""
WITH wanted AS (
SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::text[]) AS wanted(task_id, seq, move)),
free AS MATERIALIZED (
SELECT queue.task_id FROM queue JOIN wanted USING (task_id)
WHERE queue.lease IS NULL AND NOT queue.ordered
ORDER BY queue.task_id FOR UPDATE OF queue SKIP LOCKED),
done AS (
UPDATE tasks SET provider = wanted.move::jsonb ->> 'provider', model = wanted.move::jsonb ->> 'model',
       route = (wanted.move::jsonb ->> 'route')::jsonb, seq = {AT_WISH}, waiting_for = NULL,
       waiting_since = NULL, next_try_at = CASE WHEN tasks.depends_on IS NOT NULL THEN now() END
FROM free JOIN wanted USING (task_id)
WHERE tasks.id = free.task_id AND tasks.status = 'queued' AND tasks.seq = wanted.seq
  AND tasks.cancel_requested_at IS NULL AND tasks.order_sent_at IS NULL
RETURNING {TASK}),
moved AS (
UPDATE queue SET provider = done.provider, due_at = now(), deferred = false, begun = false, since = now()
FROM done WHERE queue.task_id = done.id)
SELECT done.*, pg_notify('{CHANNEL}', done.provider) AS told FROM done
"""
"""Whoever moves a task that waits locks its entry first, as those do who end it.

One whose sources have ended is due at `next_try_at`: without that it would say that it waits for them.
"""

DURATIONS_S = """
SELECT wanted.model, avg(extract(epoch FROM recent.finished_at - recent.started_at))::float8 AS duration_s
FROM unnest($1::text[]) AS wanted(model), LATERAL (
     SELECT started_at, finished_at, status, attempt FROM tasks
     WHERE tasks.model = wanted.model ORDER BY id DESC LIMIT 50) AS recent
WHERE recent.status = 'succeeded' AND recent.attempt = 1 AND recent.started_at > now() - interval '1 day'
GROUP BY wanted.model
"""
