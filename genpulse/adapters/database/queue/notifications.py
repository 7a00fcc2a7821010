"""LISTEN/NOTIFY: work is due, or a task has changed."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from uuid import UUID

import asyncpg

from genpulse.adapters.database.statements.columns import CHANNEL, channel_of
from genpulse.adapters.postgresql.connections import connect, outages
from genpulse.background.loops import Loops
from genpulse.background.shared_task import shared_task
from genpulse.domain.attempt import Worker
from genpulse.domain.errors import DatabaseUnavailable
from genpulse.ports import TaskNotification

LISTENER = "genpulse notices"
"""The name under which PostgreSQL knows the connection that each process listens with."""
QUIET_S = 10.0
"""After so many seconds without a word PostgreSQL is asked whether it is still there."""
ANSWER_S = 5.0
_LONGEST_PAUSE_S = 2.0


class NotificationListener:
    """A connection that listens, opened when it is first needed and opened again whenever it is lost."""

    def __init__(self, url: str, environment: str | None, loops: Loops, *, quiet_s: float = QUIET_S) -> None:
        self._url = url
        self._environment = environment
        self._loops = loops
        self._quiet_s = quiet_s
        self.mark = 0
        self._newest: dict[str, int] = {}
        self._opened = 0
        self._waiting: dict[asyncio.Future[None], Sequence[str]] = {}
        self._subscribers: dict[str, asyncio.Queue[TaskNotification]] = {}
        self._changed = asyncio.Event()
        self._listening: asyncio.Task[None] | None = None

    def listen(self) -> None:
        """Begin, if that has not happened yet."""
        if self._listening is None:
            self._listening = shared_task(self._listen(), "queue notices")

    async def news(self, mark: int, providers: Sequence[str], timeout_s: float) -> bool:
        """Return True when there was something for one of these since `mark`, False after `timeout_s` seconds."""
        if not self._has_news(mark, providers):
            loop = asyncio.get_running_loop()
            waiter = loop.create_future()
            timer = loop.call_later(timeout_s, _wake, waiter)
            self._waiting[waiter] = providers
            try:
                await waiter
            finally:
                timer.cancel()
                del self._waiting[waiter]
        return self._has_news(mark, providers)

    def _has_news(self, mark: int, providers: Sequence[str]) -> bool:
        """A connection that was opened again has missed something for all."""
        newest = self._newest
        return self._opened > mark or any(newest.get(provider, 0) > mark for provider in providers)

    async def of(self, worker: Worker) -> AsyncIterator[TaskNotification]:
        """What is told to this worker from now on."""
        channel = channel_of(worker.id)
        subscriber = self._subscribers.setdefault(channel, asyncio.Queue())
        self._changed.set()
        self.listen()
        try:
            while True:
                yield await subscriber.get()
        finally:
            self._subscribers.pop(channel, None)
            self._changed.set()

    async def close(self) -> None:
        """Stop listening."""
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)

    async def _listen(self) -> None:
        await self._loops.forever(
            "listening to the queue",
            self._until_lost,
            away=(DatabaseUnavailable,),
            longest_pause_s=_LONGEST_PAUSE_S,
        )

    async def _until_lost(self) -> None:
        connection = await connect(
            self._url, application_name=LISTENER, environment=self._environment, command_s=ANSWER_S
        )
        try:
            with outages():
                await connection.add_listener(CHANNEL, self._on_work)
                self._wake_all()
                await self._follow(connection)
        finally:
            connection.terminate()

    async def _follow(self, connection: asyncpg.Connection) -> None:
        """Listen to what is wanted until the connection is lost; raises what it was lost by."""
        listening: set[str] = set()
        is_lost = asyncio.Event()

        def note_loss(_connection: object) -> None:
            is_lost.set()
            self._changed.set()

        connection.add_termination_listener(note_loss)
        while not is_lost.is_set():
            self._changed.clear()
            for channel in self._subscribers.keys() - listening:
                await connection.add_listener(channel, self._on_task)
                listening.add(channel)
            for channel in listening - self._subscribers.keys():
                await connection.remove_listener(channel, self._on_task)
                listening.discard(channel)
            await self._quiet(connection)
        raise DatabaseUnavailable("The connection that listens to the queue was lost.")

    async def _quiet(self, connection: asyncpg.Connection) -> None:
        """Wait for something to do; a connection on which nothing comes may be half open, and is tried."""
        try:
            async with asyncio.timeout(self._quiet_s):
                await self._changed.wait()
        except TimeoutError:
            await connection.execute("SELECT 1")

    def _on_work(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        provider = str(payload)
        self.mark += 1
        self._newest[provider] = self.mark
        for waiter, providers in self._waiting.items():
            if provider in providers:
                _wake(waiter)

    def _wake_all(self) -> None:
        self.mark += 1
        self._opened = self.mark
        for waiter in self._waiting:
            _wake(waiter)

    def _on_task(self, _connection: object, _pid: int, channel: str, payload: object) -> None:
        subscriber = self._subscribers.get(channel)
        notification = _notification(str(payload))
        if subscriber is not None and notification is not None:
            subscriber.put_nowait(notification)


def _notification(payload: str) -> TaskNotification | None:
    """None for what is no notification of this version."""
    what, _, task_id = payload.partition(" ")
    try:
        return TaskNotification(UUID(task_id), unwanted=what == "unwanted")
    except ValueError:
        return None


def _wake(waiter: "asyncio.Future[None]") -> None:
    if not waiter.done():
        waiter.set_result(None)
