"""What PostgreSQL tells those who listen: there is work, or a task was canceled."""

import asyncio
import logging
from uuid import UUID

import asyncpg

from genpulse.adapters.postgresql import connect
from genpulse.adapters.queue.schema import CHANNEL
from genpulse.domain.errors import DatabaseUnavailable

CANCELED = "genpulse_canceled"
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
        self._canceled: set[asyncio.Queue[UUID]] = set()
        self._listening: asyncio.Task[None] | None = None

    def listen(self) -> None:
        """Begin, if that has not happened yet."""
        if self._listening is None:
            self._listening = asyncio.create_task(self._listen(), name="queue notices")

    def subscribe_canceled(self) -> "asyncio.Queue[UUID]":
        """A queue of the tasks that are canceled from now on; hand it back to `unsubscribe_canceled`."""
        self.listen()
        canceled: asyncio.Queue[UUID] = asyncio.Queue()
        self._canceled.add(canceled)
        return canceled

    def unsubscribe_canceled(self, canceled: "asyncio.Queue[UUID]") -> None:
        """Tell this one nothing more."""
        self._canceled.discard(canceled)

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
            await connection.add_listener(CANCELED, self._on_canceled)
            self.work.set()
            await lost.wait()
        except (OSError, asyncpg.InterfaceError, asyncpg.PostgresError) as error:
            _log.warning("the connection that listens was lost: %s", error)
        finally:
            connection.terminate()

    def _on_queue(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        if '"insert"' in str(payload):
            self.work.set()

    def _on_canceled(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        for canceled in self._canceled:
            canceled.put_nowait(UUID(str(payload)))
