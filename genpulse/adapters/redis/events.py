"""The `EventBus` port on Redis' publish and subscribe."""

import asyncio
import json
import logging
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from uuid import UUID

from redis.asyncio import Redis
from redis.asyncio.client import PubSub

from genpulse.adapters.redis.connection import AWAY
from genpulse.adapters.redis.keys import Keyspace
from genpulse.domain.event import TaskEvent

_WAITING = 10_000
_UNREAD = 256
_CONFIRM_S = 1.0
_AGAIN_S = 0.5
_READ_S = 5.0

_log = logging.getLogger(__name__)


class RedisSubscription:
    """The events of one task. A watcher that is too slow loses the oldest, and never the newest."""

    def __init__(self) -> None:
        self._events: deque[TaskEvent] = deque(maxlen=_UNREAD)
        self._arrived = asyncio.Event()

    def put(self, event: TaskEvent) -> None:
        """Hand an event over."""
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
    """Implements `EventBus` with two connections a process: one that sends, one that listens for all watchers."""

    def __init__(self, client: Redis, keys: Keyspace) -> None:
        self._client = client
        self._keys = keys
        self._changes: deque[TaskEvent] = deque(maxlen=_WAITING)
        self._progress: dict[UUID, TaskEvent] = {}
        self._to_send = asyncio.Event()
        self._sending: asyncio.Task[None] | None = None
        self._away = False
        self._watchers: dict[str, set[RedisSubscription]] = {}
        self._confirmed: dict[str, asyncio.Event] = {}
        self._pubsub: PubSub | None = None
        self._watched = asyncio.Event()
        self._listening: asyncio.Task[None] | None = None

    def publish(self, event: TaskEvent) -> None:
        """Send soon, without waiting; of progress that could not be sent yet only the newest is kept."""
        if event.progress is None:
            self._changes.append(event)
        elif len(self._progress) < _WAITING:
            self._progress[event.task_id] = event
        self._to_send.set()
        if self._sending is None:
            self._sending = asyncio.create_task(self._send(), name="events to redis")

    async def _send(self) -> None:
        while True:
            await self._to_send.wait()
            self._to_send.clear()
            await self._flush()

    async def _flush(self) -> None:
        events = [*self._changes, *self._progress.values()]
        self._changes.clear()
        self._progress.clear()
        try:
            async with self._client.pipeline(transaction=False) as pipeline:
                for event in events:
                    pipeline.publish(self._keys.events(event.task_id), _document(event))
                await pipeline.execute()
            self._away = False
        except AWAY as error:
            self._say_away(error)

    def _say_away(self, error: BaseException) -> None:
        if not self._away:
            _log.warning("live events are lost while Redis is away (%s); nothing else is", error)
        self._away = True

    @asynccontextmanager
    async def subscribe(self, task_id: UUID) -> AsyncIterator[RedisSubscription]:
        """Listen from now on."""
        channel = self._keys.events(task_id)
        watcher = RedisSubscription()
        self._watchers.setdefault(channel, set()).add(watcher)
        await self._listen_to(channel)
        try:
            yield watcher
        finally:
            self._watchers[channel].discard(watcher)
            if not self._watchers[channel]:
                del self._watchers[channel]
                await self._leave(channel)

    async def _listen_to(self, channel: str) -> None:
        """Return when Redis has confirmed, or after a moment: then the row has to tell."""
        if self._listening is None:
            self._listening = asyncio.create_task(self._listen(), name="events from redis")
        confirmed = self._confirmed.get(channel)
        if confirmed is None:
            confirmed = self._confirmed[channel] = asyncio.Event()
            self._watched.set()
            if self._pubsub is not None:
                with suppress(*AWAY):
                    await self._pubsub.subscribe(channel)
        with suppress(TimeoutError):
            async with asyncio.timeout(_CONFIRM_S):
                await confirmed.wait()

    async def _leave(self, channel: str) -> None:
        self._confirmed.pop(channel, None)
        if not self._confirmed:
            self._watched.clear()
        if self._pubsub is not None:
            with suppress(*AWAY):
                await self._pubsub.unsubscribe(channel)

    async def _listen(self) -> None:
        while True:
            await self._watched.wait()
            try:
                await self._until_lost()
            except AWAY as error:
                self._say_away(error)
                await asyncio.sleep(_AGAIN_S)

    async def _until_lost(self) -> None:
        async with self._client.pubsub() as pubsub:
            self._pubsub = pubsub
            try:
                await pubsub.subscribe(*self._confirmed)
                while self._watched.is_set():
                    message = await pubsub.get_message(timeout=_READ_S)
                    if message is not None:
                        self._dispatch(message["type"], message["channel"], message["data"])
            finally:
                self._pubsub = None

    def _dispatch(self, kind: str, channel: str, data: object) -> None:
        if kind == "subscribe" and channel in self._confirmed:
            self._confirmed[channel].set()
        elif kind == "message":
            event = _event(str(data))
            for watcher in self._watchers.get(channel, ()):
                watcher.put(event)

    async def close(self) -> None:
        """Send what waits, as far as that goes within a second, and stop listening."""
        tasks = [task for task in (self._sending, self._listening) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        with suppress(TimeoutError):
            async with asyncio.timeout(_CONFIRM_S):
                await self._flush()


def _document(event: TaskEvent) -> str:
    return json.dumps([str(event.task_id), event.seq, event.progress, event.message], separators=(",", ":"))


def _event(document: str) -> TaskEvent:
    task_id, seq, progress, message = json.loads(document)
    return TaskEvent(UUID(task_id), seq, progress, message)
