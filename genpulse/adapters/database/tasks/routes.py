"""Tasks on a route: those that wait are moved to other models, and models are timed."""

from collections.abc import Collection, Mapping, Sequence

import asyncpg

from genpulse.adapters.database.statements import routes
from genpulse.adapters.database.tasks.route_document import move_text
from genpulse.adapters.database.tasks.rows import task_of
from genpulse.adapters.postgresql.connections import outages
from genpulse.domain.task import Task
from genpulse.ports import RouteMove


class RoutedTasks:
    """The part of `TaskStore` that moves tasks to other models while they wait."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def waiting(self, providers: Sequence[str], others: Collection[str], limit: int) -> tuple[Task, ...]:
        """At most `limit` tasks that wait for one of these providers and may go to one of the others."""
        with outages():
            rows = await self._pool.fetch(routes.WAITING, list(providers), limit, list(others))
        return tuple(task_of(row) for row in rows)

    async def move_on(self, moves: Sequence[RouteMove]) -> tuple[Task, ...]:
        """Let those go on that are as they were found."""
        ids = [move.task.id for move in moves]
        seqs = [move.task.seq for move in moves]
        texts = [move_text(move.task.model, move.route) for move in moves]
        with outages():
            return tuple(task_of(row) for row in await self._pool.fetch(routes.MOVE, ids, seqs, texts))

    async def durations_s(self, models: Sequence[str]) -> Mapping[str, float]:
        """How many seconds the last tasks of each model took, on average."""
        with outages():
            rows = await self._pool.fetch(routes.DURATIONS_S, list(models))
        return {row["model"]: row["duration_s"] for row in rows}
