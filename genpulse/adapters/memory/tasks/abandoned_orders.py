"""Ended tasks whose orders are still to be stopped at their vendor, inside this process."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from genpulse.domain.task import Task

FIRST_AFTER = timedelta(seconds=30)
GIVEN_UP_AFTER = timedelta(days=1)


class UnstoppedOrders:
    """When each of them is due."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._due_at: dict[UUID, datetime] = {}

    def note(self, task_id: UUID) -> None:
        """Its task has ended."""
        self._due_at[task_id] = self._now() + FIRST_AFTER

    def forget(self, task_id: UUID) -> None:
        """There is nothing to stop any more."""
        self._due_at.pop(task_id, None)

    def hurry(self, task_id: UUID) -> None:
        """What is to be stopped is due now."""
        if task_id in self._due_at:
            self._due_at[task_id] = self._now()

    def has(self, task_id: UUID) -> bool:
        """Whether there is something to stop."""
        return task_id in self._due_at

    def due(self) -> tuple[UUID, ...]:
        """Tasks whose orders are due to be stopped, the one that is due for longest first."""
        now = self._now()
        return tuple(sorted((one for one, at in self._due_at.items() if at <= now), key=self._due_at.__getitem__))

    def put_off(self, task: Task) -> None:
        """It comes again later than the last time, or no more."""
        now = self._now()
        since = now - (task.finished_at or now)
        if since < GIVEN_UP_AFTER:
            self._due_at[task.id] = now + FIRST_AFTER + since / 2
        else:
            self.forget(task.id)
