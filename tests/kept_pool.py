"""Pools of connections to the shared database that stay open from one test to the next."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from genpulse.adapters.postgresql.connections import Pooler, open_pool
from tests.session_leftovers import check_sessions

NAME = "kept by tests"
"""By this name of theirs, connections are spared when the database is emptied."""


class KeptPools:
    """A new connection costs ten times what a test asks of it: each knows no table and no statement yet."""

    def __init__(self, url: str, pooler: Pooler = Pooler.NONE) -> None:
        self._url = url
        self._pooler = pooler
        self._kept: dict[tuple[int, str | None], asyncpg.Pool] = {}

    @property
    def listens(self) -> bool:
        """Whether somebody may listen where these lead."""
        return self._pooler is not Pooler.TRANSACTION

    @asynccontextmanager
    async def lent(self, size: int, environment: str | None = None) -> AsyncIterator[asyncpg.Pool]:
        """A pool as `open_pool` makes it. It is kept unless something still works with one of its connections."""
        pool = self._kept.pop((size, environment), None)
        if pool is None:
            pool = await open_pool(
                self._url, size=size, application_name=NAME, environment=environment, pooler=self._pooler
            )
        await asyncio.sleep(0)  # connections that were lost meanwhile are noticed
        yield pool
        if self._pooler is Pooler.TRANSACTION:
            await check_sessions(pool)
        if pool.get_idle_size() == pool.get_size():
            self._kept[size, environment] = pool
        else:
            pool.terminate()

    async def close(self) -> None:
        """Close them all."""
        for pool in self._kept.values():
            await pool.close()
        self._kept.clear()
