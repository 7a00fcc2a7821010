"""The traces of tasks, inside this process."""

from uuid import UUID

from genpulse.adapters.memory.tasks.store import MemoryTaskStore
from genpulse.domain.trace_context import TaskTrace


class MemoryTraces:
    """Implements `TraceStore` for the tasks of a store."""

    def __init__(self, store: MemoryTaskStore) -> None:
        self._store = store

    async def of(self, task_id: UUID) -> TaskTrace | None:
        """The trace of a task, None where it has none."""
        context = self._store.traces.get(task_id)
        if context is None:
            return None
        ends = [one.finished_at for one in await self._store.attempts(task_id) if one.finished_at is not None]
        return TaskTrace(context, max(ends, default=None))
