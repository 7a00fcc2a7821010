"""One connection to PostgreSQL for what fixtures do between tests, each of which has an event loop of its own."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import asyncpg

_GONE = (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, OSError)


class KeptConnection:
    """A connection in a thread of its own: a new one costs many times what it takes to empty the tables."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="kept connection")
        self._runner = asyncio.Runner()
        self._connection: asyncpg.Connection | None = None

    def execute(self, statement: str) -> None:
        """Run it, also where an event loop is running already, and after the server was away."""
        self._thread.submit(lambda: self._runner.run(self._execute(statement))).result()

    def close(self) -> None:
        """Let the connection go."""
        self._thread.submit(lambda: self._runner.run(self._left())).result()
        self._thread.submit(self._runner.close).result()
        self._thread.shutdown()

    async def _execute(self, statement: str) -> None:
        try:
            await (await self._opened()).execute(statement)
        except _GONE:
            await self._left()
            await (await self._opened()).execute(statement)

    async def _opened(self) -> asyncpg.Connection:
        if self._connection is None:
            self._connection = await asyncpg.connect(self._url)
        return self._connection

    async def _left(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()
            await asyncio.sleep(0)  # its transport is closed in the next round
