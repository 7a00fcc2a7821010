"""Tasks that wait for the outputs of others, their sources: when they become due.

Such a task has an entry in the queue that is due at 'infinity', and a row in `task_sources` for each source.
Whoever ends tasks wakes those that wait for them in the same statement, and waits for no lock; `WAKE` finds what
it missed.
"""

from genpulse.adapters.database.statements.columns import CHANNEL

HAS_UNENDED = "EXISTS (SELECT FROM tasks AS source WHERE source.id = ANY({ids}) AND source.finished_at IS NULL)"
"""Whether one of these tasks has not ended; one that is not there has."""

_ENDED_OTHERWISE = """
EXISTS (SELECT FROM task_sources JOIN tasks AS source ON source.id = task_sources.source_id
        WHERE task_sources.task_id = queue.task_id AND source.status IN ('failed', 'canceled'))
"""

_ALL_ENDED = """
NOT EXISTS (SELECT FROM task_sources JOIN tasks AS source ON source.id = task_sources.source_id
            WHERE task_sources.task_id = queue.task_id AND source.finished_at IS NULL{but})
"""

_WOKEN = """
woken AS (
UPDATE queue SET due_at = greatest(now(), tasks.run_at), since = now(),
       deferred = coalesce(tasks.run_at > now(), false)
FROM waiting JOIN tasks ON tasks.id = waiting.task_id
WHERE queue.task_id = waiting.task_id
RETURNING queue.task_id, queue.provider, queue.due_at),
shown AS (
UPDATE tasks SET next_try_at = woken.due_at FROM woken WHERE tasks.id = woken.task_id AND tasks.status = 'queued'),
forgotten AS (
DELETE FROM task_sources USING woken WHERE task_sources.task_id = woken.task_id)
"""

TOLD = f"(SELECT count(pg_notify('{CHANNEL}', provider)) FROM woken) AS woken"
"""Tells workers of what became due."""


def woken_by(ended: str) -> str:
    """CTEs that make due what waits for the rows of another one: `id`, `status` and `finished_at`.

    That is what has no other source that has not ended, and whatever waits for a task that has no output.
    """
    but = f" AND source.id NOT IN (SELECT id FROM {ended} WHERE finished_at IS NOT NULL)"
    return f"""
waiting AS MATERIALIZED (
SELECT queue.task_id FROM queue
WHERE queue.due_at = 'infinity' AND queue.lease IS NULL AND queue.task_id IN (
      SELECT task_sources.task_id FROM task_sources JOIN {ended} ON {ended}.id = task_sources.source_id
      WHERE {ended}.finished_at IS NOT NULL
        AND ({ended}.status <> 'succeeded' OR {_ALL_ENDED.format(but=but)}))
FOR UPDATE SKIP LOCKED),{_WOKEN}"""


LOCK = "SELECT FROM tasks WHERE id = ANY($1::uuid[]) ORDER BY id FOR SHARE"
"""Waits for statements that end these tasks at this moment, and cannot have seen what was written meanwhile."""

WAKE = f"""
WITH waiting AS MATERIALIZED (
SELECT queue.task_id FROM queue
WHERE queue.due_at = 'infinity' AND queue.lease IS NULL AND ($1::uuid[] IS NULL OR queue.task_id = ANY($1::uuid[]))
  AND ({_ALL_ENDED.format(but="")} OR {_ENDED_OTHERWISE})
LIMIT 1000
FOR UPDATE SKIP LOCKED),{_WOKEN}
SELECT count(pg_notify('{CHANNEL}', provider)) FROM woken
"""
"""Makes due what waits for nothing any more: of these tasks, or of all."""


def linked(new: str) -> str:
    """A CTE that notes the sources of the rows of another one that wait for one."""
    return f"""
linked AS (
INSERT INTO task_sources (source_id, task_id)
SELECT DISTINCT source_id, {new}.id FROM {new} CROSS JOIN LATERAL unnest({new}.depends_on) AS source_id
WHERE {new}.next_try_at IS NULL
ON CONFLICT DO NOTHING)"""
