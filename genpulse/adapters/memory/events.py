"""An event bus inside this process."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from uuid import UUID

from genpulse.domain.event import TaskEvent

UNREAD = 256
"""How many events wait for one watcher."""


class MemorySubscription:
    """The events of one task. A watcher that is too slow loses the oldest progress, and never the newest event."""

    def __init__(self) -> None:
        self._events: deque[TaskEvent] = deque()
        self._arrived = asyncio.Event()

    def put(self, event: TaskEvent) -> None:
        """Hand an event over."""
        if len(self._events) >= UNREAD:
            oldest = next((unread for unread in self._events if unread.progress is not None), self._events[0])
            self._events.remove(oldest)
        self._events.append(event)
        self._arrived.set()

    async def next(self, timeout_s: float) -> TaskEvent | None:
        """The next event, or None after `timeout_s` seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while not self._events:
                    self._arrived.clear()
                    await self._arrived.wait()
        return self._events.popleft() if self._events else None


class MemoryEventBus:
    """Implements `EventBus`."""

    def __init__(self) -> None:
        self._watchers: dict[UUID, set[MemorySubscription]] = {}

    def publish(self, event: TaskEvent) -> None:
        """Hand the event to those who watch the task."""
        for watcher in self._watchers.get(event.task_id, ()):
            watcher.put(event)

    @asynccontextmanager
    async def subscribe(self, task_id: UUID) -> AsyncIterator[MemorySubscription]:
        """Listen from now on."""
        watcher = MemorySubscription()
        watchers = self._watchers.setdefault(task_id, set())
        watchers.add(watcher)
        try:
            yield watcher
        finally:
            watchers.remove(watcher)
            if not watchers:
                del self._watchers[task_id]
