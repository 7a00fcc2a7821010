"""What PostgreSQL tells those who listen: there is work, or a task was canceled."""

import asyncio
import logging
from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg

from genpulse.adapters.postgresql import connect
from genpulse.adapters.queue.schema import CHANNEL
from genpulse.domain.errors import DatabaseUnavailable

CANCELED = "genpulse_canceled"
CHANGED = "genpulse_changed"
LISTENER = "genpulse notices"
"""The name under which PostgreSQL knows the connection that each worker listens with."""
_AGAIN_S = 1.0

_log = logging.getLogger(__name__)


class Notices:
    """A connection that listens, opened when it is first needed and opened again whenever it is lost."""

    def __init__(self, url: str, environment: str | None = None) -> None:
        self._url = url
        self._environment = environment
        self.work = asyncio.Event()
        self._subscribers: dict[str, set[asyncio.Queue[UUID]]] = {CANCELED: set(), CHANGED: set()}
        self._listening: asyncio.Task[None] | None = None

    def listen(self) -> None:
        """Begin, if that has not happened yet."""
        if self._listening is None:
            self._listening = asyncio.create_task(self._listen(), name="queue notices")

    async def tasks(self, channel: str) -> AsyncIterator[UUID]:
        """The tasks that are named on CANCELED or CHANGED from now on."""
        self.listen()
        named: asyncio.Queue[UUID] = asyncio.Queue()
        self._subscribers[channel].add(named)
        try:
            while True:
                yield await named.get()
        finally:
            self._subscribers[channel].discard(named)

    async def close(self) -> None:
        """Stop listening."""
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)

    async def _listen(self) -> None:
        while True:
            try:
                await self._until_lost()
            except DatabaseUnavailable as error:
                _log.warning("not listening to the queue: %s", error)
            await asyncio.sleep(_AGAIN_S)

    async def _until_lost(self) -> None:
        connection = await connect(self._url, application_name=LISTENER, environment=self._environment)
        lost = asyncio.Event()
        connection.add_termination_listener(lambda _: lost.set())
        try:
            await connection.add_listener(CHANNEL, self._on_queue)
            for channel in self._subscribers:
                await connection.add_listener(channel, self._on_task)
            self.work.set()
            await lost.wait()
        except (OSError, asyncpg.InterfaceError, asyncpg.PostgresError) as error:
            _log.warning("the connection that listens was lost: %s", error)
        finally:
            connection.terminate()

    def _on_queue(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        if '"insert"' in str(payload):
            self.work.set()

    def _on_task(self, _connection: object, _pid: int, channel: str, payload: object) -> None:
        for named in self._subscribers[channel]:
            named.put_nowait(UUID(str(payload)))
