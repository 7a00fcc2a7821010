"""Connections to PostgreSQL, and what its errors mean to the rest of the house."""

import socket
from asyncio import Transport
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

import asyncpg
from pydantic_core import from_json, to_json

from genpulse.adapters.postgresql.address import dial
from genpulse.adapters.postgresql.environment_stamp import Stamp, check_connection, has_table, identity, read_stamp
from genpulse.adapters.postgresql.errors import OUTDATED, is_mistake, outages
from genpulse.addresses.postgresql import plain

__all__ = [
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
_PROBES = 3

_PLANNER = {"enable_seqscan": "off", "plan_cache_mode": "force_generic_plan", "jit": "off"}
"""Every statement that carries load finds its rows by an index.

Left to itself, the planner reads whole tables where its statistics are older than the rows: to start
200 tasks took 240 ms in place of 3 where 4,000 waited.
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
) -> asyncpg.Pool:
    """A pool of at most `size` connections that opens them when they are needed.

    PostgreSQL gives a statement up after `statement_s` seconds, and so do we a little later. It ends a transaction
    in which nothing is asked for `idle_transaction_s` seconds, so that a frozen process lets its rows go. Either
    side notices within about `vanished_s` seconds that the other is gone without a word.

    Each new connection has to lead to the database of `environment`, or whoever needs it gets `ForeignDatabase`,
    `CopiedDatabase` or `UnstampedDatabase`. None leads anywhere: for those that look at a database and do not use
    it.
    """

    async def prepare(connection: asyncpg.Connection) -> None:
        if environment is not None:
            await check_connection(connection, environment)
        await _speak_json(connection)

    settings = {
        "application_name": application_name,
        "statement_timeout": _milliseconds(statement_s),
        "idle_in_transaction_session_timeout": _milliseconds(idle_transaction_s),
        **_keep_alive(vanished_s),
        **_PLANNER,
    }
    with outages():
        return await asyncpg.create_pool(
            plain(url),
            connect=partial(_dial, vanished_s=vanished_s),
            min_size=0,
            max_size=size,
            init=prepare,
            reset=_drop_read_only,
            command_timeout=statement_s + _SLOWER_S,
            server_settings=settings,
        )


async def connect(
    url: str,
    *,
    application_name: str,
    command_s: float | None = COMMAND_S,
    environment: str | None = None,
    vanished_s: float = VANISHED_S,
) -> asyncpg.Connection:
    """A connection of its own, such as one that listens. A command may take `command_s` seconds, or for ever.

    It has to lead to a database of `environment`, as in `open_pool`; None leads anywhere. That the other side is
    gone without a word is noticed within about `vanished_s` seconds, also while nothing is asked.
    """
    with outages():
        connection = await _dial(
            url,
            vanished_s=vanished_s,
            command_timeout=command_s,
            server_settings={"application_name": application_name, **_keep_alive(vanished_s)},
        )
    try:
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
    connection: _Connection = await dial(url, **{**options, "connection_class": _Connection})
    connection.keep_alive(vanished_s)
    return connection


def _keep_alive(vanished_s: float) -> dict[str, str]:
    """What PostgreSQL does to notice that we are gone."""
    idle_s, interval_s = _pace(vanished_s)
    return {
        "tcp_keepalives_idle": str(idle_s),
        "tcp_keepalives_interval": str(interval_s),
        "tcp_keepalives_count": str(_PROBES),
        "tcp_user_timeout": _milliseconds(vanished_s),
        "client_connection_check_interval": _milliseconds(vanished_s),
    }


def _pace(vanished_s: float) -> tuple[int, int]:
    """After how many seconds of silence to ask, and how many between the questions."""
    return max(1, round(vanished_s / 2)), max(1, round(vanished_s / 2 / _PROBES))


def _milliseconds(seconds: float) -> str:
    return str(round(seconds * 1000))


class _Connection(asyncpg.Connection):  # type: ignore[misc]
    """A connection that keeps hold of its socket, which asyncpg has no way to reach."""

    __slots__ = ("_socket",)

    def __init__(self, protocol: object, transport: Transport, *rest: object) -> None:
        super().__init__(protocol, transport, *rest)
        self._socket: socket.socket | None = transport.get_extra_info("socket")

    def keep_alive(self, vanished_s: float) -> None:
        """Notice that PostgreSQL's host is gone, as PostgreSQL does for us. Nothing to do on a Unix socket."""
        if self._socket is None or self._socket.family not in {socket.AF_INET, socket.AF_INET6}:
            return
        idle_s, interval_s = _pace(vanished_s)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in (
            ("TCP_KEEPIDLE", idle_s),
            ("TCP_KEEPINTVL", interval_s),
            ("TCP_KEEPCNT", _PROBES),
            ("TCP_USER_TIMEOUT", round(vanished_s * 1000)),
        ):
            if hasattr(socket, name):
                self._socket.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


async def _drop_read_only(connection: asyncpg.Connection) -> None:
    """A session that takes no writes is not kept: the next one may lead to a server that does.

    Nothing else is reset. asyncpg has rolled back what was open; its own reset would ask PostgreSQL once more
    after every use. Whoever sets variables, takes advisory locks or listens on a connection of a pool resets it
    himself.
    """
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
