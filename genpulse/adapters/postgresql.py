"""Connections to PostgreSQL, and what its errors mean to the rest of the house."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
from pydantic_core import from_json, to_json

from genpulse.domain.errors import DatabaseUnavailable

ACQUIRE_S = 5.0
COMMAND_S = 20.0

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


async def open_pool(url: str, *, size: int, application_name: str) -> asyncpg.Pool:
    """A pool of at most `size` connections that opens them when they are needed."""
    with outages():
        return await asyncpg.create_pool(
            plain_url(url),
            min_size=0,
            max_size=size,
            init=_prepare,
            timeout=ACQUIRE_S,
            command_timeout=COMMAND_S,
            server_settings={"application_name": application_name},
        )


async def connect(url: str, *, application_name: str, command_s: float | None = COMMAND_S) -> asyncpg.Connection:
    """A connection of its own, such as one that listens. A command may take `command_s` seconds, or for ever."""
    with outages():
        return await asyncpg.connect(
            plain_url(url),
            timeout=ACQUIRE_S,
            command_timeout=command_s,
            server_settings={"application_name": application_name},
        )


async def _prepare(connection: asyncpg.Connection) -> None:
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        encoder=lambda value: to_json(value).decode(),
        decoder=from_json,
    )
