"""Deletion inside this process."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count, islice
from uuid import UUID

from genpulse.adapters.memory.removal.retention import MemoryRetention
from genpulse.adapters.memory.tasks.rows import Tombstone
from genpulse.adapters.memory.tasks.store import MemoryTaskStore
from genpulse.adapters.memory.webhooks.deliveries import MemoryDeliveries
from genpulse.domain.assets.asset import Asset
from genpulse.domain.deletion import Deletion, key_digest
from genpulse.domain.errors import AssetInUse, UnknownAsset
from genpulse.domain.event import seq_at_wish
from genpulse.domain.retention import Batch, Pruned, StoredObject
from genpulse.domain.task import Task
from genpulse.domain.warning import TaskWarning, WarningCode

ORDERS_WAIT = timedelta(seconds=45)


class MemoryDeletions:
    """Implements `DeletionStore` for a store, its messages and its retention.

    `now` stands for the clock of the database. None for `environment` deletes what is anybody's.
    """

    def __init__(
        self,
        store: MemoryTaskStore,
        deliveries: MemoryDeliveries,
        retention: MemoryRetention,
        *,
        environment: str | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._deleted = store.deleted
        self._deliveries = deliveries
        self._retention = retention
        self._environment = environment
        self._now = now
        self._removed: set[str] = set()

    async def delete_tasks(self, task_ids: Sequence[UUID], *, owner: str | None, deleted_by: str) -> Deletion:
        """Mark tasks of this owner (None: of anybody), and drop the messages about them."""
        earlier = tuple(
            task_id
            for task_id in task_ids
            if (tombstone := self._deleted.tombstones.get(task_id))
            and owner in {None, tombstone.owner}
            and self._is_ours(tombstone.environment)
        )
        targets = [
            task
            for task in self._shown()
            if task.id in set(task_ids) and owner in {None, task.owner} and self._is_ours(task.environment)
        ]
        live = tuple(task.id for task in targets if not task.status.ended)
        for task in targets:
            self._mark(task)
        return Deletion(tuple(task.id for task in targets), live, earlier)

    def _mark(self, task: Task) -> None:
        now, key = self._now(), self._store.key_of(task.id)
        if not task.status.ended and not task.cancel_requested:
            self._store.change(replace(task, cancel_requested_at=now, seq=seq_at_wish(task.seq)))
        self._store.hurry_stop(task.id)
        self._deliveries.drop(task.id)
        self._deleted.tasks[task.id] = now
        digest = None if key is None else key_digest(task.owner, key)
        self._deleted.tombstones[task.id] = Tombstone(task.owner, task.environment, now, digest)

    def _shown(self) -> list[Task]:
        return [task for task in self._store.all_tasks() if task.id not in self._deleted.tasks]

    async def delete_overdue(self, limit: int, settled_s: float) -> int:
        """Mark tasks whose own retention is over."""
        ours = [task for task in self._shown() if self._is_ours(task.environment)]
        overdue = [task for task in ours if self._is_overdue(task, settled_s)]
        for task in overdue[:limit]:
            self._mark(task)
        return len(overdue[:limit])

    def _is_overdue(self, task: Task, settled_s: float) -> bool:
        if task.retain_s is None or task.finished_at is None or self._deliveries.waits(task.id):
            return False
        return task.finished_at + timedelta(seconds=max(task.retain_s, settled_s)) <= self._now()

    async def unended(self, limit: int) -> tuple[UUID, ...]:
        """Marked tasks that have not ended."""
        return tuple(task.id for task in self._marked() if not task.status.ended)[:limit]

    def _marked(self) -> list[Task]:
        return [
            task
            for task in self._store.all_tasks()
            if task.id in self._deleted.tasks and self._is_ours(task.environment)
        ]

    async def erase_tasks(self, limit: int, settled_s: float) -> Batch:
        """Remove marked tasks that have ended, with their attempts, messages and outputs."""
        candidates = [task for task in self._marked() if self._is_settled(task, settled_s)][:limit]
        pruned = Pruned()
        for task in candidates:
            pruned += self._erase(task)
        return Batch(pruned, more=len(candidates) == limit)

    def _is_settled(self, task: Task, settled_s: float) -> bool:
        age = self._now() - self._deleted.tasks[task.id]
        waits = self._store.is_unstopped(task.id) and age < ORDERS_WAIT
        return task.status.ended and age >= timedelta(seconds=settled_s) and not waits

    def _erase(self, task: Task) -> Pruned:
        task_id = task.id
        outputs = [asset for asset in self._store.all_assets() if asset.task_id == task_id]
        pruned = Pruned(
            tasks=1, attempts=self._store.drop_task(task_id), deliveries=self._deliveries.drop(task_id)
        )
        del self._deleted.tasks[task_id]
        self._deleted.tombstones[task_id] = replace(
            self._deleted.tombstones[task_id],
            erased=replace(
                task, input={}, metadata={}, outputs=(), error=None, last_error=None, warnings=(), result=None
            ),
        )
        for asset in outputs:
            self._deleted.assets.setdefault(asset.id, self._now())
        gone = self._erase_unneeded([asset.id for asset in outputs])
        self._erase_objects(self._retention.left_by(task_id))
        return pruned + Pruned(assets=gone)

    def _erase_unneeded(self, asset_ids: Sequence[UUID]) -> int:
        assets = [asset for asset in self._store.all_assets() if asset.id in asset_ids]
        assets = [asset for asset in assets if not self._store.needing(asset.id)]
        for asset in assets:
            self._store.drop_asset(asset.id)
        self._erase_objects({asset.content.key: asset.content.size for asset in assets})
        return len(assets)

    def _erase_objects(self, sizes: dict[str, int]) -> None:
        kept = {asset.content.key for asset in self._store.all_assets()}
        orphans = {key: size for key, size in sizes.items() if key not in kept}
        thumbnails = {one.key: one.size for one in self._store.thumbnails_of(orphans)}
        self._store.drop_thumbnails(thumbnails)
        self._deleted.objects.update(orphans | thumbnails)

    async def delete_asset(self, asset_id: UUID, *, owner: str | None) -> None:
        """Mark an asset, and let its task say that it is missing. Raises `UnknownAsset`, `AssetInUse`."""
        asset = next((one for one in self._store.all_assets() if one.id == asset_id), None)
        if asset is None or owner not in {None, asset.owner} or not self._is_ours(asset.environment):
            raise UnknownAsset(asset_id)
        if asset_id in self._deleted.assets:
            return
        if needing := self._store.needing(asset_id):
            raise AssetInUse(asset_id, needing[0])
        self._deleted.assets[asset_id] = self._now()
        for task in self._store.all_tasks():
            self._store.change(_without(task, asset))

    async def erase_assets(self, limit: int) -> Batch:
        """Remove marked assets that no task needs which has not ended."""
        free = [one for one in self._deleted.assets if not self._store.needing(one)][:limit]
        return Batch(Pruned(assets=self._erase_unneeded(free)), more=len(free) == limit)

    async def erased_objects(self, limit: int) -> tuple[StoredObject, ...]:
        """Objects whose bytes are to go."""
        left = [(key, size) for key, size in self._deleted.objects.items() if key not in self._removed]
        return tuple(StoredObject(key, size) for key, size in left[:limit])

    async def removed_objects(self, keys: Sequence[str]) -> None:
        """The bytes under these keys are gone."""
        self._removed.update(keys)

    async def forget(self, older_than: timedelta, limit: int) -> Batch:
        """Remove old tombstones."""
        before, tombstones = self._now() - older_than, self._deleted.tombstones
        old = [one for one, stone in tombstones.items() if stone.deleted_at < before and stone.erased][:limit]
        for task_id in old:
            del tombstones[task_id]
        return Batch(Pruned(), more=len(old) == limit)

    def _is_ours(self, environment: str) -> bool:
        return self._environment in {None, environment}


def _without(task: Task, asset: Asset) -> Task:
    """The task, which says that this output is missing if it had it."""
    places = [place for place, output in enumerate(task.outputs) if output.id == asset.id]
    if not places:
        return task
    missing = {said.index for said in task.warnings if said.code is WarningCode.OUTPUT_MISSING}
    index = next(islice((number for number in count() if number not in missing), places[0], None))
    gone = TaskWarning(WarningCode.OUTPUT_MISSING, f"The output {asset.id} was deleted.", index)
    outputs = tuple(output for output in task.outputs if output.id != asset.id)
    return replace(task, outputs=outputs, warnings=(*task.warnings, gone))
