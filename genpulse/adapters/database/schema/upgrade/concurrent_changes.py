"""Schema changes that run beside live processes: concurrent indexes and validated constraints."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import asyncpg
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, Index

from genpulse.adapters.database.lock_holders import Blockers
from genpulse.adapters.database.schema.tables import metadata

_TELL_S = 10.0
_AGAIN_S = 1.0
_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]
INDEXES = """
SELECT c.relname AS name, i.indisvalid AS valid
FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
WHERE c.relnamespace = current_schema()::regnamespace
"""
UNCHECKED = """
SELECT conrelid::regclass::text AS table, quote_ident(conname) AS name FROM pg_constraint
WHERE NOT convalidated AND connamespace = current_schema()::regnamespace ORDER BY conname
"""


@dataclass(frozen=True, slots=True)
class DescribedIndex:
    """An index that `tables.py` describes, and the two ways to build it."""

    name: str
    table: str
    quick: str

    @property
    def concurrent(self) -> str:
        """Without holding anybody up."""
        return self.quick.replace("INDEX", "INDEX CONCURRENTLY IF NOT EXISTS", 1)


async def complete(
    connection: asyncpg.Connection, blockers: Blockers, tell: Callable[[str], None], *, is_new: bool
) -> None:
    """Build every index that `tables.py` describes and the database lacks, and check what is not checked yet.

    An index of which an earlier upgrade built only a half is built anew. Nobody waits for any of this, and it may
    have to wait for transactions that are open: `tell` is then called each 10 seconds. May be called again. In a
    database that `is_new` there is nobody yet, and the indexes are built the quick way.
    """
    await connection.execute("SET statement_timeout = 0; SET lock_timeout = 0")
    indexes = {row["name"]: row["valid"] for row in await connection.fetch(INDEXES)}
    for index in described_indexes():
        if is_new and index.name not in indexes:
            await connection.execute(index.quick)
        elif not indexes.get(index.name):
            if index.name in indexes:
                await _drop(connection, index, blockers, tell)
            await _build(connection, index, blockers, tell)
    for row in await connection.fetch(UNCHECKED):
        statement = f"ALTER TABLE {row['table']} VALIDATE CONSTRAINT {row['name']}"
        await _patiently(connection, statement, blockers, tell)


async def _build(
    connection: asyncpg.Connection, index: DescribedIndex, blockers: Blockers, tell: Callable[[str], None]
) -> None:
    """Once more after a deadlock, which leaves half an index behind."""
    while True:
        try:
            return await _patiently(connection, index.concurrent, blockers, tell)
        except asyncpg.DeadlockDetectedError as error:
            tell(f"{index.name} could not be built: {error}. It is tried again.")
            await _drop(connection, index, blockers, tell)
            await asyncio.sleep(_AGAIN_S)


async def _drop(
    connection: asyncpg.Connection, index: DescribedIndex, blockers: Blockers, tell: Callable[[str], None]
) -> None:
    await _patiently(connection, f"DROP INDEX CONCURRENTLY IF EXISTS {index.name}", blockers, tell)


async def _patiently(
    connection: asyncpg.Connection, statement: str, blockers: Blockers, tell: Callable[[str], None]
) -> None:
    """Say for whom it waits while it waits."""
    blockers.forget()
    running = asyncio.create_task(connection.execute(statement))
    try:
        while not (await asyncio.wait({running}, timeout=_TELL_S))[0]:
            if blockers.now:
                tell(f"`{statement}` holds nobody up, and waits for the transaction of {blockers.now}.")
        await running
    finally:
        running.cancel()


def described_indexes() -> Iterator[DescribedIndex]:
    """Those of all tables, in an order that does not change."""
    for table in metadata.sorted_tables:
        for index in sorted(table.indexes, key=_name):
            yield DescribedIndex(_name(index), table.name, str(CreateIndex(index).compile(dialect=_DIALECT)))


def _name(index: Index) -> str:
    return _DIALECT.identifier_preparer.format_index(index)
