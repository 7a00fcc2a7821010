"""Connections to PostgreSQL, and what its errors mean to the rest of the house."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import asyncpg
from pydantic_core import from_json, to_json

from genpulse.domain.errors import DatabaseUnavailable, ForeignDatabase, UnstampedDatabase

ACQUIRE_S = 5.0
COMMAND_S = 20.0
_SLOWER_S = 1.0

_AWAY = (
    OSError,
    TimeoutError,
    asyncio.IncompleteReadError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.exceptions.OperatorInterventionError,
    asyncpg.exceptions.InsufficientResourcesError,
    asyncpg.exceptions.TransactionRollbackError,
    asyncpg.exceptions.InternalClientError,
)

_PLANNER = {"enable_seqscan": "off", "plan_cache_mode": "force_generic_plan", "jit": "off"}
"""Every statement that carries load finds its rows by an index.

Left to itself, the planner reads whole tables where its statistics are older than the rows: to start
200 tasks took 240 ms in place of 3 where 4,000 waited.
"""


@contextmanager
def outages() -> Iterator[None]:
    """Turn "PostgreSQL is away" in all its forms into `DatabaseUnavailable`."""
    try:
        yield
    except asyncpg.exceptions.DiskFullError as error:
        raise DatabaseUnavailable(
            "PostgreSQL's disk is full: nothing can be written until there is space."
        ) from error
    except _AWAY as error:
        what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        raise DatabaseUnavailable(f"PostgreSQL does not answer ({what}).") from error


def plain_url(url: str) -> str:
    """The URL as asyncpg reads it: SQLAlchemy's driver suffix is taken off."""
    scheme, separator, rest = url.partition("://")
    return f"{scheme.partition('+')[0]}{separator}{rest}"


@dataclass(frozen=True, slots=True)
class Stamp:
    """To which environment a database belongs, since when, and who said so (host and version)."""

    environment: str
    stamped_at: datetime
    stamped_by: str

    def __str__(self) -> str:
        return f"stamped {self.stamped_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC by {self.stamped_by}"


async def read_stamp(connection: asyncpg.Connection) -> Stamp | None:
    """None without a stamp, or without a table for it. Not to be called inside a transaction.

    Raises `DatabaseUnavailable`, also where the role may not read it.
    """
    try:
        with outages():
            row = await connection.fetchrow("SELECT environment, stamped_at, stamped_by FROM environment_stamp")
    except asyncpg.UndefinedTableError:
        return None
    except asyncpg.InsufficientPrivilegeError as error:
        raise DatabaseUnavailable(
            "The role of this database URL may not read to which environment the database belongs."
            " Grant it SELECT on the table environment_stamp."
        ) from error
    return Stamp(row["environment"], row["stamped_at"], row["stamped_by"]) if row else None


async def check_connection(connection: asyncpg.Connection, environment: str) -> None:
    """Raises `ForeignDatabase` or `UnstampedDatabase` unless what is connected belongs to this environment."""
    stamp = await read_stamp(connection)
    if stamp is None:
        raise UnstampedDatabase(environment)
    if stamp.environment != environment:
        raise ForeignDatabase(stamp.environment, environment, str(stamp))


async def open_pool(
    url: str,
    *,
    size: int,
    application_name: str,
    environment: str | None = None,
    statement_s: float = COMMAND_S,
) -> asyncpg.Pool:
    """A pool of at most `size` connections that opens them when they are needed.

    PostgreSQL gives a statement up after `statement_s` seconds, and so do we a little later.

    Each new connection has to lead to a database of `environment`, or whoever needs it gets `ForeignDatabase` or
    `UnstampedDatabase`. None leads anywhere: for those that look at a database and do not use it.
    """

    async def prepare(connection: asyncpg.Connection) -> None:
        if environment is not None:
            await check_connection(connection, environment)
        await _speak_json(connection)

    with outages():
        return await asyncpg.create_pool(
            plain_url(url),
            min_size=0,
            max_size=size,
            init=prepare,
            reset=_nothing_to_reset,
            timeout=ACQUIRE_S,
            command_timeout=statement_s + _SLOWER_S,
            server_settings={
                "application_name": application_name,
                "statement_timeout": str(round(statement_s * 1000)),
                **_PLANNER,
            },
        )


async def connect(
    url: str,
    *,
    application_name: str,
    command_s: float | None = COMMAND_S,
    environment: str | None = None,
) -> asyncpg.Connection:
    """A connection of its own, such as one that listens. A command may take `command_s` seconds, or for ever.

    It has to lead to a database of `environment`, as in `open_pool`; None leads anywhere.
    """
    with outages():
        connection = await asyncpg.connect(
            plain_url(url),
            timeout=ACQUIRE_S,
            command_timeout=command_s,
            server_settings={"application_name": application_name},
        )
    try:
        if environment is not None:
            await check_connection(connection, environment)
    except BaseException:
        connection.terminate()
        raise
    return connection


async def _nothing_to_reset(_connection: asyncpg.Connection) -> None:
    """asyncpg has rolled back what was open; its own reset would ask PostgreSQL once more after every use.

    Whoever sets variables, takes advisory locks or listens on a connection of a pool resets it himself.
    """


async def _speak_json(connection: asyncpg.Connection) -> None:
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        encoder=lambda value: to_json(value).decode(),
        decoder=from_json,
    )
