"""Batches inside this process."""

from collections import Counter
from decimal import Decimal
from uuid import UUID

from genpulse.adapters.memory.tasks.store import MemoryTaskStore
from genpulse.domain.errors import UnknownBatch
from genpulse.domain.money.cost import Cost
from genpulse.domain.task import Task, TaskStatus
from genpulse.domain.task_batch import BatchQuery, TaskBatch, TaskEnd


class MemoryBatches:
    """Implements `BatchStore` for the batches of a `MemoryTaskStore`."""

    def __init__(self, store: MemoryTaskStore) -> None:
        self._store = store

    async def get(self, batch_id: UUID) -> TaskBatch:
        """A batch as it stands. Raises `UnknownBatch`."""
        for batch in self._store.all_batches():
            if batch.id == batch_id:
                return self._standing(batch)
        raise UnknownBatch(batch_id)

    async def find(self, query: BatchQuery) -> tuple[TaskBatch, ...]:
        """A page of batches, newest first."""
        fitting = [
            batch
            for batch in self._store.all_batches()
            if (query.before is None or batch.id < query.before)
            and (query.owner is None or batch.owner == query.owner)
        ]
        newest = sorted(fitting, key=lambda batch: batch.id, reverse=True)[: query.limit]
        return tuple(self._standing(batch) for batch in newest)

    async def ends(self, batch_id: UUID) -> tuple[TaskEnd, ...]:
        """Which of its tasks have ended, in the order of their ends."""
        tasks = self._tasks(batch_id)
        return tuple(sorted(TaskEnd(task.finished_at, task.id) for task in tasks if task.finished_at is not None))

    def _tasks(self, batch_id: UUID) -> list[Task]:
        return self._store.of_batch(batch_id)

    def _standing(self, batch: TaskBatch) -> TaskBatch:
        tasks = self._tasks(batch.id)
        costs = [task.cost for task in tasks if task.cost]
        amount = sum((cost.amount_usd for cost in costs), Decimal(0))
        ends = [task.finished_at for task in tasks if task.finished_at is not None]
        return TaskBatch(
            id=batch.id,
            environment=batch.environment,
            owner=batch.owner,
            created_at=batch.created_at,
            size=batch.size,
            statuses=Counter(task.status for task in tasks),
            retryable=sum(_can_succeed(task) for task in tasks),
            cost=Cost(amount, any(cost.estimated for cost in costs)) if costs else None,
            last_end_at=max(ends, default=None),
        )


def _can_succeed(task: Task) -> bool:
    return task.status is TaskStatus.FAILED and task.error is not None and task.error.retryable
