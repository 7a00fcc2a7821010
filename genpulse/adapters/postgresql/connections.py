"""Connections to PostgreSQL, and what its errors mean to the rest of the house."""

import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

import asyncpg
from pydantic_core import from_json, to_json

from genpulse.adapters.postgresql.address import dial
from genpulse.adapters.postgresql.connection_classes import SocketConnection, TransactionConnection
from genpulse.adapters.postgresql.environment_stamp import Stamp, check_connection, has_table, identity, read_stamp
from genpulse.adapters.postgresql.errors import OUTDATED, is_mistake, outages
from genpulse.adapters.postgresql.pooler import LENT_WITHIN_S, LendingWatch, Pooler, nothing_lent
from genpulse.adapters.postgresql.session_settings import TimeLimits, keep_alive, statement
from genpulse.addresses.postgresql import plain

__all__ = [
    "Pooler",
    "Stamp",
    "check_connection",
    "connect",
    "has_table",
    "identity",
    "in_transaction",
    "is_mistake",
    "open_pool",
    "outages",
    "read_stamp",
]

COMMAND_S = 20.0
IDLE_TRANSACTION_S = 10.0
VANISHED_S = 15.0
_SLOWER_S = 1.0
_STATEMENTS_KEPT = 100
_IDLE_S = 300.0
_LENT_IDLE_S = 1.0
"""A connection that is not used keeps one of PostgreSQL's from others, where a pooler lends it for as long.

It goes back well before those who wait for one give up.
"""

T = TypeVar("T")


async def open_pool(
    url: str,
    *,
    size: int,
    application_name: str,
    environment: str | None = None,
    statement_s: float = COMMAND_S,
    idle_transaction_s: float = IDLE_TRANSACTION_S,
    vanished_s: float = VANISHED_S,
    pooler: Pooler = Pooler.NONE,
    prepares: bool = False,
) -> asyncpg.Pool:
    """A pool of at most `size` connections that opens them when they are needed.

    PostgreSQL gives a statement up after `statement_s` seconds, and so do we a little later. It ends a transaction
    in which nothing is asked for `idle_transaction_s` seconds, so that a frozen process lets its rows go. Either
    side notices within about `vanished_s` seconds that the other is gone without a word.

    Behind a `pooler` nothing is asked of it that it would refuse when a connection is opened; where it pools by
    transaction, no session keeps anything of ours, and statements are prepared only where `prepares` says that it
    keeps account of them.

    Each new connection has to lead to the database of `environment`, or whoever needs it gets `ForeignDatabase`,
    `CopiedDatabase` or `UnstampedDatabase`. None leads anywhere: for those that look at a database and do not use
    it.
    """
    limits, watch = TimeLimits(statement_s, idle_transaction_s, vanished_s), LendingWatch()

    async def prepare(connection: asyncpg.Connection) -> None:
        if pooler is Pooler.SESSION:
            await _set_up_lent(connection, statement(limits.of_session, local=False), watch)
        elif pooler is Pooler.TRANSACTION:
            connection.begin_with(statement(limits.of_transaction, local=True), watch)
        if environment is not None:
            await check_connection(connection, environment)
        await _speak_json(connection)

    settings = limits.of_session if pooler is Pooler.NONE else {}
    is_shared = pooler is Pooler.TRANSACTION
    kind = TransactionConnection if is_shared else SocketConnection
    with outages():
        return await asyncpg.create_pool(
            plain(url),
            connect=partial(_dial, vanished_s=vanished_s),
            connection_class=kind,
            min_size=0,
            max_size=size,
            max_inactive_connection_lifetime=_LENT_IDLE_S if pooler is Pooler.SESSION else _IDLE_S,
            init=prepare,
            reset=_keep if is_shared else _settle,
            command_timeout=statement_s + _SLOWER_S,
            statement_cache_size=_STATEMENTS_KEPT if prepares or not is_shared else 0,
            server_settings={"application_name": application_name, **settings},
        )


async def _set_up_lent(connection: asyncpg.Connection, settings: str, watch: LendingWatch) -> None:
    """The first that is asked of a connection takes as long as a pooler takes to lend it one of PostgreSQL."""
    began = time.monotonic()
    try:
        await connection.execute(settings, timeout=LENT_WITHIN_S)
    except TimeoutError as error:
        connection.terminate()
        raise nothing_lent() from error
    finally:
        watch.note(time.monotonic() - began)


async def connect(
    url: str,
    *,
    application_name: str,
    command_s: float | None = COMMAND_S,
    environment: str | None = None,
    vanished_s: float = VANISHED_S,
    stays: bool = False,
) -> asyncpg.Connection:
    """A connection of its own. A command may take `command_s` seconds, or for ever.

    It has to lead to a database of `environment`, as in `open_pool`; None leads anywhere. That the other side is
    gone without a word is noticed within about `vanished_s` seconds, also while nothing is asked.

    One that `stays`, such as one that listens, has a session of its own, and PostgreSQL is told to look for us as
    well; others leave nothing in theirs, and may go through any pooler.
    """
    with outages():
        connection = await _dial(
            url,
            vanished_s=vanished_s,
            connection_class=SocketConnection,
            command_timeout=command_s,
            statement_cache_size=0,
            server_settings={"application_name": application_name},
        )
    try:
        with outages():
            if stays:
                await connection.execute(statement(keep_alive(vanished_s), local=False))
            if environment is not None:
                await check_connection(connection, environment)
    except BaseException:
        connection.terminate()
        raise
    return connection


async def in_transaction(pool: asyncpg.Pool, act: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
    """What `act` returns, done in one transaction. May be done twice: nothing of the first time then remains.

    That is so when the tables have changed since a statement was prepared, as by an upgrade beside running
    processes. Raises what `act` raises, and `DatabaseUnavailable`.
    """
    with outages():
        try:
            return await _once(pool, act)
        except OUTDATED:
            return await _once(pool, act)


async def _once(pool: asyncpg.Pool, act: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
    async with pool.acquire() as connection, connection.transaction():
        return await act(connection)


async def _dial(url: str, *, vanished_s: float, **options: object) -> asyncpg.Connection:
    connection: SocketConnection = await dial(url, **options)
    connection.keep_alive(vanished_s)
    return connection


async def _keep(_connection: asyncpg.Connection) -> None:
    """It has no session that anything could be left in; asyncpg has rolled back what was open."""


async def _settle(connection: SocketConnection) -> None:
    """Leave nothing open. A session that takes no writes is not kept: the next one may lead to a server that does.

    Nothing else is reset. asyncpg has rolled back what was open; its own reset would ask PostgreSQL once more
    after every use. Nobody sets variables for a session, takes its advisory locks or listens on a connection of a
    pool.
    """
    await connection.settle()
    settings = connection.get_settings()
    if "on" in {getattr(settings, name, "off") for name in ("default_transaction_read_only", "in_hot_standby")}:
        connection.terminate()


async def _speak_json(connection: asyncpg.Connection) -> None:
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        encoder=lambda value: to_json(value).decode(),
        decoder=from_json,
    )
