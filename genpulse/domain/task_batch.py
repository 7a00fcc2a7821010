"""A batch: tasks that were submitted together, and how they stand."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from genpulse.domain.money.cost import Cost
from genpulse.domain.task import Submitted, TaskStatus

_TOLD = 10_000
"""Higher than the number of tasks that a batch may have."""
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class NewBatch:
    """A batch that is about to be written with its tasks, which carry its `id`.

    Under an `idempotency_key` the whole batch is known again, by the `fingerprint` of all of its orders.
    """

    id: UUID
    environment: str
    owner: str = ""
    idempotency_key: str | None = None
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class EarlierBatch:
    """A batch that was submitted before under the same key, and those of its tasks that are kept, in order."""

    id: UUID
    tasks: tuple[Submitted, ...]


@dataclass(frozen=True, slots=True)
class SubmittedBatch:
    """The answer to the submit of a batch: the tasks in the order of the orders.

    `id` is None where nothing was queued, and what was known is of no batch or of several.
    """

    id: UUID | None
    tasks: tuple[Submitted, ...]

    @property
    def replayed(self) -> bool:
        """Whether nothing was queued: all tasks are earlier ones."""
        return all(task.replayed for task in self.tasks)


@dataclass(frozen=True, slots=True)
class TaskBatch:
    """A batch as it stands. It was queued with `size` tasks; those that are not in `statuses` were removed since.

    `retryable` of the failed ones can succeed when they run again. `cost` is what all have cost together, as far
    as that is known. `finished_at` is when the last one ended, None while one has not.
    """

    id: UUID
    environment: str
    owner: str
    created_at: datetime
    size: int
    statuses: Mapping[TaskStatus, int] = field(default_factory=dict)
    retryable: int = 0
    cost: Cost | None = None
    last_end_at: datetime | None = None

    @property
    def live(self) -> int:
        """How many tasks have not ended."""
        return sum(count for status, count in self.statuses.items() if not status.ended)

    @property
    def ended(self) -> bool:
        """Whether nothing more happens by itself."""
        return self.live == 0

    @property
    def finished_at(self) -> datetime | None:
        """When the last task ended; None while one has not."""
        return self.last_end_at if self.ended else None

    @property
    def removed(self) -> int:
        """How many tasks were deleted."""
        return max(0, self.size - sum(self.statuses.values()))


@dataclass(frozen=True, slots=True)
class BatchQuery:
    """A page of batches, newest first: those older than `before`, at most `limit`, of one owner or of all."""

    limit: int = 20
    before: UUID | None = None
    owner: str | None = None


@dataclass(frozen=True, slots=True, order=True)
class TaskEnd:
    """That a task of a batch has ended, and when."""

    at: datetime
    task_id: UUID


@dataclass(frozen=True, slots=True)
class EndMark:
    """How far a watcher was told of the ends in a batch: of `count`, the last one `offset` after its begin.

    `number` is the same as a number that grows, which a watcher gives back.
    """

    offset: timedelta = timedelta()
    count: int = 0

    @property
    def number(self) -> int:
        """Of at most 18 digits for three years."""
        return max(0, self.offset // _MICROSECOND) * _TOLD + self.count

    @classmethod
    def of(cls, number: int) -> "EndMark":
        """The mark of a number."""
        return cls(number // _TOLD * _MICROSECOND, number % _TOLD)
