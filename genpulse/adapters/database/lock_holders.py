"""The sessions that hold a lock for which somebody waits."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from genpulse.adapters.postgresql.connections import connect, outages
from genpulse.domain.errors import DatabaseUnavailable

_LOOK_S = 0.2
_WHO = """
SELECT format(
    '%s (pid %s, %s for %s s): %s',
    coalesce(nullif(application_name, ''), usename, 'somebody'), pid, coalesce(state, 'connected'),
    coalesce(round(extract(epoch FROM clock_timestamp() - coalesce(xact_start, state_change))), 0),
    coalesce(nullif(regexp_replace(left(query, 80), '\\s+', ' ', 'g'), ''), 'no statement')
) AS who
FROM pg_stat_activity WHERE pid = ANY(pg_blocking_pids($1)) ORDER BY xact_start
"""


class Blockers:
    """Looks, on a connection of its own, at who keeps one process of PostgreSQL waiting."""

    def __init__(self, connection: asyncpg.Connection, pid: int) -> None:
        self._connection = connection
        self._pid = pid
        self._last = ""
        self.now = ""

    def __str__(self) -> str:
        """Who it was that was seen last."""
        return self._last or "somebody who was gone before it could be seen"

    def forget(self) -> None:
        """Something else is waited for from now on."""
        self._last = self.now = ""

    async def look(self) -> None:
        """Go on looking. That the connection is lost makes it blind and is no fault."""
        try:
            with outages():
                while True:
                    rows = await self._connection.fetch(_WHO, self._pid)
                    self.now = "; ".join(row["who"] for row in rows)
                    self._last = self.now or self._last
                    await asyncio.sleep(_LOOK_S)
        except DatabaseUnavailable:
            self.now = ""


@asynccontextmanager
async def watched(url: str, waiting: asyncpg.Connection, *, application_name: str) -> AsyncIterator[Blockers]:
    """Look at who keeps `waiting` waiting, for as long as the body runs."""
    connection = await connect(url, application_name=application_name)
    # Of a connection through a pooler, what the driver knows as its process is a number of the pooler's.
    blockers = Blockers(connection, await waiting.fetchval("SELECT pg_backend_pid()"))
    looking = asyncio.create_task(blockers.look(), name="blockers")
    try:
        yield blockers
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
        connection.terminate()
