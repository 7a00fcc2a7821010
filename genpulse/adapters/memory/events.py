"""An event bus inside this process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from genpulse.adapters.subscription import QueuedSubscription
from genpulse.domain.event import TaskEvent


class MemoryEventBus:
    """Implements `EventBus`."""

    def __init__(self) -> None:
        self._watchers: dict[UUID, set[QueuedSubscription]] = {}

    def publish(self, event: TaskEvent) -> None:
        """Hand the event to those who watch the task."""
        for watcher in self._watchers.get(event.task_id, ()):
            watcher.put(event)

    @asynccontextmanager
    async def subscribe(self, task_id: UUID) -> AsyncIterator[QueuedSubscription]:
        """Listen from now on."""
        watcher = QueuedSubscription()
        watchers = self._watchers.setdefault(task_id, set())
        watchers.add(watcher)
        try:
            yield watcher
        finally:
            watchers.remove(watcher)
            if not watchers:
                del self._watchers[task_id]
