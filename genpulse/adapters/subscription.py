"""The queue of events for one watcher of a task."""

import asyncio

from genpulse.domain.event import TaskEvent

UNREAD = 256
"""How many events wait for one watcher."""


class QueuedSubscription:
    """The events of one task. A watcher that is too slow loses the oldest progress, and never the newest event.

    There are thousands of these, nearly all of them idle: a list, a future and a timer are what the loop can
    do with least memory.
    """

    __slots__ = ("_events", "_waiter")

    def __init__(self) -> None:
        self._events: list[TaskEvent] = []
        self._waiter: asyncio.Future[None] | None = None

    def put(self, event: TaskEvent) -> None:
        """Hand an event over."""
        if len(self._events) >= UNREAD:
            oldest = next((unread for unread in self._events if unread.progress is not None), self._events[0])
            self._events.remove(oldest)
        self._events.append(event)
        if self._waiter is not None:
            _wake(self._waiter)

    async def next(self, timeout_s: float) -> TaskEvent | None:
        """The next event, or None after `timeout_s` seconds. One caller at a time."""
        if not self._events:
            await self._arrival(timeout_s)
        return self._events.pop(0) if self._events else None

    def unread(self) -> list[TaskEvent]:
        """What has come and was not taken yet, all of it at once."""
        events, self._events = self._events, []
        return events

    async def _arrival(self, timeout_s: float) -> None:
        loop = asyncio.get_running_loop()
        self._waiter = loop.create_future()
        timer = loop.call_later(timeout_s, _wake, self._waiter)
        try:
            await self._waiter
        finally:
            timer.cancel()
            self._waiter = None


def _wake(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
