"""Events that watchers of a task receive."""

from dataclasses import dataclass
from uuid import UUID

from genpulse.domain.text.storable import storable

MESSAGE_LENGTH = 1_000
"""Characters of what an engine says about its progress."""

SPAN = 1 << 20
"""How many numbers one attempt has for its events, so that a successor's are always higher."""


def seq_at_begin(seq: int) -> int:
    """The number of the event that starts an attempt, given the row's last one."""
    return (seq // SPAN + 1) * SPAN


def seq_at_end(seq: int) -> int:
    """The number of the event that ends the attempt, or the task between two attempts: higher than any before."""
    return max(seq_at_begin(seq) - 1, seq + 1)


def seq_at_wish(seq: int) -> int:
    """The number of the event that somebody else than the worker adds to an attempt: higher than its progress."""
    return max(seq - seq % SPAN + SPAN // 2, seq + 1)


@dataclass(frozen=True, slots=True)
class TaskEvent:
    """Something happened to a task.

    With `progress` (0.0 to 1.0) it is how far the work has come; without it the row has changed and is to be
    read again. `seq` orders the events of one task.
    """

    task_id: UUID
    seq: int
    progress: float | None = None
    message: str | None = None

    def __post_init__(self) -> None:
        """What an engine says is made fit to be sent."""
        if self.message is not None:
            object.__setattr__(self, "message", storable(self.message, MESSAGE_LENGTH))
