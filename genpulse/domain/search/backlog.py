"""How much waits, and for how long it could have been done already."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backlog:
    """`count` things wait; of those that are due, the first has been for `overdue_s` seconds (0 where none is)."""

    count: int = 0
    overdue_s: float = 0.0
