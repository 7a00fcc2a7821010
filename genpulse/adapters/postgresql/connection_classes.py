"""Connections of asyncpg that know more than its own."""

import socket
import time
from asyncio import Transport
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from genpulse.adapters.postgresql.pooler import LENT_WITHIN_S, LendingWatch, nothing_lent
from genpulse.adapters.postgresql.session_settings import PROBES, pace

_BEGIN = "BEGIN"
_ENDS = ("COMMIT", "ROLLBACK")


class SocketConnection(asyncpg.Connection):  # type: ignore[misc]
    """A connection that keeps hold of its socket, which asyncpg has no way to reach, and that can be settled.

    asyncpg prepares a statement, and says that it is over when it has been run. Where its values cannot be sent,
    or whoever asked is cancelled in between, PostgreSQL waits, with its locks and its time limit, at the end of
    which it refuses whatever somebody else asks next.
    """

    __slots__ = ("_is_unsettled", "_socket")

    def __init__(self, protocol: object, transport: Transport, *rest: object) -> None:
        super().__init__(protocol, transport, *rest)
        self._socket: socket.socket | None = transport.get_extra_info("socket")
        self._is_unsettled = False

    async def settle(self) -> None:
        """End what a statement has begun that did not come to its end. Nothing is asked where all have."""
        if self._is_unsettled:
            await self.execute("SELECT")

    async def execute(self, *args: Any, **options: Any) -> str:
        """As asyncpg's, and so are the others."""
        return str(await self._settled(super().execute(*args, **options)))

    async def executemany(self, *args: Any, **options: Any) -> None:
        await self._settled(super().executemany(*args, **options))

    async def fetch(self, *args: Any, **options: Any) -> Any:
        return await self._settled(super().fetch(*args, **options))

    async def fetchrow(self, *args: Any, **options: Any) -> Any:
        return await self._settled(super().fetchrow(*args, **options))

    async def fetchval(self, *args: Any, **options: Any) -> Any:
        return await self._settled(super().fetchval(*args, **options))

    async def fetchmany(self, *args: Any, **options: Any) -> Any:
        return await self._settled(super().fetchmany(*args, **options))

    async def _settled(self, statement: Awaitable[Any]) -> Any:
        """The answer. A connection on which none came in time is given up.

        PostgreSQL would have ended the statement before: it stands still, or nothing of it reaches us. asyncpg
        asks it to cancel the statement, and does not let go of the connection for as long again.
        """
        self._is_unsettled = True
        try:
            answer = await statement
        except TimeoutError:
            self.terminate()
            raise
        self._is_unsettled = False
        return answer

    def keep_alive(self, vanished_s: float) -> None:
        """Notice that PostgreSQL's host is gone, as PostgreSQL does for us. Nothing to do on a Unix socket."""
        if self._socket is None or self._socket.family not in {socket.AF_INET, socket.AF_INET6}:
            return
        idle_s, interval_s = pace(vanished_s)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in (
            ("TCP_KEEPIDLE", idle_s),
            ("TCP_KEEPINTVL", interval_s),
            ("TCP_KEEPCNT", PROBES),
            ("TCP_USER_TIMEOUT", round(vanished_s * 1000)),
        ):
            if hasattr(socket, name):
                self._socket.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


class TransactionConnection(SocketConnection):
    """A connection to a pooler that lends it a session of PostgreSQL for one transaction at a time.

    Every statement runs in a transaction, which begins with our settings; nothing is left in a session. What
    cannot run in a transaction cannot run here.
    """

    __slots__ = ("_begin", "_watch", "_within_s")

    def __init__(self, protocol: object, transport: Transport, *rest: object) -> None:
        super().__init__(protocol, transport, *rest)
        # Before it asks for an unknown type, asyncpg would switch `jit` off in whatever session that is.
        self._server_caps = self._server_caps._replace(jit=False)  # type: ignore[misc, has-type]
        self._begin = ""
        self._watch, self._within_s = LendingWatch(), LENT_WITHIN_S

    def begin_with(self, settings: str, watch: LendingWatch, *, within_s: float = LENT_WITHIN_S) -> None:
        """Settings with which each transaction begins from now on, as SQL, and for how long it may wait to."""
        self._begin, self._watch, self._within_s = settings, watch, within_s

    async def execute(self, query: str, *args: object, **options: Any) -> str:
        """As asyncpg's, and in a transaction. Raises `DatabaseUnavailable` where none can begin for long."""
        if query.startswith(_BEGIN):
            return await self._begun(query)
        if query.startswith(_ENDS):
            return str(await super().execute(query, **options))
        async with self._transaction():
            return str(await super().execute(query, *args, **options))

    async def executemany(self, *args: Any, **options: Any) -> None:
        async with self._transaction():
            await super().executemany(*args, **options)

    async def fetch(self, *args: Any, **options: Any) -> Any:
        async with self._transaction():
            return await super().fetch(*args, **options)

    async def fetchrow(self, *args: Any, **options: Any) -> Any:
        async with self._transaction():
            return await super().fetchrow(*args, **options)

    async def fetchval(self, *args: Any, **options: Any) -> Any:
        async with self._transaction():
            return await super().fetchval(*args, **options)

    async def fetchmany(self, *args: Any, **options: Any) -> Any:
        async with self._transaction():
            return await super().fetchmany(*args, **options)

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[None]:
        if self.is_in_transaction():
            yield
            return
        async with self.transaction():
            yield

    async def _begun(self, query: str) -> str:
        """Begin and set in one message. That takes as long as the pooler takes to lend a session."""
        began = time.monotonic()
        try:
            answer = await super().execute(f"{query.rstrip(';')}; {self._begin}", timeout=self._within_s)
        except TimeoutError as error:
            self.terminate()
            raise nothing_lent() from error
        finally:
            self._watch.note(time.monotonic() - began)
        return str(answer)
