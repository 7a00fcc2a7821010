"""The `EventBus` port on Redis' publish and subscribe."""

import logging
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Annotated, TypeAlias
from uuid import UUID

from pydantic import Field, TypeAdapter, ValidationError
from pydantic_core import to_json
from redis.asyncio import Redis

from genpulse.adapters.redis.connection import Outage
from genpulse.adapters.redis.keys import Keyspace
from genpulse.adapters.redis.listener import ChannelListener
from genpulse.adapters.redis.sender import EventSender
from genpulse.adapters.subscription import QueuedSubscription
from genpulse.background.loops import Loops
from genpulse.domain.event import TaskEvent

_Watchers: TypeAlias = dict[str, set[QueuedSubscription]]
_Seq: TypeAlias = Annotated[int, Field(ge=0, lt=1 << 63)]
_Progress: TypeAlias = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
_EVENT = TypeAdapter(tuple[UUID, _Seq, _Progress | None, str | None])
"""What an event is on its channel: a list in JSON."""

_log = logging.getLogger(__name__)


class RedisEventBus:
    """Implements `EventBus` with two connections a process: one that sends, one that listens for all watchers.

    Nothing is opened before the first event or the first watcher. Close it before its client. After `quiet_s`
    seconds in which nothing was heard the connection is tried out. `loops` counts what its two loops raise.
    """

    def __init__(self, redis: Redis, keys: Keyspace, *, quiet_s: float = 5.0, loops: Loops | None = None) -> None:
        outage, loops = Outage(), loops or Loops()
        self._keys = keys
        self._watchers: _Watchers = {}
        self._sender = EventSender(redis, outage, keys, _document, loops)
        self._listener = ChannelListener(redis, outage, self._deliver, quiet_s, loops)

    def publish(self, event: TaskEvent) -> None:
        """Send soon, without waiting; of progress that could not be sent yet only the newest is kept."""
        self._sender.put(event)

    def subscribe(self, task_id: UUID) -> AbstractAsyncContextManager[QueuedSubscription]:
        """Listen from now on; while Redis is away it takes a second to begin, and there are no events."""
        return _Watch(self._watchers, self._listener, self._keys.events(task_id))

    def _deliver(self, channel: str, document: str) -> None:
        event = _event(document)
        if event is None or self._keys.events(event.task_id) != channel:
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


class _Watch(AbstractAsyncContextManager[QueuedSubscription]):
    """One watcher of a channel, for as long as the context lasts. A generator would need five times the memory."""

    __slots__ = ("_channel", "_listener", "_subscription", "_watchers")

    def __init__(self, watchers: _Watchers, listener: ChannelListener, channel: str) -> None:
        self._watchers = watchers
        self._listener = listener
        self._channel = channel
        self._subscription = QueuedSubscription()

    async def __aenter__(self) -> QueuedSubscription:
        self._watchers.setdefault(self._channel, set()).add(self._subscription)
        try:
            await self._listener.join(self._channel)
        except BaseException:
            self._leave()
            raise
        return self._subscription

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave()

    def _leave(self) -> None:
        watchers = self._watchers[self._channel]
        watchers.remove(self._subscription)
        if not watchers:
            del self._watchers[self._channel]
            self._listener.leave(self._channel)


def _document(event: TaskEvent) -> str:
    return to_json([event.task_id, event.seq, event.progress, event.message]).decode()


def _event(document: str) -> TaskEvent | None:
    """None for what is not an event."""
    try:
        return TaskEvent(*_EVENT.validate_json(document, strict=True))
    except ValidationError:
        return None
