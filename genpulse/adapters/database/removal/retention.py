"""The `Retention` port on PostgreSQL."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from enum import Enum, auto
from uuid import UUID, uuid4

import asyncpg

from genpulse.adapters.database.coalescer import Coalescer
from genpulse.adapters.database.removal.pruning import PostgresPruning
from genpulse.adapters.postgresql.connections import outages
from genpulse.domain.deletion import another_key
from genpulse.domain.errors import DatabaseUnavailable, LeaseLost
from genpulse.domain.retention import Ages, Pruned
from genpulse.ports import Pruning

LOCK = 0x67705F7072756E65
"""The advisory lock of the turn ("gp_prune" in hexadecimal)."""
_COUNT_S = 600.0

EXPECT = """
INSERT INTO doomed_objects (key, size, last_created_at, environment, expected_for)
SELECT key, size, now(), $3::text, task_id
FROM unnest($1::text[], $2::bigint[], $4::uuid[]) AS expected(key, size, task_id)
LEFT JOIN LATERAL (SELECT id FROM tombstones
                   WHERE tombstones.id = task_id AND erased_at IS NOT NULL LIMIT 1) AS deleted ON true
WHERE deleted.id IS NULL
ON CONFLICT (key) DO UPDATE
SET last_created_at = greatest(doomed_objects.last_created_at, excluded.last_created_at),
    environment = excluded.environment,
    expected_for = CASE WHEN doomed_objects.erased_at IS NULL THEN excluded.expected_for END
RETURNING key, erased_at IS NOT NULL AS is_erased
"""

_DUE = """
WITH going AS MATERIALIZED (
    SELECT id FROM tasks
    WHERE finished_at < now() - $1::interval AND ($4::text IS NULL OR environment = $4) AND deleted_at IS NULL
      AND NOT EXISTS (SELECT FROM deliveries WHERE task_id = tasks.id AND next_try_at IS NOT NULL)
), loose AS MATERIALIZED (
    SELECT id, key, size, created_at FROM assets
    WHERE created_at < now() - $2::interval AND ($4::text IS NULL OR environment = $4)
      AND (task_id IS NULL OR task_id IN (SELECT id FROM going))
      AND NOT EXISTS (SELECT FROM asset_uses
                      WHERE asset_id = assets.id AND task_id NOT IN (SELECT id FROM going))
), noted AS (
    SELECT key, size, created_at FROM loose
    UNION ALL
    SELECT key, size, last_created_at FROM doomed_objects
    WHERE ($4::text IS NULL OR environment = $4)
      AND NOT EXISTS (SELECT FROM thumbnails WHERE thumbnails.key = doomed_objects.key)
), unneeded AS (
    SELECT key, max(size) AS size, max(created_at) AS last_created_at FROM noted
    WHERE NOT EXISTS (SELECT FROM assets WHERE assets.key = noted.key AND assets.id NOT IN (SELECT id FROM loose))
    GROUP BY key
), old AS (
    SELECT key, size FROM unneeded WHERE last_created_at < now() - $3::interval
), removed AS (
    SELECT size FROM old
    UNION ALL
    SELECT thumbnails.size FROM thumbnails JOIN old ON old.key = thumbnails.source
)
SELECT (SELECT count(*) FROM going) AS tasks,
       (SELECT count(*) FROM attempts WHERE task_id IN (SELECT id FROM going)) AS attempts,
       (SELECT count(*) FROM deliveries WHERE task_id IN (SELECT id FROM going)) AS deliveries,
       (SELECT count(*) FROM loose) AS assets,
       (SELECT count(*) FROM removed) AS objects,
       (SELECT coalesce(sum(size), 0)::bigint FROM removed) AS bytes
"""


@dataclass(frozen=True, slots=True)
class _Expected:
    """Bytes that are about to be stored, perhaps for a task."""

    key: str
    size: int
    task_id: UUID | None


class _Noted(Enum):
    """Whether something may be stored under a key; NOT_YET: another one with the same key was in the way."""

    YES = auto()
    ERASED = auto()
    NOT_YET = auto()


class PostgresRetention:
    """Implements `Retention`. The turn is the advisory lock of a transaction that stays open meanwhile.

    It ends with the connection, however that ends, and leaves nothing in a session that others may get. It has
    seen no row, so nothing waits for it.

    Nothing of another environment than `environment` is removed, as there is in a copy of a database; None removes
    what is anybody's.
    """

    def __init__(self, pool: asyncpg.Pool, environment: str | None = None) -> None:
        self._pool = pool
        self._environment = environment
        self._expect: Coalescer[_Expected, _Noted] = Coalescer(self._write_expected)

    async def expect(self, key: str, size: int, task_id: UUID | None = None) -> str:
        """Note that bytes are about to be stored. What is noted at once is one statement."""
        tries, free_key = 0, key
        while (noted := await self._expect(_Expected(free_key, size, task_id))) is not _Noted.YES:
            if noted is _Noted.ERASED:
                tries += 1
                free_key = another_key(key, tries, uuid4().hex)
        return free_key

    async def _write_expected(self, expected: Sequence[_Expected]) -> Sequence[_Noted | Exception]:
        # Each key once, in one order for all, so that two processes with the same keys wait and never deadlock.
        notes = {note.key: note for note in sorted(expected, key=lambda note: note.key)}
        sizes, tasks = [note.size for note in notes.values()], [note.task_id for note in notes.values()]
        with outages():
            rows = await self._pool.fetch(EXPECT, list(notes), sizes, self._environment, tasks)
        notes_by_key = {row["key"]: _Noted.ERASED if row["is_erased"] else _Noted.YES for row in rows}
        left = {note for note in notes.values() if note.key not in notes_by_key}
        gone = LeaseLost("the task was deleted")
        return [gone if note in left else notes_by_key.get(note.key, _Noted.NOT_YET) for note in expected]

    async def close(self) -> None:
        """Wait for what is being written. The pool stays open."""
        await self._expect.close()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[Pruning | None]:
        """None while another process has the turn."""
        with outages():
            connection = await self._pool.acquire()
        try:
            with outages():
                await connection.execute("BEGIN")
                await connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
                is_ours = await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", LOCK)
            yield PostgresPruning(self._pool, connection, self._environment) if is_ours else None
        finally:
            await self._end(connection)

    async def _end(self, connection: asyncpg.Connection) -> None:
        """By a statement, since the driver's transaction refuses to end one whose begin was cut off.

        A connection that is lost has ended its transaction: then what is told is what it was lost by.
        """
        try:
            with suppress(DatabaseUnavailable), outages():
                await connection.execute("ROLLBACK")
        finally:
            with outages():
                await self._pool.release(connection)

    async def due(self, ages: Ages) -> Pruned:
        """What would be removed now. Counts whole tables, and may take 10 minutes for it."""
        values = (ages.tasks, ages.assets, ages.objects, self._environment)
        with outages():
            async with self._pool.acquire() as connection, connection.transaction(readonly=True):
                await connection.execute(f"SET LOCAL statement_timeout = {_COUNT_S * 1000:.0f}")
                row = await connection.fetchrow(_DUE, *values, timeout=_COUNT_S)
        return Pruned(**row)
