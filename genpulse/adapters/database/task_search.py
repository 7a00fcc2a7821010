"""Finding tasks by what they are, and by what stands in them."""

from collections.abc import Sequence

import asyncpg

from genpulse.adapters.database.rows import Row, task_of
from genpulse.adapters.database.statements import searches
from genpulse.adapters.postgresql.connections import in_transaction, outages
from genpulse.domain.task import Task
from genpulse.domain.task_query import TaskQuery

BY_THEIR_VALUES = "SET LOCAL plan_cache_mode = force_custom_plan"
"""Which index finds the fewest is said by the values that are looked for, and differs from time to time."""


class TaskSearch:
    """Pages of tasks, newest first."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def page(self, query: TaskQuery) -> tuple[Task, ...]:
        """At most as many as the query's limit."""
        statement = searches.first(query)
        with outages():
            rows: Sequence[Row] = await self._pool.fetch(statement.text, *statement.values)
        if not statement.is_whole and len(rows) < query.limit:
            rows = await self._rare(query)
        return tuple(task_of(row) for row in rows[: query.limit])

    async def _rare(self, query: TaskQuery) -> Sequence[Row]:
        statement = searches.by_all_indexes(query)

        async def fetch(connection: asyncpg.Connection) -> Sequence[Row]:
            await connection.execute(BY_THEIR_VALUES)
            rows: Sequence[Row] = await connection.fetch(statement.text, *statement.values)
            return rows

        return await in_transaction(self._pool, fetch)
