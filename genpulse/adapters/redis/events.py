"""The `EventBus` port on Redis' publish and subscribe."""

import asyncio
import json
import logging
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from types import TracebackType
from uuid import UUID

from redis.asyncio import Redis

from genpulse.adapters.redis.connection import Outage
from genpulse.adapters.redis.keys import Keyspace
from genpulse.adapters.redis.listener import ChannelListener
from genpulse.adapters.redis.sender import EventSender
from genpulse.domain.event import TaskEvent

UNREAD = 256
"""How many events wait for one watcher."""

_log = logging.getLogger(__name__)


class RedisSubscription:
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


class RedisEventBus:
    """Implements `EventBus` with two connections a process: one that sends, one that listens for all watchers.

    Nothing is opened before the first event or the first watcher. Close it before its client. After `quiet_s`
    seconds in which nothing was heard the connection is tried out.
    """

    def __init__(self, client: Redis, keys: Keyspace, *, quiet_s: float = 5.0) -> None:
        outage = Outage()
        self._keys = keys
        self._watchers: dict[str, set[RedisSubscription]] = {}
        self._sender = EventSender(client, outage, self._encode)
        self._listener = ChannelListener(client, outage, self._deliver, quiet_s)

    def publish(self, event: TaskEvent) -> None:
        """Send soon, without waiting; of progress that could not be sent yet only the newest is kept."""
        self._sender.put(event)

    @asynccontextmanager
    async def subscribe(self, task_id: UUID) -> AsyncIterator[RedisSubscription]:
        """Listen from now on; while Redis is away it takes a second to begin, and there are no events."""
        channel = self._keys.events(task_id)
        watcher = RedisSubscription()
        watchers = self._watchers.setdefault(channel, set())
        watchers.add(watcher)
        try:
            await self._listener.join(channel)
            yield watcher
        finally:
            watchers.remove(watcher)
            if not watchers:
                del self._watchers[channel]
                self._listener.leave(channel)

    def _encode(self, event: TaskEvent) -> tuple[str, str]:
        return self._keys.events(event.task_id), _document(event)

    def _deliver(self, channel: str, document: str) -> None:
        event = _event(document)
        if event is None:
            _log.warning("what came over %s is no event of this version: %.100r", channel, document)
            return
        for watcher in self._watchers.get(channel, ()):
            watcher.put(event)

    async def close(self) -> None:
        """Send what waits, as far as that goes within a second, and stop listening."""
        await self._listener.close()
        await self._sender.close()

    async def __aenter__(self) -> "RedisEventBus":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


def _document(event: TaskEvent) -> str:
    return json.dumps([str(event.task_id), event.seq, event.progress, event.message], separators=(",", ":"))


def _event(document: str) -> TaskEvent | None:
    """None for what is not an event."""
    try:
        task_id, seq, progress, message = json.loads(document)
        return TaskEvent(UUID(task_id), int(seq), progress, message)
    except (ValueError, TypeError, AttributeError):
        return None
