"""Removing what is old, inside this process."""

import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from genpulse.adapters.memory.tasks.store import MemoryTaskStore
from genpulse.adapters.memory.webhooks.deliveries import MemoryDeliveries
from genpulse.domain.assets.asset import Asset, named_in
from genpulse.domain.deletion import another_key
from genpulse.domain.errors import LeaseLost
from genpulse.domain.money.ledger import LedgerEntry
from genpulse.domain.retention import Ages, Batch, Doomed, Pruned, StoredObject
from genpulse.domain.task import Task
from genpulse.ports import Pruning


@dataclass(frozen=True, slots=True)
class _Note:
    """Bytes that may be nobody's, and when they were last expected or had an asset."""

    size: int
    at: datetime
    environment: str | None
    task_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class _Place:
    """What a retention and its turns look at: tasks, messages, notes by key, a clock, and whose of them."""

    store: MemoryTaskStore
    deliveries: MemoryDeliveries
    doomed: dict[str, _Note]
    now: Callable[[], datetime]
    environment: str | None

    def is_ours(self, environment: str | None) -> bool:
        """Everything is where no environment was named."""
        return self.environment is None or environment == self.environment

    def ended(self, older_than: timedelta) -> list[Task]:
        """Ended longer ago and no message to be sent, oldest first."""
        before = self.now() - older_than
        ended = [
            (task.finished_at, task.id, task)
            for task in self.store.all_tasks()
            if self.is_ours(task.environment)
            and task.finished_at is not None
            and task.finished_at < before
            and task.id not in self.store.deleted.tasks
            and not self.deliveries.waits(task.id)
        ]
        return [task for _, _, task in sorted(ended, key=lambda entry: entry[:2])]

    def forget_batches(self, older_than: timedelta) -> None:
        """Drop old batches of which every task is gone."""
        before, kept = self.now() - older_than, {task.batch_id for task in self.store.all_tasks()}
        for batch in self.store.all_batches():
            if self.is_ours(batch.environment) and batch.created_at < before and batch.id not in kept:
                self.store.drop_batch(batch.id)

    def loose(self, older_than: timedelta, going: frozenset[UUID]) -> list[Asset]:
        """Old assets that nothing needs once the tasks in `going` are gone, oldest first."""
        remaining = [task for task in self.store.all_tasks() if task.id not in going]
        used = frozenset[UUID]().union(
            *(named_in(json.dumps(task.input, ensure_ascii=False)) for task in remaining)
        )
        before = self.now() - older_than
        old = [
            asset
            for asset in self.store.all_assets()
            if self.is_ours(asset.environment)
            and asset.created_at < before
            and (asset.task_id is None or asset.task_id in going)
            and asset.id not in used
        ]
        return sorted(old, key=lambda asset: asset.created_at)

    def unneeded(self, loose: Sequence[Asset]) -> dict[str, _Note]:
        """What is to be noted of each key that only these assets have."""
        ids = {asset.id for asset in loose}
        needed_keys = {asset.content.key for asset in self.store.all_assets() if asset.id not in ids}
        needed_keys |= {thumbnail.key for thumbnail in self.store.thumbnails.values()}
        notes = {
            key: note
            for key, note in self.doomed.items()
            if self.is_ours(note.environment) and key not in needed_keys
        }
        for asset in loose:
            key, at = asset.content.key, asset.created_at
            if key not in needed_keys:
                at = max(at, notes[key].at) if key in notes else at
                notes[key] = _Note(asset.content.size, at, asset.environment)
        return notes


class MemoryRetention:
    """Implements `Retention` for a `MemoryTaskStore` and the `MemoryDeliveries` in which it notes ends.

    `now` stands for the clock of the database. None for `environment` removes what is anybody's.
    """

    def __init__(
        self,
        store: MemoryTaskStore,
        deliveries: MemoryDeliveries,
        *,
        environment: str | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._place = _Place(store, deliveries, {}, now, environment)
        self._is_taken = False

    async def expect(self, key: str, size: int, task_id: UUID | None = None) -> str:
        """Note that bytes are about to be stored; returns under which key."""
        place, tries, free_key = self._place, 0, key
        if place.store.deleted.is_erased(task_id):
            raise LeaseLost("the task was deleted")
        place.doomed[key] = _Note(size, place.now(), place.environment, task_id)
        while free_key in place.store.deleted.objects:
            tries += 1
            free_key = another_key(key, tries, uuid4().hex)
            place.doomed[free_key] = _Note(size, place.now(), place.environment, task_id)
        return free_key

    def left_by(self, task_id: UUID) -> dict[str, int]:
        """Keys and sizes of what was expected last for this task."""
        return {key: note.size for key, note in self._place.doomed.items() if note.task_id == task_id}

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[Pruning | None]:
        """None while another one has the turn."""
        if self._is_taken:
            yield None
            return
        self._is_taken = True
        try:
            yield MemoryPruning(self._place)
        finally:
            self._is_taken = False

    async def due(self, ages: Ages) -> Pruned:
        """What would be removed now."""
        place = self._place
        going = [] if ages.tasks is None else place.ended(ages.tasks)
        loose = [] if ages.assets is None else place.loose(ages.assets, frozenset(task.id for task in going))
        before = place.now() - ages.objects
        gone = {key: note.size for key, note in place.unneeded(loose).items() if note.at < before}
        sizes = [*gone.values(), *(thumbnail.size for thumbnail in place.store.thumbnails_of(gone))]
        messages = [await place.deliveries.of_task(task.id) for task in going]
        attempts = [await place.store.attempts(task.id) for task in going]
        return Pruned(
            tasks=len(going),
            attempts=sum(map(len, attempts)),
            deliveries=sum(map(len, messages)),
            assets=len(loose),
            objects=len(sizes),
            bytes=sum(sizes),
        )


class MemoryPruning:
    """Implements `Pruning`."""

    def __init__(self, place: _Place) -> None:
        self._place = place

    async def now(self) -> datetime:
        """What the clock says by which ages are counted."""
        return self._place.now()

    async def tasks(self, older_than: timedelta, limit: int) -> Batch:
        """Remove ended tasks with their attempts, messages and batches; their assets stay behind."""
        pruned = Pruned()
        candidates = self._place.ended(older_than)[:limit]
        for task in candidates:
            deliveries, attempts = self._place.deliveries.drop(task.id), self._place.store.drop_task(task.id)
            pruned += Pruned(tasks=1, attempts=attempts, deliveries=deliveries)
        self._place.forget_batches(older_than)
        return Batch(pruned, more=len(candidates) == limit)

    async def assets(self, older_than: timedelta, limit: int) -> Batch:
        """Remove assets of no task that no task uses, and doom the bytes that nobody has any more."""
        candidates = self._place.loose(older_than, frozenset())[:limit]
        self._place.doomed.update(self._place.unneeded(candidates))
        for asset in candidates:
            self._place.store.drop_asset(asset.id)
        return Batch(Pruned(assets=len(candidates)), more=len(candidates) == limit)

    async def entries(self, older_than: timedelta, limit: int) -> Batch:
        """Remove entries of the ledger of old days."""
        place, before = self._place, (self._place.now() - older_than).date()
        live = {task.id for task in place.store.all_tasks() if not task.status.ended}

        def goes(entry: LedgerEntry) -> bool:
            return entry.day < before and entry.task_id not in live and place.is_ours(entry.environment)

        return Batch(Pruned(), more=place.store.forget_entries(goes, limit) == limit)

    async def doomed(self, older_than: timedelta, limit: int) -> Doomed:
        """Objects that may be removed now; those that an asset has again are spared."""
        place, before = self._place, self._place.now() - older_than
        old = [key for key, note in place.doomed.items() if note.at < before and place.is_ours(note.environment)]
        due_keys = sorted(old, key=lambda key: place.doomed[key].at)[:limit]
        had = {asset.content.key for asset in place.store.all_assets()}
        had |= {thumbnail.key for thumbnail in place.store.thumbnails.values()}
        self._forget_notes([key for key in due_keys if key in had], older_than)
        gone = [key for key in due_keys if key not in had]
        thumbnails = tuple(StoredObject(one.key, one.size) for one in place.store.thumbnails_of(gone))
        objects = tuple(StoredObject(key, place.doomed[key].size) for key in gone)
        return Doomed((*objects, *thumbnails), more=len(due_keys) == limit)

    async def forget(self, keys: Sequence[str], older_than: timedelta) -> None:
        """These objects were removed, unless they were expected again."""
        self._place.store.drop_thumbnails(keys)
        self._forget_notes(keys, older_than)

    def _forget_notes(self, keys: Sequence[str], older_than: timedelta) -> None:
        before = self._place.now() - older_than
        for key in keys:
            if key in self._place.doomed and self._place.doomed[key].at < before:
                del self._place.doomed[key]
