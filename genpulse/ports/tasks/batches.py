"""The port of batches: tasks that were submitted together, seen as one thing."""

from typing import Protocol
from uuid import UUID

from genpulse.domain.task_batch import BatchQuery, TaskBatch, TaskEnd


class BatchStore(Protocol):
    """Reads how batches stand. `TaskStore.submit_batch` writes them; their tasks change as all others do."""

    async def get(self, batch_id: UUID) -> TaskBatch:
        """A batch as it stands. Raises `UnknownBatch`, `DatabaseUnavailable`."""

    async def find(self, query: BatchQuery) -> tuple[TaskBatch, ...]:
        """A page of batches, newest first. Raises `DatabaseUnavailable`."""

    async def ends(self, batch_id: UUID) -> tuple[TaskEnd, ...]:
        """Which of its tasks have ended, in the order of their ends; none of an unknown batch.

        One that ran again and has not ended since is not among them. Raises `DatabaseUnavailable`.
        """
