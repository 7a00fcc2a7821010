"""An event bus inside this process."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from genpulse.domain.event import TaskEvent


class MemorySubscription:
    """The events of one task since the subscription began."""

    def __init__(self) -> None:
        self._events: asyncio.Queue[TaskEvent] = asyncio.Queue()

    def put(self, event: TaskEvent) -> None:
        """Hand an event over."""
        self._events.put_nowait(event)

    async def next(self, timeout_s: float) -> TaskEvent | None:
        """The next event, or None after `timeout_s` seconds."""
        try:
            async with asyncio.timeout(timeout_s):
                return await self._events.get()
        except TimeoutError:
            return None


class MemoryEventBus:
    """Implements `EventBus`."""

    def __init__(self) -> None:
        self._watchers: defaultdict[UUID, set[MemorySubscription]] = defaultdict(set)

    def publish(self, event: TaskEvent) -> None:
        """Hand the event to those who watch the task."""
        for watcher in self._watchers.get(event.task_id, ()):
            watcher.put(event)

    @asynccontextmanager
    async def subscribe(self, task_id: UUID) -> AsyncIterator[MemorySubscription]:
        """Listen from now on."""
        watcher = MemorySubscription()
        self._watchers[task_id].add(watcher)
        try:
            yield watcher
        finally:
            self._watchers[task_id].discard(watcher)
            if not self._watchers[task_id]:
                del self._watchers[task_id]
