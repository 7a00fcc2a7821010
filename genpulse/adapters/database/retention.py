"""The `Retention` port on PostgreSQL."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from genpulse.adapters.database.pruning import PostgresPruning
from genpulse.adapters.postgresql import outages
from genpulse.domain.retention import Cutoffs, Pruned
from genpulse.ports import Pruning

LOCK = 0x67705F7072756E65
"""The advisory lock of the turn ("gp_prune" in hexadecimal)."""
_COUNT_S = 600.0

_DUE = """
WITH going AS MATERIALIZED (
    SELECT id FROM tasks
    WHERE finished_at < $1
      AND NOT EXISTS (SELECT FROM deliveries WHERE task_id = tasks.id AND next_try_at IS NOT NULL)
), loose AS MATERIALIZED (
    SELECT id, key, size, created_at FROM assets
    WHERE created_at < $2 AND (task_id IS NULL OR task_id IN (SELECT id FROM going))
      AND NOT EXISTS (SELECT FROM asset_uses
                      WHERE asset_id = assets.id AND task_id NOT IN (SELECT id FROM going))
), unneeded AS (
    SELECT key, max(size) AS size, max(created_at) AS last_created_at FROM loose
    WHERE NOT EXISTS (SELECT FROM assets WHERE assets.key = loose.key AND assets.id NOT IN (SELECT id FROM loose))
    GROUP BY key
    UNION ALL
    SELECT key, size, last_created_at FROM doomed_objects
    WHERE NOT EXISTS (SELECT FROM assets WHERE assets.key = doomed_objects.key)
)
SELECT (SELECT count(*) FROM going) AS tasks,
       (SELECT count(*) FROM attempts WHERE task_id IN (SELECT id FROM going)) AS attempts,
       (SELECT count(*) FROM deliveries WHERE task_id IN (SELECT id FROM going)) AS deliveries,
       (SELECT count(*) FROM loose) AS assets,
       (SELECT count(*) FROM unneeded WHERE last_created_at < $3) AS objects,
       (SELECT coalesce(sum(size), 0)::bigint FROM unneeded WHERE last_created_at < $3) AS bytes
"""


class PostgresRetention:
    """Implements `Retention`. The turn is an advisory lock: it ends with the connection, however that ends."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[Pruning | None]:
        """None while another process has the turn."""
        with outages():
            connection = await self._pool.acquire()
        try:
            with outages():
                is_ours = await connection.fetchval("SELECT pg_try_advisory_lock($1)", LOCK)
            yield PostgresPruning(connection) if is_ours else None
        finally:
            # A reset gives up every lock of the connection, which the pool leaves alone.
            with outages():
                try:
                    await connection.reset()
                finally:
                    await self._pool.release(connection)

    async def due(self, cutoffs: Cutoffs) -> Pruned:
        """What would be removed now. Counts whole tables, and may take 10 minutes for it."""
        moments = (cutoffs.tasks, cutoffs.assets, cutoffs.objects)
        with outages():
            async with self._pool.acquire() as connection, connection.transaction(readonly=True):
                await connection.execute(f"SET LOCAL statement_timeout = {_COUNT_S * 1000:.0f}")
                row = await connection.fetchrow(_DUE, *moments, timeout=_COUNT_S)
        return Pruned(**row)
