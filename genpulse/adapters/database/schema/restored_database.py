"""A database that was restored from a backup orders nothing anew that may have been ordered since."""

import asyncpg

# A task that was put off and whose time is still to come was ordered by nobody.
_DOUBT = """
WITH doubtful AS (
UPDATE tasks SET order_reference = '', order_account = tasks.provider, order_sent_at = now()
FROM queue
WHERE queue.task_id = tasks.id AND tasks.finished_at IS NULL AND tasks.order_job_id IS NULL
  AND NOT (tasks.attempt = 0 AND queue.due_at > now() AND queue.due_at < 'infinity')
RETURNING tasks.id)
UPDATE queue SET ordered = true FROM doubtful WHERE queue.task_id = doubtful.id
"""


async def doubt_orders(connection: asyncpg.Connection) -> int:
    """Note of each live task without a job at its vendor that it may have been ordered. Returns of how many.

    An order without a reference says so: whoever takes the task up does again what costs nothing, and ends the
    rest as `unknown_outcome`. May be called again. Raises what the driver raises.
    """
    tag: str = await connection.execute(_DOUBT)
    return int(tag.rpartition(" ")[2])
