"""One change of the tables, run in a transaction, and what it did by PostgreSQL's own books."""

import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, event, text

from genpulse.adapters.database.schema.expected_revision import MIGRATIONS
from tests.upgrades.catalogue import SchemaState, look

_LOCKS = """
SELECT relation::bigint AS oid, mode FROM pg_locks
WHERE pid = pg_backend_pid() AND locktype = 'relation' AND granted
"""
_READS = """
SELECT relid::bigint AS oid, coalesce(seq_scan, 0) + coalesce(idx_scan, 0) AS reads,
       n_tup_ins + n_tup_upd + n_tup_del AS writes
FROM pg_stat_xact_user_tables
"""
_LOCK = re.compile(r"LOCK TABLE (\S+) IN ACCESS EXCLUSIVE MODE")
STRENGTH = (
    "AccessShareLock",
    "RowShareLock",
    "RowExclusiveLock",
    "ShareUpdateExclusiveLock",
    "ShareLock",
    "ShareRowExclusiveLock",
    "ExclusiveLock",
    "AccessExclusiveLock",
)
"""From the one that holds nobody up but changes of the table, to the one that holds everybody up."""
HARMLESS = STRENGTH[:4]
"""Who reads and writes rows does not wait for these."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """A change, by the names of tables that were there before it.

    `locks` holds the strongest lock of each, `locked_first` those that were asked for by `migration_steps.lock`,
    `read` and `written` what happened to rows while the table was locked against others.
    """

    before: SchemaState
    after: SchemaState
    locks: dict[str, str]
    locked_first: frozenset[str]
    read: frozenset[str]
    written: frozenset[str]

    @property
    def rewritten(self) -> frozenset[str]:
        """Tables of which each row was written anew into another file."""
        after = self.after.tables
        return frozenset(
            table.name
            for oid, table in self.before.tables.items()
            if oid in after and after[oid].file != table.file
        )


class _Books:
    """Follows the statements of a change."""

    def __init__(self, connection: Connection, names: dict[int, str]) -> None:
        self._connection, self._names = connection, names
        self._looks = False
        self._reads, self._writes = defaultdict(int), defaultdict(int)
        self.locked_first, self.read, self.written = set(), set(), set()

    def note(self, _connection, _cursor, statement, *_rest) -> None:
        """After each statement; those of this class are none of the change."""
        if self._looks:
            return
        self._looks = True
        try:
            if match := _LOCK.search(statement):
                self.locked_first.add(match.group(1))
            self._compare(self.locks())
        finally:
            self._looks = False

    def locks(self) -> dict[str, str]:
        strongest: dict[str, str] = {}
        for row in self._connection.execute(text(_LOCKS)).mappings():
            name = self._names.get(row["oid"])
            if name is not None and row["mode"] in STRENGTH:
                strongest[name] = max(strongest.get(name, STRENGTH[0]), row["mode"], key=STRENGTH.index)
        return {name: mode for name, mode in strongest.items() if mode not in HARMLESS}

    def _compare(self, locks: dict[str, str]) -> None:
        for row in self._connection.execute(text(_READS)).mappings():
            oid, name = row["oid"], self._names.get(row["oid"])
            if name in locks and row["reads"] > self._reads[oid]:
                self.read.add(name)
            if name in locks and row["writes"] > self._writes[oid]:
                self.written.add(name)
            self._reads[oid], self._writes[oid] = row["reads"], row["writes"]


def inspect(connection: Connection, change: Callable[[], None]) -> Inspection:
    """Make a change in the transaction of `connection`, which the caller ends as he likes."""
    before = look(connection)
    books = _Books(connection, {oid: table.name for oid, table in before.tables.items()})
    event.listen(connection, "after_cursor_execute", books.note)
    try:
        with Operations.context(MigrationContext.configure(connection)):
            change()
    finally:
        event.remove(connection, "after_cursor_execute", books.note)
    locks = books.locks()
    after = look(connection)
    return Inspection(
        before,
        after,
        locks,
        frozenset(books.locked_first),
        frozenset(books.read),
        frozenset(books.written),
    )


def migration(revision: str) -> Callable[[], None]:
    """What the migration of this number does."""
    return _scripts().get_revision(revision).module.upgrade


@cache
def _scripts() -> ScriptDirectory:
    return ScriptDirectory(str(MIGRATIONS))
