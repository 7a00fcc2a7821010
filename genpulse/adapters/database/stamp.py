"""A database belongs to one environment: it is stamped once, and who uses it looks at that first."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version

import asyncpg

from genpulse.adapters.postgresql import Stamp, connect, outages, read_stamp
from genpulse.domain.errors import DatabaseInUse, ForeignDatabase, UnstampedDatabase

_NAME = "genpulse stamp"
_INSERT = """
INSERT INTO environment_stamp (environment, stamped_by) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING one
"""
_REPLACE = """
UPDATE environment_stamp SET environment = $1, stamped_by = $2, stamped_at = now() WHERE environment = $3
RETURNING one
"""
_OTHERS = """
SELECT DISTINCT application_name FROM pg_stat_activity
WHERE datname = current_database() AND application_name LIKE 'genpulse %' AND application_name <> $1
ORDER BY application_name
"""
_HOLDS = {
    "tasks": "SELECT environment FROM tasks WHERE environment <> $1 LIMIT 1",
    "assets": "SELECT environment FROM assets WHERE environment <> $1 LIMIT 1",
}


@dataclass(frozen=True, slots=True)
class StampedDatabase:
    """A database by the name that its server gives it, its stamp, and whether that was put there just now."""

    name: str
    stamp: Stamp | None
    changed: bool = False


async def look(url: str) -> StampedDatabase:
    """What is there, whosever it is. Raises `DatabaseUnavailable`."""
    async with _connected(url) as connection:
        return await _found(connection, changed=False)


async def check_stamp(url: str, environment: str, *, stamps_itself: bool) -> None:
    """Raises `ForeignDatabase`, `UnstampedDatabase`, and `DatabaseUnavailable` when it is away.

    With `stamps_itself` a missing stamp is no error: the next upgrade puts it there.
    """
    try:
        connection = await connect(url, application_name=_NAME, environment=environment)
    except UnstampedDatabase:
        if not stamps_itself:
            raise
    else:
        connection.terminate()


async def stamp(url: str, environment: str, *, replaces: str | None = None) -> StampedDatabase:
    """Stamp a database that has no stamp, or that of the environment `replaces`. May be called again.

    Raises `ForeignDatabase` where it belongs to another one by its stamp or by what it holds,
    `UnstampedDatabase` where it has no table for a stamp or none to replace, `DatabaseInUse` where a stamp is to
    be replaced and processes are connected, `DatabaseUnavailable`.
    """
    async with _connected(url) as connection:
        if replaces is None:
            changed = await put_stamp(connection, environment)
        else:
            changed = await _replace(connection, environment, replaces)
        return await _found(connection, changed=changed)


async def own_stamp(connection: asyncpg.Connection, environment: str) -> Stamp | None:
    """The stamp of this environment, or None where there is none and nothing of another environment.

    Raises `ForeignDatabase` by the stamp or, where there is none, by what the database holds;
    `DatabaseUnavailable`.
    """
    found = await read_stamp(connection)
    if found is None:
        await _refuse_foreign_rows(connection, environment)
    elif found.environment != environment:
        raise ForeignDatabase(found.environment, environment, str(found))
    return found


async def put_stamp(connection: asyncpg.Connection, environment: str) -> bool:
    """Stamp what is connected, as `stamp` does; False when it was stamped so before."""
    if await own_stamp(connection, environment):
        return False
    try:
        with outages():
            done = await connection.fetchval(_INSERT, environment, _stamped_by())
    except asyncpg.UndefinedTableError as error:
        raise UnstampedDatabase(environment) from error
    if not done:
        await own_stamp(connection, environment)
    return bool(done)


async def _replace(connection: asyncpg.Connection, environment: str, replaces: str) -> bool:
    found = await read_stamp(connection)
    if found is None:
        raise UnstampedDatabase(environment)
    if found.environment == environment:
        return False
    with outages():
        async with connection.transaction():
            # Who connects now waits with its look at the stamp until it is replaced.
            await connection.execute("LOCK TABLE environment_stamp IN ACCESS EXCLUSIVE MODE")
            if names := [row["application_name"] for row in await connection.fetch(_OTHERS, _NAME)]:
                raise DatabaseInUse(names)
            done = await connection.fetchval(_REPLACE, environment, _stamped_by(), replaces)
    if not done:
        await own_stamp(connection, environment)
    return bool(done)


async def _refuse_foreign_rows(connection: asyncpg.Connection, environment: str) -> None:
    for rows, statement in _HOLDS.items():
        try:
            with outages():
                theirs = await connection.fetchval(statement, environment)
        except asyncpg.UndefinedTableError:
            continue
        if theirs is not None:
            evidence = f"it has no stamp, and holds {rows} of {theirs}"
            raise ForeignDatabase(theirs, environment, evidence, stamped=False)


async def _found(connection: asyncpg.Connection, *, changed: bool) -> StampedDatabase:
    with outages():
        name = await connection.fetchval("SELECT current_database()")
    return StampedDatabase(name, await read_stamp(connection), changed)


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
