"""The port of the task queue."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from genpulse.domain.attempt import Worker
from genpulse.domain.search.backlog import Backlog
from genpulse.domain.search.queue_load import QueueLoad
from genpulse.ports.tasks.store import TaskNotification


@dataclass(frozen=True, slots=True)
class QueueMark:
    """The moment before somebody looks for work.

    `number` grows whenever there may be something to claim; `at` is in seconds, by a clock of the queue that does
    not jump.
    """

    number: int
    at: float


class TaskQueue(Protocol):
    """What waits, and who tells that it does. What a worker is told here it may also find out by looking."""

    def limited(self, provider: str) -> bool:
        """Whether only so many tasks of this provider may run at once, over all workers."""

    async def due(self, providers: Sequence[str]) -> tuple[str, ...]:
        """Which of these providers have a new task that could be claimed now: it is due and has a free seat."""

    async def running(self, provider: str) -> int:
        """How many tasks of this provider workers hold, of those that were claimed one provider at a time.

        That is how work of providers with a gate or with seats is claimed.
        """

    async def promote(self, older_than_s: float) -> int:
        """Give tasks that wait for so many seconds the next higher priority, and once more after as long again.

        So none waits for ever behind higher ones. What waits behind its own equals alone stays among them, where
        owners take turns: a task is promoted while one waits at its provider that was submitted with a higher
        priority. Returns how many there were, at most 1,000 at a time.
        """

    def mark(self) -> QueueMark:
        """What `wait` is told. Take it before you look."""

    async def wait(self, mark: QueueMark, providers: Sequence[str], timeout_s: float) -> None:
        """Return when there may be something to claim that was not there at `mark`.

        At the latest after `timeout_s` seconds, or when a task of these providers is due that had to wait; at once
        where it has become due since `mark`.
        """

    def notifications(self, worker: Worker) -> AsyncIterator[TaskNotification]:
        """What others tell this worker about tasks that it holds, as it comes.

        A wish to stop that is missed is found by `TaskStore.renew`, news of a vendor by polling.
        """

    async def announce_change(self, task_id: UUID) -> None:
        """Tell the worker that holds this task that something has happened to it at its provider."""

    async def backlogs(self) -> Mapping[str, Backlog]:
        """What waits of each provider of which something does."""

    async def loads(self) -> tuple[QueueLoad, ...]:
        """What waits and runs, by provider and priority, highest first; nothing of those of which nothing does."""

    async def tidy(self) -> None:
        """Forget workers that are gone for long."""
