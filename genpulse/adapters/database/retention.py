"""The `Retention` port on PostgreSQL."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import asyncpg

from genpulse.adapters.database.coalescer import Coalescer
from genpulse.adapters.database.pruning import PostgresPruning
from genpulse.adapters.postgresql.connections import outages
from genpulse.domain.retention import Ages, Pruned, StoredObject
from genpulse.ports import Pruning

LOCK = 0x67705F7072756E65
"""The advisory lock of the turn ("gp_prune" in hexadecimal)."""
_COUNT_S = 600.0

_EXPECT = """
INSERT INTO doomed_objects (key, size, last_created_at, environment)
SELECT key, size, now(), $3::text FROM unnest($1::text[], $2::bigint[]) AS expected(key, size)
ON CONFLICT (key) DO UPDATE
SET last_created_at = greatest(doomed_objects.last_created_at, excluded.last_created_at),
    environment = excluded.environment
"""

_DUE = """
WITH going AS MATERIALIZED (
    SELECT id FROM tasks
    WHERE finished_at < now() - $1::interval AND ($4::text IS NULL OR environment = $4)
      AND NOT EXISTS (SELECT FROM deliveries WHERE task_id = tasks.id AND next_try_at IS NOT NULL)
), loose AS MATERIALIZED (
    SELECT id, key, size, created_at FROM assets
    WHERE created_at < now() - $2::interval AND ($4::text IS NULL OR environment = $4)
      AND (task_id IS NULL OR task_id IN (SELECT id FROM going))
      AND NOT EXISTS (SELECT FROM asset_uses
                      WHERE asset_id = assets.id AND task_id NOT IN (SELECT id FROM going))
), noted AS (
    SELECT key, size, created_at FROM loose
    UNION ALL
    SELECT key, size, last_created_at FROM doomed_objects WHERE $4::text IS NULL OR environment = $4
), unneeded AS (
    SELECT key, max(size) AS size, max(created_at) AS last_created_at FROM noted
    WHERE NOT EXISTS (SELECT FROM assets WHERE assets.key = noted.key AND assets.id NOT IN (SELECT id FROM loose))
    GROUP BY key
)
SELECT (SELECT count(*) FROM going) AS tasks,
       (SELECT count(*) FROM attempts WHERE task_id IN (SELECT id FROM going)) AS attempts,
       (SELECT count(*) FROM deliveries WHERE task_id IN (SELECT id FROM going)) AS deliveries,
       (SELECT count(*) FROM loose) AS assets,
       (SELECT count(*) FROM unneeded WHERE last_created_at < now() - $3::interval) AS objects,
       (SELECT coalesce(sum(size), 0)::bigint FROM unneeded WHERE last_created_at < now() - $3::interval) AS bytes
"""


class PostgresRetention:
    """Implements `Retention`. The turn is an advisory lock: it ends with the connection, however that ends.

    Nothing of another environment than `environment` is removed, as there is in a copy of a database; None removes
    what is anybody's.
    """

    def __init__(self, pool: asyncpg.Pool, environment: str | None = None) -> None:
        self._pool = pool
        self._environment = environment
        self._expect: Coalescer[StoredObject, None] = Coalescer(self._write_expected)

    async def expect(self, key: str, size: int) -> None:
        """Note that bytes are about to be stored under this key. What is noted at once is one statement."""
        await self._expect(StoredObject(key, size))

    async def _write_expected(self, expected: Sequence[StoredObject]) -> Sequence[None]:
        # Each key once, in one order for all, so that two processes with the same keys wait and never deadlock.
        sizes = {stored.key: stored.size for stored in sorted(expected, key=lambda stored: stored.key)}
        with outages():
            await self._pool.execute(_EXPECT, list(sizes), list(sizes.values()), self._environment)
        return [None] * len(expected)

    async def close(self) -> None:
        """Wait for what is being written. The pool stays open."""
        await self._expect.close()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[Pruning | None]:
        """None while another process has the turn."""
        with outages():
            connection = await self._pool.acquire()
        try:
            with outages():
                is_ours = await connection.fetchval("SELECT pg_try_advisory_lock($1)", LOCK)
            yield PostgresPruning(connection, self._environment) if is_ours else None
        finally:
            # A reset gives up every lock of the connection, which the pool leaves alone.
            with outages():
                try:
                    await connection.reset()
                finally:
                    await self._pool.release(connection)

    async def due(self, ages: Ages) -> Pruned:
        """What would be removed now. Counts whole tables, and may take 10 minutes for it."""
        values = (ages.tasks, ages.assets, ages.objects, self._environment)
        with outages():
            async with self._pool.acquire() as connection, connection.transaction(readonly=True):
                await connection.execute(f"SET LOCAL statement_timeout = {_COUNT_S * 1000:.0f}")
                row = await connection.fetchrow(_DUE, *values, timeout=_COUNT_S)
        return Pruned(**row)
