"""Sums of usage, which follow tasks and ledger a little later."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg

from genpulse.adapters.database.statements.search import usage_sums
from genpulse.adapters.database.tasks.rows import Row
from genpulse.adapters.postgresql.connections import in_transaction
from genpulse.domain.search.task_query import ids_made_in

HOUR = timedelta(hours=1)
SETTLED_AFTER = timedelta(minutes=20)
"""So long after its end an hour is closed. What happens to tasks older than 10 minutes is noted by triggers."""
_HOURS_AT_ONCE = 24
_ENTRIES_AT_ONCE = 200_000


@dataclass(frozen=True, slots=True)
class _Fence:
    """What was written before `at` is of transactions before `transaction`."""

    at: datetime
    transaction: int


class UsageSums:
    """Sums up what is settled, one process at a time.

    An hour is closed when all transactions have ended that may have changed its tasks without a note: those that
    wrote before an earlier look, at which the hour was over for a while. So none is closed at a first look.
    """

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._fence: _Fence | None = None

    async def sum_up(self) -> bool:
        """Whether there is more to sum up at once. Raises `DatabaseUnavailable`."""
        of_ledger = await in_transaction(self._pool, _add_entries)
        await in_transaction(self._pool, _add_changes)
        return await self._close_hours() or of_ledger

    async def _close_hours(self) -> bool:
        row = await in_transaction(self._pool, _look)
        fence, latest = self._fence, _Fence(row["at"], row["transaction"])
        if fence is None or row["horizon"] < fence.transaction:
            self._fence = fence or latest
            return False
        self._fence = latest
        hours = await in_transaction(self._pool, lambda connection: _close(connection, fence.at - SETTLED_AFTER))
        return hours == _HOURS_AT_ONCE


async def _look(connection: asyncpg.Connection) -> Row:
    row: Row = await connection.fetchrow(usage_sums.FENCE)
    return row


async def _has_turn(connection: asyncpg.Connection) -> bool:
    return bool(await connection.fetchval(usage_sums.TURN))


async def _close(connection: asyncpg.Connection, until: datetime) -> int:
    """Close some hours that ended before this; how many."""
    if not await _has_turn(connection):
        return 0
    rows: Sequence[Row] = await connection.fetch(usage_sums.OPEN_HOURS, until, _HOURS_AT_ONCE)
    for row in rows:
        hour = row["hour"]
        await connection.execute(usage_sums.CLOSE_HOUR, hour, *ids_made_in(hour, hour + HOUR))
    return len(rows)


async def _add_changes(connection: asyncpg.Connection) -> None:
    if await _has_turn(connection):
        empty = [row["since"] for row in await connection.fetch(usage_sums.ADD_CHANGES)]
        for statement in usage_sums.DROP_EMPTY if empty else ():
            await connection.execute(statement, empty)


async def _add_entries(connection: asyncpg.Connection) -> bool:
    """Add the next entries of the ledger to its sums; whether there are more."""
    if not await _has_turn(connection):
        return False
    mark = await connection.fetchrow(usage_sums.MARK)
    if mark is None or not mark["is_ours"]:
        await connection.execute(usage_sums.BEGIN_LEDGER)
        return True
    begin = mark["transaction"]
    row = await connection.fetchrow(usage_sums.NEXT_MARK, begin, _ENTRIES_AT_ONCE)
    end = min(row["horizon"], row["one_turn"] or row["horizon"])
    added = await connection.execute(usage_sums.ADD_ENTRIES, begin, end)
    if added.endswith(" 0"):
        return False
    await connection.execute(usage_sums.MOVE_MARK, end)
    return bool(end < row["horizon"])
