"""Removing what is old, a batch a transaction.

Rows are locked first and looked at again afterwards, by a statement that sees what was committed in between: what
somebody began to need while the batch was chosen stays. Rows that somebody else holds are left for the next time.

Ages are counted from `now()`: a host whose clock is wrong removes nothing for that. Each statement takes the
environment whose rows it may touch; NULL is any.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from genpulse.adapters.database.statements import batches, ledger
from genpulse.adapters.database.tasks.rows import Row
from genpulse.adapters.postgresql.connections import outages
from genpulse.domain.retention import Batch, Doomed, Pruned, StoredObject

OLDEST_TASKS = """
SELECT id FROM tasks
WHERE finished_at < now() - $1::interval AND ($3::text IS NULL OR environment = $3) AND deleted_at IS NULL
  AND NOT EXISTS (SELECT FROM deliveries WHERE task_id = tasks.id AND next_try_at IS NOT NULL)
ORDER BY finished_at LIMIT $2
FOR UPDATE SKIP LOCKED
"""
_MESSAGES = "SELECT task_id, next_try_at FROM deliveries WHERE task_id = ANY($1::uuid[]) FOR UPDATE"
DELETE_MESSAGES = "DELETE FROM deliveries WHERE task_id = ANY($1::uuid[])"
DELETE_ATTEMPTS = "DELETE FROM attempts WHERE task_id = ANY($1::uuid[])"
DELETE_TASKS = "DELETE FROM tasks WHERE id = ANY($1::uuid[])"

OLDEST_ASSETS = """
SELECT id FROM assets
WHERE task_id IS NULL AND created_at < now() - $1::interval AND ($3::text IS NULL OR environment = $3)
  AND NOT EXISTS (SELECT FROM asset_uses WHERE asset_id = assets.id)
ORDER BY created_at LIMIT $2
FOR UPDATE SKIP LOCKED
"""
_DELETE_ASSETS = """
DELETE FROM assets
WHERE id = ANY($1::uuid[]) AND NOT EXISTS (SELECT FROM asset_uses WHERE asset_id = assets.id)
RETURNING key, size, created_at, environment
"""
_DOOM = """
INSERT INTO doomed_objects (key, size, last_created_at, environment)
SELECT key, max(size), max(created_at), max(environment)
FROM unnest($1::text[], $2::bigint[], $3::timestamptz[], $4::text[]) AS gone(key, size, created_at, environment)
WHERE NOT EXISTS (SELECT FROM assets WHERE assets.key = gone.key)
GROUP BY key ORDER BY key
ON CONFLICT (key) DO UPDATE
SET last_created_at = greatest(doomed_objects.last_created_at, excluded.last_created_at),
    environment = excluded.environment
"""

OLDEST_OBJECTS = """
SELECT key, size FROM doomed_objects
WHERE last_created_at < now() - $1::interval AND ($3::text IS NULL OR environment = $3)
ORDER BY last_created_at LIMIT $2
FOR UPDATE SKIP LOCKED
"""
_SPARE = """
DELETE FROM doomed_objects
WHERE key = ANY($1::text[])
  AND (EXISTS (SELECT FROM assets WHERE assets.key = doomed_objects.key)
       OR EXISTS (SELECT FROM thumbnails WHERE thumbnails.key = doomed_objects.key))
RETURNING key
"""
_THUMBNAILS = "SELECT key, size FROM thumbnails WHERE source = ANY($1::text[])"
_FORGET_THUMBNAILS = "DELETE FROM thumbnails WHERE key = ANY($1::text[])"
_FORGET = "DELETE FROM doomed_objects WHERE key = ANY($1::text[]) AND last_created_at < now() - $2::interval"


class PostgresPruning:
    """Implements `Pruning` on a connection that holds the lock of those who prune."""

    def __init__(self, connection: asyncpg.Connection, environment: str | None = None) -> None:
        self._connection = connection
        self._environment = environment

    async def now(self) -> datetime:
        """What the database's clock says."""
        with outages():
            said: datetime = await self._connection.fetchval("SELECT clock_timestamp()")
        return said

    async def tasks(self, older_than: timedelta, limit: int) -> Batch:
        """Remove ended tasks with their attempts, messages and batches; their assets stay behind."""
        connection = self._connection
        with outages():
            async with connection.transaction():
                candidates = await connection.fetch(OLDEST_TASKS, older_than, limit, self._environment)
                ids = await self._told([row["id"] for row in candidates])
                pruned = Pruned(
                    deliveries=row_count(await connection.execute(DELETE_MESSAGES, ids)),
                    attempts=row_count(await connection.execute(DELETE_ATTEMPTS, ids)),
                    tasks=row_count(await connection.execute(DELETE_TASKS, ids)),
                )
                await connection.execute(batches.FORGET, older_than, limit, self._environment)
        return Batch(pruned, more=len(candidates) == limit)

    async def _told(self, ids: Sequence[UUID]) -> Sequence[UUID]:
        """Those about which no message is to be sent, not even since they were chosen."""
        messages = await self._connection.fetch(_MESSAGES, ids)
        waiting = {row["task_id"] for row in messages if row["next_try_at"] is not None}
        return [task_id for task_id in ids if task_id not in waiting]

    async def assets(self, older_than: timedelta, limit: int) -> Batch:
        """Remove assets of no task that no task uses, and doom the bytes that nobody has any more."""
        connection = self._connection
        with outages():
            async with connection.transaction():
                candidates = await connection.fetch(OLDEST_ASSETS, older_than, limit, self._environment)
                asset_rows = await connection.fetch(_DELETE_ASSETS, [row["id"] for row in candidates])
                await self._doom(asset_rows)
        return Batch(Pruned(assets=len(asset_rows)), more=len(candidates) == limit)

    async def _doom(self, rows: Sequence[Row]) -> None:
        columns = [[row[name] for row in rows] for name in ("key", "size", "created_at", "environment")]
        await self._connection.execute(_DOOM, *columns)

    async def entries(self, older_than: timedelta, limit: int) -> Batch:
        """Remove entries of the ledger of old days."""
        with outages():
            done = await self._connection.execute(ledger.OLDEST, older_than, limit, self._environment)
        return Batch(Pruned(), more=row_count(done) == limit)

    async def doomed(self, older_than: timedelta, limit: int) -> Doomed:
        """Objects that may be removed now, and their thumbnails; what an asset has, or has again, is spared."""
        with outages():
            async with self._connection.transaction():
                rows = await self._connection.fetch(OLDEST_OBJECTS, older_than, limit, self._environment)
                had = await self._connection.fetch(_SPARE, [row["key"] for row in rows])
                spared = {row["key"] for row in had}
                gone = [row for row in rows if row["key"] not in spared]
                gone += await self._connection.fetch(_THUMBNAILS, [row["key"] for row in gone])
        objects = tuple(StoredObject(row["key"], row["size"]) for row in gone)
        return Doomed(objects, more=len(rows) == limit)

    async def forget(self, keys: Sequence[str], older_than: timedelta) -> None:
        """These objects were removed. One that has been expected again since then is remembered."""
        with outages():
            await self._connection.execute(_FORGET_THUMBNAILS, list(keys))
            await self._connection.execute(_FORGET, list(keys), older_than)


def row_count(tag: str) -> int:
    """How many rows a command changed, out of its tag such as `DELETE 12`."""
    return int(tag.rpartition(" ")[2])
