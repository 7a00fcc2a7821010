"""Tasks on a route that wait for a provider which is left alone at present."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from statistics import fmean

from genpulse.adapters.memory.tasks.attempts import moved_on
from genpulse.adapters.memory.tasks.rows import TaskRows
from genpulse.domain.event import seq_at_wish
from genpulse.domain.task import Task, TaskStatus
from genpulse.ports import RouteMove


class TaskRoutes(TaskRows):
    """The part of `TaskStore` that moves tasks to other models while they wait."""

    async def waiting_on_routes(
        self, providers: Sequence[str], others: Collection[str], limit: int
    ) -> tuple[Task, ...]:
        """Tasks that wait for one of these providers and may go to one of the others, oldest first."""
        waiting = [
            one
            for one in self._tasks.values()
            if one.provider in providers and self._may_move(one) and one.route is not None
            if any(target.provider in others for target in one.route.rest)
        ]
        return tuple(sorted(waiting, key=lambda task: task.id)[:limit])

    async def durations_s(self, models: Sequence[str]) -> Mapping[str, float]:
        """How many seconds the last tasks of each model took, on average."""
        durations = {model: self._durations_s(model) for model in models}
        return {model: fmean(seconds) for model, seconds in durations.items() if seconds}

    def _durations_s(self, model: str) -> list[float]:
        tasks = sorted((one for one in self._tasks.values() if one.model == model), key=lambda task: task.id)
        since = self._now() - timedelta(days=1)
        return [
            (task.finished_at - task.started_at).total_seconds()
            for task in tasks[-50:]
            if task.status is TaskStatus.SUCCEEDED and task.attempt == 1
            if task.finished_at and task.started_at and task.started_at > since
        ]

    async def move_on(self, moves: Sequence[RouteMove]) -> tuple[Task, ...]:
        """Let tasks that wait go on at another model of their routes."""
        return tuple(self._move_waiting(move) for move in moves if self._is_as_found(move))

    def _is_as_found(self, move: RouteMove) -> bool:
        task = self._tasks.get(move.task.id)
        return task is not None and task.seq == move.task.seq and self._may_move(task)

    def _may_move(self, task: Task) -> bool:
        is_free = task.status is TaskStatus.QUEUED and not task.cancel_requested and task.order is None
        has_rest = task.route is not None and task.route.place + 1 < len(task.route.targets)
        return is_free and has_rest and self._queue.is_due(task.id)

    def _move_waiting(self, move: RouteMove) -> Task:
        task = self._tasks[move.task.id]
        moved = replace(
            moved_on(task, move.route),
            seq=seq_at_wish(task.seq),
            waiting_for=None,
            waiting_since=None,
            next_try_at=self._now() if task.depends_on else None,
        )
        self._tasks[moved.id] = moved
        self._queue.move(moved.id, moved.provider)
        return moved
