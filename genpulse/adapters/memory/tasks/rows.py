"""Tasks, attempts and assets inside this process, as rows that others read and change."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from uuid import UUID

from genpulse.adapters.memory.money.spending_counters import MemoryLedger
from genpulse.adapters.memory.queue.task_queue import MemoryTaskQueue
from genpulse.adapters.memory.tasks.abandoned_orders import UnstoppedOrders
from genpulse.adapters.memory.tasks.search import fits, is_beyond
from genpulse.adapters.memory.tasks.sums import grouped, used
from genpulse.adapters.memory.webhooks.deliveries import MemoryDeliveries
from genpulse.domain.assets.asset import Asset, Content, named_in
from genpulse.domain.assets.thumbnail import Thumbnail, ThumbnailWidth
from genpulse.domain.attempt import (
    Attempt,
    Lease,
)
from genpulse.domain.deletion import key_digest
from genpulse.domain.errors import AssetExists, BytesErased, UnknownAsset, UnknownTask
from genpulse.domain.event import seq_at_end
from genpulse.domain.money.ledger import LedgerEntry
from genpulse.domain.search.looked_through import LookedThrough
from genpulse.domain.search.task_group import TaskGroup
from genpulse.domain.search.task_query import TaskFilter, TaskQuery
from genpulse.domain.search.usage import UsageQuery, UsageRow
from genpulse.domain.task import Task, TaskStatus
from genpulse.domain.task_batch import TaskBatch
from genpulse.domain.trace_context import TraceContext


@dataclass(frozen=True, slots=True)
class Tombstone:
    """A task that was deleted.

    `digest` is of its idempotency key. `erased` is what it came to, without what it was, once nothing else is
    left of it.
    """

    owner: str
    environment: str
    deleted_at: datetime
    digest: bytes | None
    erased: Task | None = None


@dataclass(frozen=True, slots=True)
class DeletedRows:
    """When tasks and assets were deleted that are still here; tombstones; keys under which nothing is stored."""

    tasks: dict[UUID, datetime] = field(default_factory=dict)
    assets: dict[UUID, datetime] = field(default_factory=dict)
    tombstones: dict[UUID, Tombstone] = field(default_factory=dict)
    objects: dict[str, int] = field(default_factory=dict)

    def has_key(self, owner: str, idempotency_key: str) -> bool:
        """Whether a task that was deleted had this key."""
        digest = key_digest(owner, idempotency_key)
        return any(tombstone.digest == digest for tombstone in self.tombstones.values())

    def is_erased(self, task_id: UUID | None) -> bool:
        """Whether nothing is left of this task."""
        tombstone = self.tombstones.get(task_id) if task_id else None
        return tombstone is not None and tombstone.erased is not None

    def erased(self) -> tuple[Task, ...]:
        """Those of which nothing else is left, without what they were."""
        return tuple(tombstone.erased for tombstone in self.tombstones.values() if tombstone.erased)


def without_result(task: Task) -> Task:
    """The task as it is read together with others."""
    return task if task.result is None else replace(task, result=None, has_unread_result=True)


class TaskRows:
    """What one method writes is one commit, since nothing awaits in between."""

    def __init__(
        self,
        queue: MemoryTaskQueue,
        deliveries: MemoryDeliveries | None = None,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._now = now
        self._queue = queue
        self._deliveries = deliveries or MemoryDeliveries()
        self._ledger = MemoryLedger(now)
        self._tasks: dict[UUID, Task] = {}
        self._keys: dict[tuple[str, str], tuple[UUID, str]] = {}
        self._batches: dict[UUID, TaskBatch] = {}
        self._batch_keys: dict[tuple[str, str], tuple[UUID, str]] = {}
        self._leases: dict[UUID, Lease] = {}
        self._attempts: dict[UUID, list[Attempt]] = {}
        self._assets: dict[UUID, Asset] = {}
        self.traces: dict[UUID, TraceContext] = {}
        self.thumbnails: dict[tuple[str, ThumbnailWidth], Thumbnail] = {}
        self._unstopped = UnstoppedOrders(now)
        self.deleted = DeletedRows()

    async def get(self, task_id: UUID) -> Task:
        """Raises `UnknownTask`, also for one that was deleted."""
        if task_id in self.deleted.tasks:
            raise UnknownTask(task_id)
        return self._row(task_id)

    def _row(self, task_id: UUID) -> Task:
        try:
            return self._tasks[task_id]
        except KeyError:
            raise UnknownTask(task_id) from None

    async def find(self, query: TaskQuery) -> tuple[Task, ...]:
        """A page of tasks, newest first, or oldest first where that is asked for."""
        found = [task for task in self._shown() if is_beyond(task, query) and fits(task, query.filter)]
        page = sorted(found, key=lambda task: task.id, reverse=not query.oldest_first)[: query.limit]
        return tuple(without_result(task) for task in page)

    async def look(self, query: TaskQuery, at_most: int) -> LookedThrough[Task]:
        """What of a page, newest first, is found among so many tasks."""
        looked = self._newest(query, at_most)
        found = looked.matches[: query.limit]
        is_full = len(found) == query.limit
        return LookedThrough(tuple(map(without_result, found)), found[-1].id if is_full else looked.back_to)

    async def count(self, query: TaskQuery, at_most: int) -> LookedThrough[TaskGroup]:
        """All that fit among so many tasks, counted where they are alike."""
        looked = self._newest(query, at_most)
        return LookedThrough(grouped(looked.matches), looked.back_to)

    def _newest(self, query: TaskQuery, at_most: int) -> LookedThrough[Task]:
        beyond = (task for task in self._shown() if is_beyond(task, query))
        newest = sorted(beyond, key=lambda task: task.id, reverse=True)
        found = tuple(task for task in newest[:at_most] if fits(task, query.filter))
        return LookedThrough(found, newest[at_most - 1].id if len(newest) > at_most else None)

    async def groups(self, task_filter: TaskFilter) -> tuple[TaskGroup, ...]:
        """All tasks that fit, counted where they are alike."""
        return grouped([task for task in self._shown() if fits(task, task_filter)])

    async def usage_by(self, query: UsageQuery) -> tuple[UsageRow, ...]:
        """What tasks came to, put together, with those that were deleted."""
        marked = (replace(self._tasks[task_id], metadata={}) for task_id in self.deleted.tasks)
        return used((*self._shown(), *marked, *self.deleted.erased()), self._ledger.entries.all, query)

    async def sum_usage(self) -> bool:
        """Keeps no sums."""
        return False

    def _shown(self) -> tuple[Task, ...]:
        """Those that were not deleted."""
        return tuple(task for task in self._tasks.values() if task.id not in self.deleted.tasks)

    async def attempts(self, task_id: UUID) -> tuple[Attempt, ...]:
        """All attempts of a task, oldest first."""
        return () if task_id in self.deleted.tasks else tuple(self._attempts.get(task_id, ()))

    def _holds(self, lease: Lease) -> bool:
        task = self._tasks.get(lease.task_id)
        return task is not None and task.status is TaskStatus.RUNNING and self._leases.get(task.id) == lease

    def _end(self, task: Task, *, status: TaskStatus) -> Task:
        ended = replace(
            task,
            status=status,
            finished_at=self._now(),
            seq=seq_at_end(task.seq),
            waiting_for=None,
            waiting_since=None,
            next_try_at=None,
        )
        self._tasks[task.id] = ended
        self._ledger.ended(ended)
        if task.id not in self.deleted.tasks:
            self._deliveries.note(ended)
        self._queue.settle(task.id)
        for other in [one for one in self._tasks.values() if task.id in one.depends_on]:
            self._wake(other)
        return ended

    def _wake(self, task: Task) -> bool:
        """Let a task go on that waits for others, where these have ended, or one of them without an output."""
        sources = [self._tasks[source] for source in task.depends_on if source in self._tasks]
        has_lost = any(source.status in {TaskStatus.FAILED, TaskStatus.CANCELED} for source in sources)
        if not task.awaits_sources or not (has_lost or all(source.status.ended for source in sources)):
            return False
        now = self._now()
        due_at = max(now, task.run_at or now)
        self._tasks[task.id] = replace(task, next_try_at=due_at)
        self._queue.wake(task.id, (due_at - now).total_seconds())
        return True

    def _awaits(self, sources: Sequence[UUID]) -> bool:
        """Whether one of these tasks has not ended."""
        return any(source in self._tasks and not self._tasks[source].status.ended for source in sources)

    async def wake(self) -> int:
        """Let tasks go on that wait for others which have all ended."""
        return sum([self._wake(task) for task in list(self._tasks.values())])

    async def add_asset(self, asset: Asset) -> None:
        """Keep an asset's identity. Raises `BytesErased`, `AssetExists`."""
        self._refuse_erased([asset])
        if asset.id in self._assets:
            raise AssetExists(f"the asset {asset.id} is there already")
        self._assets[asset.id] = asset

    async def twin_of(self, content: Content, environment: str) -> Content | None:
        """The same bytes under another key of the same week."""
        folder = f"{content.key.rpartition('/')[0]}/"
        for asset in self._assets.values():
            other = asset.content
            is_same = (other.sha256, other.size, asset.environment) == (content.sha256, content.size, environment)
            is_near = other.key.startswith(folder) and other.key != content.key
            if is_same and is_near and asset.id not in self.deleted.assets:
                return other
        return None

    def _refuse_erased(self, assets: Sequence[Asset]) -> None:
        for asset in assets:
            if asset.content.key in self.deleted.objects:
                raise BytesErased(f"the bytes under {asset.content.key} are gone")

    async def asset(self, asset_id: UUID) -> Asset:
        """Raises `UnknownAsset`, also for one that was deleted and that no task needs."""
        asset = self._assets.get(asset_id)
        if asset is None or not (self._is_shown(asset) or self.needing(asset_id)):
            raise UnknownAsset(asset_id)
        return asset

    async def owners_of_assets(self, asset_ids: Sequence[UUID]) -> Mapping[UUID, str]:
        """Whose these assets are; those that are not there are left out."""
        shown = [one for one in asset_ids if one in self._assets and self._is_shown(self._assets[one])]
        return {asset_id: self._assets[asset_id].owner for asset_id in shown}

    async def media_types(self, asset_ids: Sequence[UUID]) -> Mapping[UUID, str]:
        """What these assets are; those that are not there are left out."""
        assets = [self._assets[asset_id] for asset_id in asset_ids if asset_id in self._assets]
        return {asset.id: asset.content.media_type for asset in assets if self._is_shown(asset)}

    def _is_shown(self, asset: Asset) -> bool:
        """Neither deleted nor an output of a task that was."""
        return asset.id not in self.deleted.assets and asset.task_id not in self.deleted.tasks

    async def counts(self) -> dict[str, int]:
        """How many tasks there are in each state that has not ended."""
        open_states = (TaskStatus.QUEUED, TaskStatus.RUNNING)
        return {state.value: sum(task.status is state for task in self._tasks.values()) for state in open_states}

    async def now(self) -> datetime:
        """The clock by which all moments here are counted."""
        return self._now()

    def all_tasks(self) -> tuple[Task, ...]:
        """In the order in which they were submitted."""
        return tuple(self._tasks.values())

    def all_attempts(self) -> tuple[Attempt, ...]:
        """Of all tasks that are there, also of those that were deleted."""
        return tuple(attempt for attempts in self._attempts.values() for attempt in attempts)

    def forget_entries(self, gone: Callable[[LedgerEntry], bool], limit: int) -> int:
        """Drop entries of the ledger that are to go, at most so many; returns how many."""
        return self._ledger.entries.drop(gone, limit)

    def all_batches(self) -> tuple[TaskBatch, ...]:
        """As they were submitted, in that order."""
        return tuple(self._batches.values())

    def of_batch(self, batch_id: UUID) -> list[Task]:
        """The tasks of a batch that are there, in the order of their ids."""
        tasks = (task for task in self._tasks.values() if task.batch_id == batch_id)
        return sorted((task for task in tasks if task.id not in self.deleted.tasks), key=lambda task: task.id)

    def drop_batch(self, batch_id: UUID) -> None:
        """Forget a batch and its idempotency key."""
        del self._batches[batch_id]
        self._batch_keys = {key: entry for key, entry in self._batch_keys.items() if entry[0] != batch_id}

    def needing(self, asset_id: UUID) -> list[UUID]:
        """Tasks that have not ended and whose input names this asset, oldest first."""
        return sorted(
            task.id
            for task in self._tasks.values()
            if not task.status.ended and asset_id in named_in(json.dumps(task.input, ensure_ascii=False))
        )

    def change(self, task: Task) -> None:
        """Let a task that is here be like this."""
        self._tasks[task.id] = task

    def key_of(self, task_id: UUID) -> str | None:
        """The idempotency key under which a task was submitted."""
        return next((key for (_, key), known in self._keys.items() if known[0] == task_id), None)

    def hurry_stop(self, task_id: UUID) -> None:
        """What is still to be stopped at a vendor is due now."""
        self._unstopped.hurry(task_id)

    def is_unstopped(self, task_id: UUID) -> bool:
        """Whether something is still to be stopped at a vendor."""
        return self._unstopped.has(task_id)

    def all_assets(self) -> tuple[Asset, ...]:
        """In the order in which they were added."""
        return tuple(self._assets.values())

    def thumbnails_of(self, sources: Collection[str]) -> tuple[Thumbnail, ...]:
        """Those of the contents under these keys."""
        return tuple(one for one in self.thumbnails.values() if one.source in sources)

    def drop_thumbnails(self, keys: Collection[str]) -> None:
        """Forget those that lie under these keys."""
        for place in [place for place, one in self.thumbnails.items() if one.key in keys]:
            del self.thumbnails[place]

    def drop_task(self, task_id: UUID) -> int:
        """Forget a task and its idempotency key, and let its assets be of no task; returns its attempts."""
        del self._tasks[task_id]
        self.traces.pop(task_id, None)
        self._leases.pop(task_id, None)
        self._unstopped.forget(task_id)
        self._keys = {key: entry for key, entry in self._keys.items() if entry[0] != task_id}
        for asset in self.all_assets():
            if asset.task_id == task_id:
                self._assets[asset.id] = replace(asset, task_id=None)
        return len(self._attempts.pop(task_id, ()))

    def drop_asset(self, asset_id: UUID) -> None:
        """Forget an asset."""
        del self._assets[asset_id]
        self.deleted.assets.pop(asset_id, None)
