"""Bringing a database to the tables that this version needs."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from genpulse.adapters.database.head import MIGRATIONS, head
from genpulse.adapters.database.stamp import own_stamp, put_stamp
from genpulse.adapters.postgresql import connect, outages
from genpulse.domain.errors import DatabaseUnavailable

_LOCK = 0x67656E70756C7365
"""The advisory lock of an upgrade ("genpulse" in hexadecimal): a second one waits for the first."""


@dataclass(frozen=True, slots=True)
class Revision:
    """Where the database is, None when it is empty, and where this version wants it to be."""

    current: str | None
    head: str

    @property
    def ready(self) -> bool:
        """Nothing is left to do."""
        return self.current == self.head


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    return config


async def upgrade(
    url: str, *, environment: str | None = None, stamps_itself: bool = False, to: str | None = None
) -> tuple[str, ...]:
    """Apply what is missing; returns the revisions that were applied.

    `to` is the last one to apply, the newest by default. A database of another environment than `environment` is
    left as it is; None upgrades whatever is there. With `stamps_itself` a database without a stamp gets one.
    Raises `ForeignDatabase`, `DatabaseUnavailable`.
    """
    target = to or head()
    engine = _engine(url)
    try:
        with _sqlalchemy_outages(), outages():
            async with engine.connect() as connection:
                database = await _locked(connection)
                if environment is not None:
                    await own_stamp(database, environment)
                before = await connection.run_sync(_current)
                await connection.run_sync(_apply, target)
                await connection.commit()
                if environment is not None and stamps_itself:
                    await put_stamp(database, environment)
            return _between(before, target)
    finally:
        await engine.dispose()


async def _locked(connection: AsyncConnection) -> asyncpg.Connection:
    """The driver's own connection, which holds the lock until it is closed and is in no transaction."""
    await connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _LOCK})
    await connection.commit()
    raw = await connection.get_raw_connection()
    return raw.driver_connection


async def current(url: str) -> Revision:
    """Raises `DatabaseUnavailable`."""
    engine = _engine(url)
    try:
        with _sqlalchemy_outages(), outages():
            async with engine.connect() as connection:
                return Revision(await connection.run_sync(_current), head())
    finally:
        await engine.dispose()


def _current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _apply(connection: Connection, to: str) -> None:
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, to)


def _between(before: str | None, after: str) -> tuple[str, ...]:
    scripts = ScriptDirectory.from_config(_config()).iterate_revisions(after, before or "base")
    return tuple(script.revision for script in reversed(list(scripts)))


def _engine(url: str) -> AsyncEngine:
    """Connects as everything else does, so that one URL means one thing: SQLAlchemy knows no `sslmode`."""
    return create_async_engine(
        "postgresql+asyncpg://",
        poolclass=NullPool,
        async_creator=partial(connect, url, application_name="genpulse db", command_s=None),
    )


@contextmanager
def _sqlalchemy_outages() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        if not error.connection_invalidated and not isinstance(error.orig, OSError):
            raise
        raise DatabaseUnavailable(f"PostgreSQL does not answer ({error.orig}).") from error
