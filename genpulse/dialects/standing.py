"""Where a task stands, without what is large in its row."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from genpulse.domain.failure import Failure
from genpulse.domain.task import Task, TaskStatus


@dataclass(frozen=True, slots=True)
class Line:
    """What an engine said about its progress, and when it came here."""

    message: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """What a row says, and what live events have told since. `lines` came while somebody asked."""

    id: UUID
    owner: str
    provider: str
    model: str
    status: TaskStatus
    attempt: int
    seq: int
    progress: float | None
    error: Failure | None
    cancel_requested: bool
    started_at: datetime | None
    finished_at: datetime | None
    lines: tuple[Line, ...] = ()

    @classmethod
    def of(cls, task: Task) -> "Standing":
        """From the row."""
        return cls(
            id=task.id,
            owner=task.owner,
            provider=task.provider,
            model=task.model,
            status=task.status,
            attempt=task.attempt,
            seq=task.seq,
            progress=task.progress,
            error=task.error,
            cancel_requested=task.cancel_requested,
            started_at=task.started_at,
            finished_at=task.finished_at,
        )

    def moved(self, seq: int, progress: float | None, lines: tuple[Line, ...]) -> "Standing":
        """With a later progress."""
        return replace(self, seq=seq, progress=progress, lines=lines)

    def or_progress_of(self, earlier: "Standing | None", lines: tuple[Line, ...]) -> "Standing":
        """What was read, with the progress that was known where the row is behind it: it is written less often."""
        if earlier is None or earlier.seq <= self.seq or self.status is not TaskStatus.RUNNING:
            return replace(self, lines=lines)
        return self.moved(earlier.seq, earlier.progress, lines)
