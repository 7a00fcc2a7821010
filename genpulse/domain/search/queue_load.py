"""How much of one provider and one priority waits and runs."""

from dataclasses import dataclass

from genpulse.domain.task import Priority

COUNTED_AT_MOST = 10_000
"""What waits is counted up to here: to count millions takes longer than anybody watches."""


@dataclass(frozen=True, slots=True)
class QueueLoad:
    """Tasks of a provider with one priority: `waiting` for a worker, due `later`, and `running`.

    What is due later was put off, waits for its next attempt, or for other tasks. Of those that wait the first has
    been due for `overdue_s` seconds, 0 where none is. There may be more than `COUNTED_AT_MOST` of the first two,
    and then it is that number.
    """

    provider: str
    priority: Priority
    waiting: int = 0
    later: int = 0
    running: int = 0
    overdue_s: float = 0.0
