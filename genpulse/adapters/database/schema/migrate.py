"""Upgrades of a database with Alembic, beside processes that use it."""

import asyncio
import logging
import re
import time
from collections.abc import Callable, Iterator
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

from genpulse.adapters.database.lock_holders import Blockers, session_of_lock, sessions_of_table, watched
from genpulse.adapters.database.schema.environment_stamp import adopt, note_identity, own_stamp, put_stamp
from genpulse.adapters.database.schema.expected_revision import MIGRATIONS, head, works_with
from genpulse.adapters.database.schema.migration_steps import WAIT_S
from genpulse.adapters.database.schema.upgrade.concurrent_changes import complete
from genpulse.adapters.database.schema.upgrade.plan import planned
from genpulse.adapters.database.schema.upgrade.steps import UpgradePlan
from genpulse.adapters.postgresql.connections import connect, is_mistake, outages
from genpulse.domain.errors import DatabaseUnavailable

_NAME = "genpulse db"
_LOCK = 0x67656E70756C7365
"""The advisory lock of an upgrade ("genpulse" in hexadecimal): a second one waits for the first."""
_LOOK_S = 0.2
_TELL_S = 10.0
_LOCKED = re.compile(r"LOCK TABLE (\S+) IN")
_PAUSES_S = (1.0, 2.0, 5.0, 10.0)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Revision:
    """Where the database is, None when it is empty, and where this version wants it to be.

    `works_with` is the revision of the oldest version that may work with a database that is ahead; None when that
    is not known.
    """

    current: str | None
    head: str
    works_with: str | None = None

    @property
    def ready(self) -> bool:
        """This version can work with it."""
        return self.current == self.head or (self.is_ahead and (self.works_with or "~") <= self.head)

    @property
    def is_ahead(self) -> bool:
        """A newer version has brought the database further than this one knows."""
        return self.current is not None and self.current > self.head


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    return config


async def upgrade(
    url: str,
    *,
    environment: str | None = None,
    stamps_itself: bool = False,
    to: str | None = None,
    tell: Callable[[str], None] = _log.warning,
) -> tuple[str, ...]:
    """Apply what is missing; returns the revisions that were applied.

    Nobody waits for its locks longer than `WAIT_S`: a migration that does not get them in that time is rolled back
    and tried again for as long as it takes; `tell` is told who holds them. Indexes are built concurrently. Where
    another upgrade goes on, it waits for the end of that, and tells so.

    `to` is the last one to apply, the newest by default; indexes are built for that one alone. A database of
    another environment than `environment` is left as it is; None upgrades whatever is there. With `stamps_itself`
    a database without a stamp gets one. Raises `ForeignDatabase`, `CopiedDatabase`, and `DatabaseUnavailable`,
    also where a newer version has brought it to where this one cannot work with it.
    """
    engine = _engine(url)
    try:
        with outages(), _driver_errors():
            async with engine.connect() as connection:
                database = await _lock(connection, tell)
                if environment is not None:
                    await _check_owner(database, environment, stamps_itself=stamps_itself)
                state = await _revision(connection)
                if state.is_ahead:
                    return _refuse_newer(state)
                pending = _between(state.current, to or state.head)
                async with watched(url, database, application_name=_NAME) as blockers:
                    for revision in pending:
                        await _apply_until_done(connection, database, revision, blockers, tell)
                    if to in {None, state.head}:
                        await complete(database, blockers, tell, is_new=state.current is None)
                if environment is not None:
                    await _note_owner(database, environment, stamps_itself=stamps_itself)
                return pending
    finally:
        await engine.dispose()


async def _check_owner(database: asyncpg.Connection, environment: str, *, stamps_itself: bool) -> None:
    stamp = await own_stamp(database, environment)
    if stamp is not None and stamp.is_elsewhere and not stamps_itself:
        raise stamp.copied()


async def _note_owner(database: asyncpg.Connection, environment: str, *, stamps_itself: bool) -> None:
    if stamps_itself:
        await adopt(database, environment)
        await put_stamp(database, environment)
    await note_identity(database)


async def _lock(connection: AsyncConnection, tell: Callable[[str], None]) -> asyncpg.Connection:
    """The driver's own connection, which holds the lock until it is closed and is in no transaction.

    Who waits for the lock asks for it again and again: a transaction that waits would keep the upgrade's indexes
    from being built, which wait for all transactions.
    """
    raw: asyncpg.Connection = (await connection.get_raw_connection()).driver_connection
    tell_at = 0.0
    while True:
        if await raw.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK):
            return raw
        if time.monotonic() >= tell_at and (holder := await session_of_lock(raw, _LOCK)):
            tell(f"Another upgrade goes on, and this one waits for its end: {holder}.")
            tell_at = time.monotonic() + _TELL_S
        await asyncio.sleep(_LOOK_S)


async def _apply_until_done(
    connection: AsyncConnection,
    database: asyncpg.Connection,
    revision: str,
    blockers: Blockers,
    tell: Callable[[str], None],
) -> None:
    """One migration, as often as it takes."""
    tries = 0
    while True:
        blockers.forget()
        try:
            await connection.execute(text(f"SET LOCAL lock_timeout = {round(WAIT_S * 1000)}"))
            await connection.run_sync(_apply, revision)
            return await connection.commit()
        except DBAPIError as error:
            await connection.rollback()
            if not isinstance(_cause(error), asyncpg.LockNotAvailableError | asyncpg.DeadlockDetectedError):
                raise
            holders = await _holders(database, error) or str(blockers)
        pause_s = _PAUSES_S[min(tries, len(_PAUSES_S) - 1)]
        tries += 1
        tell(f"Migration {revision} waits, and is tried again in {pause_s:g} s. Its tables are held by {holders}.")
        await asyncio.sleep(pause_s)


async def _holders(database: asyncpg.Connection, error: DBAPIError) -> str:
    """Who holds the table that could not be locked, as far as that can still be seen."""
    table = _LOCKED.search(error.statement or "")
    return await sessions_of_table(database, table.group(1)) if table else ""


def _refuse_newer(revision: Revision) -> tuple[str, ...]:
    if revision.ready:
        return ()
    raise DatabaseUnavailable(
        f"The database is at {revision.current}. This version ({revision.head}) does not know that and cannot work"
        " with it: run the version that brought it there, or a newer one."
    )


async def plan(url: str) -> UpgradePlan:
    """What `upgrade` would do, whosever database it is. Raises `DatabaseUnavailable`, also as `upgrade` does."""
    engine = _engine(url)
    try:
        with outages(), _driver_errors():
            async with engine.connect() as connection:
                state = await _revision(connection)
                if state.is_ahead:
                    return _nothing_planned(state)
                raw: asyncpg.Connection = (await connection.get_raw_connection()).driver_connection
                return await planned(raw, state.current, state.head, _between(state.current, state.head))
    finally:
        await engine.dispose()


def _nothing_planned(state: Revision) -> UpgradePlan:
    _refuse_newer(state)
    return UpgradePlan(state.current, state.head, (), ())


async def current(url: str) -> Revision:
    """Raises `DatabaseUnavailable`."""
    engine = _engine(url)
    try:
        with outages(), _driver_errors():
            async with engine.connect() as connection:
                return await _revision(connection)
    finally:
        await engine.dispose()


async def _revision(connection: AsyncConnection) -> Revision:
    revision = await connection.run_sync(_current)
    await connection.commit()
    if revision is None or revision <= head():
        return Revision(revision, head())
    raw: asyncpg.Connection = (await connection.get_raw_connection()).driver_connection
    return Revision(revision, head(), await works_with(raw))


def _current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _apply(connection: Connection, revision: str) -> None:
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def _between(before: str | None, after: str) -> tuple[str, ...]:
    scripts = ScriptDirectory.from_config(_config()).iterate_revisions(after, before or "base")
    return tuple(script.revision for script in reversed(list(scripts)))


def _engine(url: str) -> AsyncEngine:
    """Connects as everything else does, so that one URL means one thing: SQLAlchemy knows no `sslmode`."""
    return create_async_engine(
        "postgresql+asyncpg://",
        poolclass=NullPool,
        async_creator=partial(connect, url, application_name=_NAME, command_s=None, stays=True),
    )


def _cause(error: DBAPIError) -> BaseException | None:
    """What the driver said, below the two layers that SQLAlchemy puts on it."""
    return error.orig.__cause__ if error.orig is not None else None


@contextmanager
def _driver_errors() -> Iterator[None]:
    """What the driver said, unless it was a mistake: then SQLAlchemy's error tells more."""
    try:
        yield
    except DBAPIError as error:
        cause = _cause(error) or error.orig
        if cause is None or is_mistake(cause):
            raise
        raise cause from error
