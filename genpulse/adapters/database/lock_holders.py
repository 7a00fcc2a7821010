"""The sessions that hold a lock for which somebody waits."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from genpulse.adapters.postgresql.connections import connect, outages
from genpulse.domain.errors import DatabaseUnavailable

_LOOK_S = 0.2
_SESSION = """
format(
    '%s (pid %s, %s for %s s): %s',
    coalesce(nullif(application_name, ''), usename, 'somebody'), pid, coalesce(state, 'connected'),
    coalesce(round(extract(epoch FROM clock_timestamp() - coalesce(xact_start, state_change))), 0),
    coalesce(nullif(regexp_replace(left(query, 80), '\\s+', ' ', 'g'), ''), 'no statement')
) AS who
"""
_BLOCKING = f"""
SELECT {_SESSION} FROM pg_stat_activity WHERE pid = ANY(pg_blocking_pids($1)) ORDER BY xact_start
"""  # noqa: S608 - our own words
_OF_TABLE = f"""
SELECT {_SESSION} FROM pg_stat_activity
WHERE pid IN (SELECT pid FROM pg_locks WHERE relation = to_regclass($1) AND granted
              AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
  AND pid <> pg_backend_pid()
ORDER BY xact_start LIMIT 5
"""  # noqa: S608 - our own words
# PostgreSQL shows the two halves of the number apart.
_OF_LOCK = f"""
SELECT {_SESSION} FROM pg_stat_activity
WHERE pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1
              AND classid::bigint = $1::bigint >> 32 AND objid::bigint = $1::bigint & 4294967295
              AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
"""  # noqa: S608 - our own words


async def sessions_of_table(connection: asyncpg.Connection, table: str) -> str:
    """Who has locked it in any way, the longest transaction first; empty when nobody does any more."""
    return "; ".join(row["who"] for row in await connection.fetch(_OF_TABLE, table))


async def session_of_lock(connection: asyncpg.Connection, number: int) -> str:
    """Who holds an advisory lock; empty when nobody does any more."""
    return "; ".join(row["who"] for row in await connection.fetch(_OF_LOCK, number))


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
                    rows = await self._connection.fetch(_BLOCKING, self._pid)
                    self.now = "; ".join(row["who"] for row in rows)
                    self._last = self.now or self._last
                    await asyncio.sleep(_LOOK_S)
        except DatabaseUnavailable:
            self.now = ""


@asynccontextmanager
async def watched(url: str, waiting: asyncpg.Connection, *, application_name: str) -> AsyncIterator[Blockers]:
    """Look at who keeps `waiting` waiting, for as long as the body runs."""
    connection = await connect(url, application_name=application_name)
    blockers = Blockers(connection, waiting.get_server_pid())
    looking = asyncio.create_task(blockers.look(), name="blockers")
    try:
        yield blockers
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
        connection.terminate()
