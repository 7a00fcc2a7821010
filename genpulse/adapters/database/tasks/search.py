"""Finding tasks by what they are, and by what stands in them."""

from collections.abc import Sequence

import asyncpg
from pydantic_core import from_json

from genpulse.adapters.database.statements.search import groups, searches, usage
from genpulse.adapters.database.statements.search.conditions import Values
from genpulse.adapters.database.tasks.rows import Row, group_of, task_of
from genpulse.adapters.postgresql.connections import in_transaction, outages
from genpulse.domain.money.ledger import Balance, EntryKind
from genpulse.domain.search.task_group import TaskGroup
from genpulse.domain.search.task_query import TaskFilter, TaskQuery
from genpulse.domain.search.usage import UsageQuery, UsageRow
from genpulse.domain.search.usage_spans import TimeSpan, UsageSpans
from genpulse.domain.task import Task, TaskStatus

BY_THEIR_VALUES = "SET LOCAL plan_cache_mode = force_custom_plan"
"""Which index finds the fewest is said by the values that are looked for, and differs from time to time."""

IN_ORDER = "SET LOCAL enable_bitmapscan = off"
"""What is common is found on the way: nobody gathers all of it."""

ALL_OF_THEM = "SET LOCAL enable_seqscan = on"
"""Where most of the table is counted, it is read as it lies."""

OF_ONE_MOMENT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"


class TaskSearch:
    """Pages of tasks, newest first."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def find(self, query: TaskQuery) -> tuple[Task, ...]:
        """At most as many as the query's limit."""
        if searches.is_impossible(query.filter):
            return ()
        rows: Sequence[Row] = ()
        for statement in searches.first(query):
            with outages():
                rows = await self._pool.fetch(statement.text, *statement.values)
            if statement.is_whole or len(rows) >= query.limit:
                break
        else:
            rows = await self._rare(query)
        return tuple(task_of(row) for row in rows[: query.limit])

    async def groups(self, task_filter: TaskFilter) -> tuple[TaskGroup, ...]:
        """All tasks that fit, counted where they are alike."""
        values = Values()
        statement = groups.groups(searches.matching(task_filter, values))
        return tuple(group_of(row) for row in await self._counted(statement, values))

    async def usage_by(self, query: UsageQuery) -> tuple[UsageRow, ...]:
        """What tasks came to, put together."""

        async def fetch(connection: asyncpg.Connection) -> Sequence[Row]:
            await connection.execute(f"{OF_ONE_MOMENT}; {BY_THEIR_VALUES}; {ALL_OF_THEM}")
            values = Values()
            statement = usage.usage(query, await _spans(connection, query), values)
            rows: Sequence[Row] = await connection.fetch(statement, *values.given)
            return rows

        rows = await in_transaction(self._pool, fetch)
        return tuple(row for row in (_usage_of(row, query) for row in rows) if not row.is_nothing)

    async def _counted(self, statement: str, values: Values) -> Sequence[Row]:
        async def fetch(connection: asyncpg.Connection) -> Sequence[Row]:
            await connection.execute(f"{BY_THEIR_VALUES}; {ALL_OF_THEM}")
            rows: Sequence[Row] = await connection.fetch(statement, *values.given)
            return rows

        return await in_transaction(self._pool, fetch)

    async def _rare(self, query: TaskQuery) -> Sequence[Row]:
        probe = searches.of_ended(query)

        async def fetch(connection: asyncpg.Connection) -> Sequence[Row]:
            is_common = probe is not None and len(await connection.fetch(probe.text, *probe.values)) >= query.limit
            await connection.execute(BY_THEIR_VALUES)
            if is_common:
                await connection.execute(IN_ORDER)
                statement = searches.by_id(query)
            else:
                of_few = bool(query.filter.texts) and await _expected(connection, query) <= searches.FEW
                statement = searches.by_all_indexes(query, of_few=of_few)
            rows: Sequence[Row] = await connection.fetch(statement.text, *statement.values)
            return rows

        return await in_transaction(self._pool, fetch)


async def _expected(connection: asyncpg.Connection, query: TaskQuery) -> float:
    """How many tasks came in the times that are asked for, as far as the planner knows."""
    statement = searches.made_then(query)
    plan = from_json(await connection.fetchval(f"EXPLAIN (FORMAT JSON) {statement.text}", *statement.values))
    return float(plan[0]["Plan"]["Plan Rows"])


_STATUSES = tuple((status, status.value) for status in TaskStatus)
_AMOUNTS = tuple(f"{kind}_usd" for kind in EntryKind)


async def _spans(connection: asyncpg.Connection, query: UsageQuery) -> UsageSpans:
    """What is read from sums, and what is counted."""
    whole = TimeSpan(query.start, query.end)
    if not query.is_of_ledger:
        return UsageSpans((whole,))
    row = await connection.fetchrow(usage.SPANS, whole.start, whole.end)
    return UsageSpans.of(whole, [TimeSpan(*span) for span in row["unsummed"]], row["ledger_mark"])


def _usage_of(row: Row, query: UsageQuery) -> UsageRow:
    return UsageRow(
        values=tuple(row[f"f{place}"] for place in range(len(query.fields))),
        metadata=tuple(row[f"m{place}"] for place in range(len(query.metadata))),
        statuses={status: count for status, name in _STATUSES if (count := row[name])},
        cost_usd=row["cost_usd"],
        price_usd=row["price_usd"],
        unpriced=row["unpriced"],
        money=Balance(*(row[name] for name in _AMOUNTS)),
    )
