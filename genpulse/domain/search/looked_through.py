"""What was found by looking through a part of all tasks, from the newest on."""

from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

T = TypeVar("T")

LOOKED_THROUGH = 5_000
"""So many tasks a page of the console looks through: more take longer than somebody waits who clicks."""


@dataclass(frozen=True, slots=True)
class LookedThrough(Generic[T]):
    """All that fits of the tasks from where the look began down to the task `back_to`, itself included.

    There may be more that fits below that one, whether it fits itself or not. None: there is no more.
    """

    matches: tuple[T, ...] = ()
    back_to: UUID | None = None
