"""Tasks, attempts and assets inside this process, as rows that others read and change."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from genpulse.adapters.memory.abandoned_orders import UnstoppedOrders
from genpulse.adapters.memory.queue import MemoryTaskQueue
from genpulse.adapters.memory.spending_counters import MemoryLedger
from genpulse.adapters.memory.task_search import fits
from genpulse.adapters.memory.task_sums import grouped, used
from genpulse.adapters.memory.webhook_deliveries import MemoryDeliveries
from genpulse.domain.asset import Asset
from genpulse.domain.attempt import (
    Attempt,
    Lease,
)
from genpulse.domain.errors import UnknownAsset, UnknownTask
from genpulse.domain.event import seq_at_end
from genpulse.domain.task import Task, TaskStatus
from genpulse.domain.task_group import TaskGroup
from genpulse.domain.task_query import TaskFilter, TaskQuery
from genpulse.domain.usage import UsageQuery, UsageRow


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
        self._leases: dict[UUID, Lease] = {}
        self._attempts: dict[UUID, list[Attempt]] = {}
        self._assets: dict[UUID, Asset] = {}
        self._unstopped = UnstoppedOrders(now)

    async def get(self, task_id: UUID) -> Task:
        """Raises `UnknownTask`."""
        try:
            return self._tasks[task_id]
        except KeyError:
            raise UnknownTask(task_id) from None

    async def find(self, query: TaskQuery) -> tuple[Task, ...]:
        """A page of tasks, newest first."""
        older = (task for task in self._tasks.values() if query.before is None or task.id < query.before)
        found = [task for task in older if fits(task, query.filter)]
        return tuple(sorted(found, key=lambda task: task.id, reverse=True)[: query.limit])

    async def groups(self, wanted: TaskFilter) -> tuple[TaskGroup, ...]:
        """All tasks that fit, counted where they are alike."""
        return grouped([task for task in self._tasks.values() if fits(task, wanted)])

    async def usage_by(self, query: UsageQuery) -> tuple[UsageRow, ...]:
        """What tasks came to, put together."""
        return used(self.all_tasks(), query)

    async def attempts(self, task_id: UUID) -> tuple[Attempt, ...]:
        """All attempts of a task, oldest first."""
        return tuple(self._attempts.get(task_id, ()))

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
        self._deliveries.note(ended)
        self._queue.settle(task.id)
        return ended

    async def add_asset(self, asset: Asset) -> None:
        """Keep an asset's identity."""
        self._assets[asset.id] = asset

    async def asset(self, asset_id: UUID) -> Asset:
        """Raises `UnknownAsset`."""
        try:
            return self._assets[asset_id]
        except KeyError:
            raise UnknownAsset(asset_id) from None

    async def owners_of_assets(self, asset_ids: Sequence[UUID]) -> Mapping[UUID, str]:
        """Whose these assets are; those that are not there are left out."""
        return {asset_id: self._assets[asset_id].owner for asset_id in asset_ids if asset_id in self._assets}

    async def media_types(self, asset_ids: Sequence[UUID]) -> Mapping[UUID, str]:
        """What these assets are; those that are not there are left out."""
        assets = {asset_id: self._assets[asset_id] for asset_id in asset_ids if asset_id in self._assets}
        return {asset_id: asset.content.media_type for asset_id, asset in assets.items()}

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

    def all_assets(self) -> tuple[Asset, ...]:
        """In the order in which they were added."""
        return tuple(self._assets.values())

    def drop_task(self, task_id: UUID) -> int:
        """Forget a task and its idempotency key, and let its assets be of no task; returns its attempts."""
        del self._tasks[task_id]
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
