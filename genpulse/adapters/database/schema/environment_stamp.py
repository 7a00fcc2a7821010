"""A database belongs to one environment: it is stamped once, and who uses it looks at that first."""

import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version

import asyncpg

from genpulse.adapters.database.schema.copied_database import Emptied, empty
from genpulse.adapters.database.schema.restored_database import doubt_orders
from genpulse.adapters.postgresql.connections import Stamp, connect, has_table, identity, outages, read_stamp
from genpulse.domain.errors import CopiedDatabase, DatabaseInUse, ForeignDatabase, UnstampedDatabase

_NAME = "genpulse stamp"
_INSERT = """
INSERT INTO environment_stamp (environment, stamped_by) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING one
"""
_REPLACE = """
UPDATE environment_stamp SET environment = $1, stamped_by = $2, stamped_at = now() WHERE environment = $3
RETURNING one
"""
_NOTE = "UPDATE environment_stamp SET identity = $1 WHERE identity IS NULL"
_KNOWS_IDENTITY = """
SELECT EXISTS (
    SELECT FROM information_schema.columns
    WHERE table_schema = current_schema() AND table_name = 'environment_stamp' AND column_name = 'identity'
)
"""
_MOVE = "UPDATE environment_stamp SET identity = $1, stamped_by = $2, stamped_at = now() WHERE environment = $3"
_OTHERS = """
SELECT DISTINCT application_name FROM pg_stat_activity
WHERE datname = current_database() AND application_name LIKE 'genpulse %' AND application_name <> $1
ORDER BY application_name
"""
_HOLDS = {
    "tasks": "SELECT environment FROM tasks WHERE environment <> $1 LIMIT 1",
    "assets": "SELECT environment FROM assets WHERE environment <> $1 LIMIT 1",
}

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StampedDatabase:
    """A database by the name that its server gives it, its stamp, and whether that was put there just now.

    `emptied` is what was removed from a copy on that occasion, `doubtful` how many live tasks of one that was
    restored may have been ordered since.
    """

    name: str
    stamp: Stamp | None
    changed: bool = False
    emptied: Emptied | None = None
    doubtful: int | None = None


async def look(url: str) -> StampedDatabase:
    """What is there, whosever it is. Raises `DatabaseUnavailable`."""
    async with _connected(url) as connection:
        return await _stamped_database(connection, changed=False)


async def check_stamp(url: str, environment: str, *, stamps_itself: bool) -> None:
    """Raises `ForeignDatabase`, `CopiedDatabase`, `UnstampedDatabase`, and `DatabaseUnavailable` when it is away.

    With `stamps_itself` a missing stamp is no error, the next upgrade puts it there; and a copy is taken for the
    original, with a warning.
    """
    try:
        connection = await connect(url, application_name=_NAME, environment=environment)
    except UnstampedDatabase:
        if not stamps_itself:
            raise
    except CopiedDatabase:
        if not stamps_itself:
            raise
        async with _connected(url) as connection:
            await adopt(connection, environment)
    else:
        connection.terminate()


async def refuse_foreign(url: str, environment: str) -> None:
    """Raises `ForeignDatabase`, `DatabaseUnavailable`. A missing stamp is no error, nor is a copy."""
    async with _connected(url) as connection:
        await own_stamp(connection, environment)


async def stamp(url: str, environment: str, *, replaces: str | None = None) -> StampedDatabase:
    """Stamp a database that has no stamp, or that of the environment `replaces`. May be called again.

    What is given to another environment is emptied of what would act: see `emptying`. Raises `ForeignDatabase`
    where it belongs to another one by its stamp or by what it holds, `CopiedDatabase` where it is a copy of this
    one's, `UnstampedDatabase` where it has no table for a stamp or none to replace, `DatabaseInUse` where a stamp
    is to be replaced and processes are connected, `DatabaseUnavailable`.
    """
    async with _connected(url) as connection:
        if replaces is not None:
            return await _replace(connection, environment, replaces)
        changed = await put_stamp(connection, environment)
        return await _stamped_database(connection, changed=changed)


async def confirm_moved(url: str, environment: str) -> StampedDatabase:
    """Note that what was stamped elsewhere is the original, and is here now. May be called again.

    Raises `UnstampedDatabase`, `ForeignDatabase`, `DatabaseUnavailable`.
    """
    async with _connected(url) as connection:
        stamp = await _stamp_of(connection, environment)
        if stamp.is_elsewhere:
            with outages():
                await connection.execute(_MOVE, stamp.connected_identity, _stamped_by(), environment)
        return await _stamped_database(connection, changed=stamp.is_elsewhere)


async def confirm_restored(url: str, environment: str) -> StampedDatabase:
    """Note that this is the original, as it was some time ago: see `restored_database`. May be called again.

    Raises `UnstampedDatabase`, `ForeignDatabase`, `DatabaseInUse` where processes are connected,
    `DatabaseUnavailable`.
    """
    async with _connected(url) as connection:
        stamp = await _stamp_of(connection, environment)
        with outages():
            async with connection.transaction():
                await _nobody_else(connection)
                doubtful = await doubt_orders(connection)
                await connection.execute(_MOVE, stamp.connected_identity, _stamped_by(), environment)
        database = await _stamped_database(connection, changed=stamp.is_elsewhere)
        return replace(database, doubtful=doubtful)


async def empty_copy(url: str, environment: str) -> StampedDatabase:
    """Make a copy of this environment's database a database of its own, emptied of what would act.

    One that is not seen to be a copy is left as it is. Raises `UnstampedDatabase`, `ForeignDatabase`,
    `DatabaseInUse` where processes are connected, `DatabaseUnavailable`.
    """
    async with _connected(url) as connection:
        stamp = await _stamp_of(connection, environment)
        if not stamp.is_elsewhere:
            return await _stamped_database(connection, changed=False)
        with outages():
            async with connection.transaction():
                await _nobody_else(connection)
                emptied = await empty(connection)
                await connection.execute(_MOVE, stamp.connected_identity, _stamped_by(), environment)
        return await _stamped_database(connection, changed=True, emptied=emptied)


async def own_stamp(connection: asyncpg.Connection, environment: str) -> Stamp | None:
    """The stamp of this environment, or None where there is none and nothing of another environment.

    Raises `ForeignDatabase` by the stamp or, where there is none, by what the database holds;
    `DatabaseUnavailable`. Whether it is a copy is for the caller to ask.
    """
    stamp = await read_stamp(connection)
    if stamp is None:
        await _refuse_foreign_rows(connection, environment)
    elif stamp.environment != environment:
        raise ForeignDatabase(stamp.environment, environment, str(stamp))
    return stamp


async def put_stamp(connection: asyncpg.Connection, environment: str) -> bool:
    """Stamp what is connected, as `stamp` does; False when it was stamped so before."""
    stamp = await own_stamp(connection, environment)
    if stamp is not None:
        if stamp.is_elsewhere:
            raise stamp.copied()
        return False
    try:
        with outages():
            is_written = await connection.fetchval(_INSERT, environment, _stamped_by())
    except asyncpg.UndefinedTableError as error:
        raise UnstampedDatabase(environment) from error
    await note_identity(connection)
    if not is_written:
        await own_stamp(connection, environment)
    return bool(is_written)


async def note_identity(connection: asyncpg.Connection) -> None:
    """Note which database carries the stamp, unless that was noted before. Raises `DatabaseUnavailable`."""
    try:
        with outages():
            await connection.execute(_NOTE, await identity(connection))
    except asyncpg.UndefinedColumnError:
        return  # the next upgrade adds the column and notes it


async def adopt(connection: asyncpg.Connection, environment: str) -> None:
    """Take a copy for the original, where nothing but a developer's own work is at stake."""
    stamp = await own_stamp(connection, environment)
    if stamp is None or not stamp.is_elsewhere:
        return
    _log.warning(
        "This database is a copy of another one of %s, or was moved (%s). It is used as it is: tasks that wait in"
        " both are run by both, and vendors may have to be paid twice.",
        environment,
        stamp,
    )
    with outages():
        await connection.execute(_MOVE, stamp.connected_identity, _stamped_by(), environment)


async def _stamp_of(connection: asyncpg.Connection, environment: str) -> Stamp:
    stamp = await own_stamp(connection, environment)
    if stamp is None:
        raise UnstampedDatabase(environment)
    return stamp


async def _replace(connection: asyncpg.Connection, environment: str, replaces: str) -> StampedDatabase:
    stamp = await read_stamp(connection)
    if stamp is None:
        raise UnstampedDatabase(environment)
    if stamp.environment == environment:
        return await _stamped_database(connection, changed=False)
    emptied = None
    with outages():
        async with connection.transaction():
            await _nobody_else(connection)
            is_written = await connection.fetchval(_REPLACE, environment, _stamped_by(), replaces)
            if is_written:
                emptied = await empty(connection)
                if await connection.fetchval(_KNOWS_IDENTITY):
                    await connection.execute(_MOVE, stamp.connected_identity, _stamped_by(), environment)
    if not is_written:
        await own_stamp(connection, environment)
    return await _stamped_database(connection, changed=bool(is_written), emptied=emptied)


async def _nobody_else(connection: asyncpg.Connection) -> None:
    """Who connects now waits with its look at the stamp until this transaction ends. Raises `DatabaseInUse`."""
    await connection.execute("LOCK TABLE environment_stamp IN ACCESS EXCLUSIVE MODE")
    if names := [row["application_name"] for row in await connection.fetch(_OTHERS, _NAME)]:
        raise DatabaseInUse(names)


async def _refuse_foreign_rows(connection: asyncpg.Connection, environment: str) -> None:
    for rows, statement in _HOLDS.items():
        if not await has_table(connection, rows):
            continue
        with outages():
            theirs = await connection.fetchval(statement, environment)
        if theirs is not None:
            evidence = f"it has no stamp, and holds {rows} of {theirs}"
            raise ForeignDatabase(theirs, environment, evidence, stamped=False)


async def _stamped_database(
    connection: asyncpg.Connection, *, changed: bool, emptied: Emptied | None = None
) -> StampedDatabase:
    with outages():
        name = await connection.fetchval("SELECT current_database()")
    return StampedDatabase(name, await read_stamp(connection), changed, emptied)


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    """To whatever is there. What it holds may be much: commands take the time that they need."""
    connection = await connect(url, application_name=_NAME, command_s=None)
    try:
        yield connection
    finally:
        connection.terminate()


def _stamped_by() -> str:
    return f"{socket.gethostname()}, genpulse {version('genpulse')}"
