"""Removing what is old, inside this process."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

from genpulse.adapters.memory.deliveries import MemoryDeliveries
from genpulse.adapters.memory.store import MemoryTaskStore
from genpulse.domain.asset import Asset
from genpulse.domain.retention import Batch, Cutoffs, Pruned, StoredObject
from genpulse.domain.task import Task
from genpulse.ports import Pruning


class MemoryRetention:
    """Implements `Retention` for a `MemoryTaskStore` and the `MemoryDeliveries` in which it notes ends."""

    def __init__(self, store: MemoryTaskStore, deliveries: MemoryDeliveries) -> None:
        self._store = store
        self._deliveries = deliveries
        self._doomed: dict[str, tuple[int, datetime]] = {}
        self._is_taken = False

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[Pruning | None]:
        """None while another one has the turn."""
        if self._is_taken:
            yield None
            return
        self._is_taken = True
        try:
            yield MemoryPruning(self._store, self._deliveries, self._doomed)
        finally:
            self._is_taken = False

    async def due(self, cutoffs: Cutoffs) -> Pruned:
        """What would be removed now."""
        going = self._going(cutoffs.tasks)
        loose = _loose(self._store, cutoffs.assets, frozenset(task.id for task in going))
        unneeded = self._doomed | _unneeded(self._store, loose)
        sizes = [size for size, last_created_at in unneeded.values() if last_created_at < cutoffs.objects]
        messages = [await self._deliveries.of_task(task.id) for task in going]
        attempts = [await self._store.attempts(task.id) for task in going]
        return Pruned(
            tasks=len(going),
            attempts=sum(map(len, attempts)),
            deliveries=sum(map(len, messages)),
            assets=len(loose),
            objects=len(sizes),
            bytes=sum(sizes),
        )

    def _going(self, ended_before: datetime | None) -> Sequence[Task]:
        return [] if ended_before is None else _ended(self._store, self._deliveries, ended_before)


class MemoryPruning:
    """Implements `Pruning`."""

    def __init__(
        self, store: MemoryTaskStore, deliveries: MemoryDeliveries, doomed: dict[str, tuple[int, datetime]]
    ) -> None:
        self._store = store
        self._deliveries = deliveries
        self._doomed = doomed

    async def tasks(self, ended_before: datetime, limit: int) -> Batch:
        """Remove ended tasks with their attempts and messages; their assets stay behind."""
        pruned = Pruned()
        chosen = _ended(self._store, self._deliveries, ended_before)[:limit]
        for task in chosen:
            deliveries, attempts = self._deliveries.drop(task.id), self._store.drop_task(task.id)
            pruned += Pruned(tasks=1, attempts=attempts, deliveries=deliveries)
        return Batch(pruned, more=len(chosen) == limit)

    async def assets(self, created_before: datetime, limit: int) -> Batch:
        """Remove assets of no task that no task uses, and doom the bytes that nobody has any more."""
        chosen = _loose(self._store, created_before, frozenset())[:limit]
        self._doomed.update(_unneeded(self._store, chosen))
        for asset in chosen:
            self._store.drop_asset(asset.id)
        return Batch(Pruned(assets=len(chosen)), more=len(chosen) == limit)

    async def doomed(self, last_created_before: datetime, limit: int) -> tuple[StoredObject, ...]:
        """Objects that may be removed now; those that an asset has again are spared."""
        await self.forget([asset.content.key for asset in self._store.all_assets()])
        due = [(key, size) for key, (size, at) in self._doomed.items() if at < last_created_before]
        return tuple(StoredObject(key, size) for key, size in due[:limit])

    async def forget(self, keys: Sequence[str]) -> None:
        """These objects were removed."""
        for key in keys:
            self._doomed.pop(key, None)


def _ended(store: MemoryTaskStore, deliveries: MemoryDeliveries, before: datetime) -> list[Task]:
    """Ended before that moment and no message to be sent, oldest first."""
    ended = [
        (task.finished_at, task.id, task)
        for task in store.all_tasks()
        if task.finished_at is not None and task.finished_at < before and not deliveries.waits(task.id)
    ]
    return [task for _, _, task in sorted(ended, key=lambda entry: entry[:2])]


def _loose(store: MemoryTaskStore, created_before: datetime | None, going: frozenset[UUID]) -> list[Asset]:
    """Old assets that nothing needs once the tasks in `going` are gone, oldest first."""
    if created_before is None:
        return []
    inputs = [json.dumps(task.input).lower() for task in store.all_tasks() if task.id not in going]
    old = [
        asset
        for asset in store.all_assets()
        if asset.created_at < created_before
        and (asset.task_id is None or asset.task_id in going)
        and not any(str(asset.id) in text for text in inputs)
    ]
    return sorted(old, key=lambda asset: asset.created_at)


def _unneeded(store: MemoryTaskStore, loose: Sequence[Asset]) -> dict[str, tuple[int, datetime]]:
    """Size and newest asset of each key that only these assets have."""
    gone = {asset.id for asset in loose}
    kept = {asset.content.key for asset in store.all_assets() if asset.id not in gone}
    in_order = sorted(loose, key=lambda asset: asset.created_at)
    return {
        asset.content.key: (asset.content.size, asset.created_at)
        for asset in in_order
        if asset.content.key not in kept
    }
