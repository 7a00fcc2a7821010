"""The `DeletionStore` port on PostgreSQL."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from uuid import UUID

import asyncpg

from genpulse.adapters.database.removal.pruning import DELETE_ATTEMPTS, DELETE_MESSAGES, DELETE_TASKS, row_count
from genpulse.adapters.database.statements import deletion
from genpulse.adapters.database.tasks.rows import Row, uuid_of
from genpulse.adapters.postgresql.connections import in_transaction, outages
from genpulse.domain.deletion import Deletion
from genpulse.domain.errors import AssetInUse, UnknownAsset
from genpulse.domain.retention import Batch, Pruned, StoredObject


class PostgresDeletions:
    """Implements `DeletionStore`.

    Nothing of another environment than `environment` is touched; None deletes what is anybody's. Rows that
    somebody else holds are left for the next time.
    """

    def __init__(self, pool: asyncpg.Pool, environment: str | None = None) -> None:
        self._pool = pool
        self._environment = environment

    async def delete_tasks(self, task_ids: Sequence[UUID], *, owner: str | None, deleted_by: str) -> Deletion:
        """Mark tasks of this owner (None: of anybody), and drop the messages about them."""
        ids = list(task_ids)
        whose = (owner, self._environment)
        rows = list(await self._fetch(deletion.DELETE_FREE_TASKS, ids, *whose, deleted_by))
        for held in await self._fetch(deletion.DELETABLE, ids, *whose):
            rows += await self._fetch(deletion.DELETE_TASK, [held["id"]], *whose, deleted_by)
        deleted = {uuid_of(row["id"]): row["is_live"] for row in rows}
        others = [task_id for task_id in ids if task_id not in deleted]
        earlier = await self._fetch(deletion.DELETED_BEFORE, others, owner, self._environment) if others else []
        return Deletion(
            tuple(deleted),
            tuple(task_id for task_id, is_live in deleted.items() if is_live),
            tuple(uuid_of(row["id"]) for row in earlier),
        )

    async def delete_overdue(self, limit: int, settled_s: float) -> int:
        """Mark tasks whose own retention is over."""
        return len(await self._fetch(deletion.DELETE_OVERDUE, limit, self._environment, settled_s))

    async def unended(self, limit: int) -> tuple[UUID, ...]:
        """Marked tasks that have not ended."""
        rows = await self._fetch(deletion.UNENDED, limit, self._environment)
        return tuple(uuid_of(row["id"]) for row in rows)

    async def erase_tasks(self, limit: int, settled_s: float) -> Batch:
        """Remove marked tasks that have ended, with their attempts, messages and outputs."""
        return await in_transaction(self._pool, partial(self._erase_tasks, limit, settled_s))

    async def _erase_tasks(self, limit: int, settled_s: float, connection: asyncpg.Connection) -> Batch:
        candidates = await connection.fetch(deletion.ERASABLE, limit, settled_s, self._environment)
        ids = [row["id"] for row in candidates]
        if not ids:
            return Batch(Pruned(), more=False)
        await connection.execute(deletion.JOURNAL, ids)
        assets = [row["id"] for row in await connection.fetch(deletion.ASSETS_OF_TASKS, ids)]
        pruned = Pruned(
            deliveries=row_count(await connection.execute(DELETE_MESSAGES, ids)),
            attempts=row_count(await connection.execute(DELETE_ATTEMPTS, ids)),
        )
        asset_rows = await connection.fetch(deletion.ERASE_ASSETS, assets)
        await connection.execute(deletion.MARK_ASSETS, assets)
        pruned += Pruned(assets=len(asset_rows), tasks=row_count(await connection.execute(DELETE_TASKS, ids)))
        left_behind = await connection.fetch(deletion.EXPECTED_FOR, ids)
        await _erase_objects(connection, [*asset_rows, *left_behind])
        return Batch(pruned, more=len(candidates) == limit)

    async def delete_asset(self, asset_id: UUID, *, owner: str | None) -> None:
        """Mark an asset, and let its task say that it is missing. Raises `UnknownAsset`, `AssetInUse`."""
        told = f"The output {asset_id} was deleted."
        with outages():
            done = await self._pool.fetchval(deletion.DELETE_ASSET, asset_id, owner, told, self._environment)
            if done:
                return
            row = await self._pool.fetchrow(deletion.ASSET_STANDING, asset_id, owner, self._environment)
        if row is None:
            raise UnknownAsset(asset_id)
        if row["needed_by"] is not None and not row["is_deleted"]:
            raise AssetInUse(asset_id, uuid_of(row["needed_by"]))

    async def erase_assets(self, limit: int) -> Batch:
        """Remove marked assets that no task needs which has not ended."""
        return await in_transaction(self._pool, partial(self._erase_assets, limit))

    async def _erase_assets(self, limit: int, connection: asyncpg.Connection) -> Batch:
        candidates = await connection.fetch(deletion.ERASABLE_ASSETS, limit, self._environment)
        asset_rows = await connection.fetch(deletion.ERASE_ASSETS, [row["id"] for row in candidates])
        await _erase_objects(connection, asset_rows)
        return Batch(Pruned(assets=len(asset_rows)), more=len(candidates) == limit)

    async def erased_objects(self, limit: int) -> tuple[StoredObject, ...]:
        """Objects whose bytes are to go."""
        rows = await self._fetch(deletion.ERASED_OBJECTS, limit, self._environment)
        return tuple(StoredObject(row["key"], row["size"]) for row in rows)

    async def removed_objects(self, keys: Sequence[str]) -> None:
        """The bytes under these keys are gone."""
        await self._fetch(deletion.REMOVED_OBJECTS, list(keys))

    async def forget(self, older_than: timedelta, limit: int) -> Batch:
        """Remove old tombstones."""
        with outages():
            done: str = await self._pool.execute(deletion.FORGET, older_than, limit, self._environment)
        return Batch(Pruned(), more=row_count(done) == limit)

    async def _fetch(self, statement: str, *arguments: object) -> Sequence[Row]:
        with outages():
            rows: Sequence[Row] = await self._pool.fetch(statement, *arguments)
            return rows


async def _erase_objects(connection: asyncpg.Connection, rows: Sequence[Row]) -> None:
    """Let nothing be stored again under the keys that no asset has any more."""
    if not rows:
        return
    keys, sizes, environments = ([row[name] for row in rows] for name in ("key", "size", "environment"))
    await connection.execute(deletion.KNOW_OBJECTS, keys, sizes, environments)
    await connection.execute(deletion.LOCK_OBJECTS, keys)
    await connection.execute(deletion.ERASE_OBJECTS, keys)
    await connection.execute(deletion.ERASE_THUMBNAILS, keys)
