"""Looking through a bounded number of tasks."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from uuid import UUID

import asyncpg

from genpulse.adapters.database.statements.search import looks
from genpulse.adapters.database.statements.search.looks import Lead
from genpulse.adapters.database.statements.search.searches import Statement, is_impossible
from genpulse.adapters.database.tasks.rows import Row, group_of, task_of, uuid_of
from genpulse.adapters.database.tasks.search import BY_THEIR_VALUES
from genpulse.adapters.postgresql.connections import in_transaction, outages
from genpulse.domain.search.looked_through import LookedThrough
from genpulse.domain.search.task_group import TaskGroup
from genpulse.domain.search.task_query import TaskFilter, TaskQuery
from genpulse.domain.task import Task

FEW = 1_000
"""So many of the newest are looked through before an index in no order is asked: what is common is there."""

SAMPLE, OFTEN = 200, 10
"""What this many of so many say is common: an index in no order would tell of a twentieth of all tasks."""

GATHERED = f"{BY_THEIR_VALUES}; SET LOCAL enable_indexscan = off; SET LOCAL max_parallel_workers_per_gather = 0"


class TaskLooks:
    """Parts of the tasks that fit, newest first, each after a bounded number of rows."""

    gathered_ms = 25
    """For so long an index in no order is read. What a million tasks say takes longer, and is looked for by id."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def look(self, query: TaskQuery, at_most: int) -> LookedThrough[Task]:
        """A page of tasks, newest first, of those among which it looked."""
        if is_impossible(query.filter):
            return LookedThrough()
        lead, unordered = await self._lead(query, at_most), looks.unordered(query)
        few = min(FEW, at_most) if unordered else at_most
        newest = await self._through(query, lead, few)
        if newest.back_to is None or len(newest.matches) >= query.limit:
            return newest
        for part in unordered:
            if rare := await self._all_of(query, part, at_most):
                return rare
        if few == at_most:
            return newest
        left = replace(query, before=newest.back_to, limit=query.limit - len(newest.matches))
        older = await self._through(left, lead, at_most - few)
        return LookedThrough(newest.matches + older.matches, older.back_to)

    async def count(self, query: TaskQuery, at_most: int) -> LookedThrough[TaskGroup]:
        """The tasks that fit among those at which it looked, counted where they are alike."""
        if is_impossible(query.filter):
            return LookedThrough()
        for part in looks.unordered(query):
            if not (part.texts and looks.may_go_on(query.filter)):
                rows = await self._gathered(looks.count_of_all(query, part, at_most), query.before, part)
                if rows and rows[0]["looked"] <= at_most:
                    return LookedThrough(_groups(rows))
        rows = await self._rows(looks.count(query, await self._lead(query, at_most), at_most))
        edge = rows[0]["back_to"]
        return LookedThrough(_groups(rows), edge and uuid_of(edge))

    async def _lead(self, query: TaskQuery, at_most: int) -> Lead:
        """The one that goes furthest back."""
        candidates, few = looks.leads(query.filter), min(FEW, at_most)
        if len(candidates) == 1:
            return candidates[0]
        (row,) = await self._rows(looks.edges(query, candidates, few))
        edges: Sequence[UUID | None] = row["edges"]
        return min(zip(candidates, edges, strict=True), key=lambda each: each[1] or UUID(int=0))[0]

    async def _through(self, query: TaskQuery, lead: Lead, at_most: int) -> LookedThrough[Task]:
        rows = await self._rows(looks.page(query, lead, at_most))
        return _page_of(rows, query.limit, lambda row: bool(row["place"] == lead.share(at_most)))

    async def _all_of(self, query: TaskQuery, part: TaskFilter, at_most: int) -> LookedThrough[Task] | None:
        """What fits among all of a part of the filter; None where these are too many."""
        rows = await self._gathered(looks.page_of_all(query, part, at_most), query.before, part)
        if not rows or rows[0]["looked"] > at_most:
            return None
        rare = _page_of(rows, query.limit, lambda _: False)
        if not (part.texts and looks.may_go_on(query.filter)):
            return rare
        return _together(rare, await self._through(query, looks.going_on(), at_most), query.limit)

    async def _rows(self, statement: Statement) -> Sequence[Row]:
        with outages():
            rows: Sequence[Row] = await self._pool.fetch(statement.text, *statement.values)
        return rows

    async def _gathered(self, statement: Statement, before: UUID | None, part: TaskFilter) -> Sequence[Row]:
        """Nothing where it would take too long."""
        often = await self._through(TaskQuery(OFTEN, before, part), looks.ended_well(), SAMPLE)
        if len(often.matches) == OFTEN:
            return ()

        async def fetch(connection: asyncpg.Connection) -> Sequence[Row]:
            await connection.execute(f"{GATHERED}; SET LOCAL statement_timeout = {self.gathered_ms}")
            try:
                rows: Sequence[Row] = await connection.fetch(statement.text, *statement.values)
            except asyncpg.QueryCanceledError:
                return ()
            return rows

        return await in_transaction(self._pool, fetch)


def _page_of(rows: Sequence[Row], limit: int, is_last: Callable[[Row], bool]) -> LookedThrough[Task]:
    """Of what came newest first, down to the first row that is the last one of its part."""
    matches: list[Task] = []
    for row in rows:
        if row["fits"]:
            matches.append(task_of(row))
        if is_last(row) or len(matches) == limit:
            return LookedThrough(tuple(matches), uuid_of(row["id"]))
    return LookedThrough(tuple(matches))


def _together(one: LookedThrough[Task], other: LookedThrough[Task], limit: int) -> LookedThrough[Task]:
    """What two looks at tasks of different kinds have found, as far back as both went.

    A task that changed from one kind to the other meanwhile is shown once, as the later look found it.
    """
    back_to = max((edge for edge in (one.back_to, other.back_to) if edge), default=None)
    by_id = {task.id: task for task in (*one.matches, *other.matches)}
    matches = sorted(by_id.values(), key=lambda task: task.id, reverse=True)
    seen = [task for task in matches if back_to is None or task.id >= back_to]
    if len(seen) > limit:
        return LookedThrough(tuple(seen[:limit]), seen[limit - 1].id)
    return LookedThrough(tuple(seen), back_to)


def _groups(rows: Sequence[Row]) -> tuple[TaskGroup, ...]:
    return tuple(group_of(row) for row in rows if row["status"] is not None)
