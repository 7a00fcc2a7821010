"""Removing what is old, a batch a transaction.

Rows are locked first and looked at again afterwards, by a statement that sees what was committed in between: what
somebody began to need while the batch was chosen stays. Rows that somebody else holds are left for the next time.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from genpulse.adapters.database.rows import Row
from genpulse.adapters.postgresql import outages
from genpulse.domain.retention import Batch, Pruned, StoredObject

OLDEST_TASKS = """
SELECT id FROM tasks
WHERE finished_at < $1
  AND NOT EXISTS (SELECT FROM deliveries WHERE task_id = tasks.id AND next_try_at IS NOT NULL)
ORDER BY finished_at LIMIT $2
FOR UPDATE SKIP LOCKED
"""
_MESSAGES = "SELECT task_id, next_try_at FROM deliveries WHERE task_id = ANY($1::uuid[]) FOR UPDATE"
_DELETE_MESSAGES = "DELETE FROM deliveries WHERE task_id = ANY($1::uuid[])"
_DELETE_ATTEMPTS = "DELETE FROM attempts WHERE task_id = ANY($1::uuid[])"
_DELETE_TASKS = "DELETE FROM tasks WHERE id = ANY($1::uuid[])"

OLDEST_ASSETS = """
SELECT id FROM assets
WHERE task_id IS NULL AND created_at < $1 AND NOT EXISTS (SELECT FROM asset_uses WHERE asset_id = assets.id)
ORDER BY created_at LIMIT $2
FOR UPDATE SKIP LOCKED
"""
_DELETE_ASSETS = """
DELETE FROM assets
WHERE id = ANY($1::uuid[]) AND NOT EXISTS (SELECT FROM asset_uses WHERE asset_id = assets.id)
RETURNING key, size, created_at
"""
_DOOM = """
INSERT INTO doomed_objects (key, size, last_created_at)
SELECT key, max(size), max(created_at)
FROM unnest($1::text[], $2::bigint[], $3::timestamptz[]) AS gone(key, size, created_at)
WHERE NOT EXISTS (SELECT FROM assets WHERE assets.key = gone.key)
GROUP BY key
ON CONFLICT (key) DO UPDATE
SET last_created_at = greatest(doomed_objects.last_created_at, excluded.last_created_at)
"""

_SPARE = """
DELETE FROM doomed_objects
WHERE last_created_at < $1 AND EXISTS (SELECT FROM assets WHERE assets.key = doomed_objects.key)
"""
_DOOMED = "SELECT key, size FROM doomed_objects WHERE last_created_at < $1 ORDER BY last_created_at LIMIT $2"
_FORGET = "DELETE FROM doomed_objects WHERE key = ANY($1::text[])"


class PostgresPruning:
    """Implements `Pruning` on a connection that holds the lock of those who prune."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    async def tasks(self, ended_before: datetime, limit: int) -> Batch:
        """Remove ended tasks with their attempts and messages; their assets stay behind."""
        connection = self._connection
        with outages():
            async with connection.transaction():
                chosen = await connection.fetch(OLDEST_TASKS, ended_before, limit)
                ids = await self._told([row["id"] for row in chosen])
                pruned = Pruned(
                    deliveries=_count(await connection.execute(_DELETE_MESSAGES, ids)),
                    attempts=_count(await connection.execute(_DELETE_ATTEMPTS, ids)),
                    tasks=_count(await connection.execute(_DELETE_TASKS, ids)),
                )
        return Batch(pruned, more=len(chosen) == limit)

    async def _told(self, ids: Sequence[UUID]) -> Sequence[UUID]:
        """Those about which no message is to be sent, not even since they were chosen."""
        messages = await self._connection.fetch(_MESSAGES, ids)
        waiting = {row["task_id"] for row in messages if row["next_try_at"] is not None}
        return [task_id for task_id in ids if task_id not in waiting]

    async def assets(self, created_before: datetime, limit: int) -> Batch:
        """Remove assets of no task that no task uses, and doom the bytes that nobody has any more."""
        connection = self._connection
        with outages():
            async with connection.transaction():
                chosen = await connection.fetch(OLDEST_ASSETS, created_before, limit)
                gone = await connection.fetch(_DELETE_ASSETS, [row["id"] for row in chosen])
                await self._doom(gone)
        return Batch(Pruned(assets=len(gone)), more=len(chosen) == limit)

    async def _doom(self, gone: Sequence[Row]) -> None:
        columns = [[row[name] for row in gone] for name in ("key", "size", "created_at")]
        await self._connection.execute(_DOOM, *columns)

    async def doomed(self, last_created_before: datetime, limit: int) -> tuple[StoredObject, ...]:
        """Objects that may be removed now; those that an asset has again are spared."""
        with outages():
            async with self._connection.transaction():
                await self._connection.execute(_SPARE, last_created_before)
                rows = await self._connection.fetch(_DOOMED, last_created_before, limit)
        return tuple(StoredObject(row["key"], row["size"]) for row in rows)

    async def forget(self, keys: Sequence[str]) -> None:
        """These objects were removed."""
        with outages():
            await self._connection.execute(_FORGET, list(keys))


def _count(tag: str) -> int:
    """How many rows a command changed, out of its tag such as `DELETE 12`."""
    return int(tag.rpartition(" ")[2])
