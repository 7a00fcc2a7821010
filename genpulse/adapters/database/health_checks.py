"""Health checks of PostgreSQL: connection, migrations, environment stamp."""

import asyncio

import asyncpg

from genpulse.adapters.database.schema.expected_revision import head, works_with
from genpulse.adapters.postgresql.connections import check_connection, outages
from genpulse.domain.errors import DatabaseUnavailable, ForeignDatabase, UnstampedDatabase
from genpulse.ports import Health, State

PROBE_S = 1.5
_HOW = """
SELECT current_setting('server_version') AS version, current_setting('transaction_read_only')::boolean AS read_only
"""
_READ_ONLY = (
    "PostgreSQL takes no writes: it is a standby, or was set to read-only. Name all hosts in the URL"
    " (postgresql://a,b/…), or make it writable again."
)
_NOT_OURS = "what answers is not known to be of this environment: see stamp"


class DatabaseProbe:
    """Whether PostgreSQL answers, and takes writes."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def __call__(self) -> Health:
        """Answers within 2 seconds and never raises."""
        try:
            with outages():
                async with asyncio.timeout(PROBE_S):
                    row = await self._pool.fetchrow(_HOW)
        except (ForeignDatabase, UnstampedDatabase):
            return Health("database", State.DOWN, _NOT_OURS)
        except DatabaseUnavailable as error:
            return Health("database", State.DOWN, str(error))
        if row["read_only"]:
            return Health("database", State.DOWN, _READ_ONLY)
        return Health("database", State.OK, f"PostgreSQL {row['version']}")


class MigrationsProbe:
    """Whether this version can work with the tables: its own, or newer ones that have only been added to."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._head = head()

    async def __call__(self) -> Health:
        """Answers within 2 seconds and never raises."""
        try:
            with outages():
                async with asyncio.timeout(PROBE_S):
                    current = await self._current()
                    oldest = await works_with(self._pool) if current and current > self._head else None
        except (ForeignDatabase, UnstampedDatabase):
            return Health("migrations", State.DOWN, _NOT_OURS)
        except DatabaseUnavailable as error:
            return Health("migrations", State.DOWN, str(error))
        return self._judged(current, oldest)

    async def _current(self) -> str | None:
        try:
            revision: str | None = await self._pool.fetchval("SELECT version_num FROM alembic_version")
        except asyncpg.UndefinedTableError:
            return None
        return revision

    def _judged(self, current: str | None, oldest: str | None) -> Health:
        if current == self._head:
            return Health("migrations", State.OK, f"at {current}")
        if current is None or current < self._head:
            place = f"at {current}" if current else "empty"
            todo = f"the database is {place}, expected {self._head}: run `genpulse db upgrade`"
            return Health("migrations", State.DOWN, todo)
        if oldest is not None and oldest <= self._head:
            detail = f"at {current}, newer than this version's {self._head}, which may work with it"
            return Health("migrations", State.OK, detail)
        needs = f"versions of {oldest} or newer" if oldest else "a newer version"
        detail = f"the database is at {current} and needs {needs}; this is one of {self._head}: run a newer one"
        return Health("migrations", State.DOWN, detail)


class StampProbe:
    """Whether the database belongs to the environment of this process."""

    def __init__(self, pool: asyncpg.Pool, environment: str) -> None:
        self._pool = pool
        self._environment = environment

    async def __call__(self) -> Health:
        """Answers within 2 seconds and never raises."""
        try:
            with outages():
                async with asyncio.timeout(PROBE_S), self._pool.acquire() as connection:
                    await check_connection(connection, self._environment)
        except DatabaseUnavailable as error:
            return Health("stamp", State.DOWN, str(error))
        return Health("stamp", State.OK, f"of {self._environment}")
