"""What ended within a time, counted where it is alike."""

from bisect import bisect_left
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Generic, TypeVar

from genpulse.domain.attempt import AttemptStatus
from genpulse.domain.task import TaskStatus

BOUNDS_S = (0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 21600.0)
"""The longest duration of each bucket, in seconds. One more bucket holds what took longer."""

T = TypeVar("T")


def bucket_of(seconds: float) -> int:
    """The place in `BOUNDS_S` of the first bound that is not shorter; their number where all are."""
    return bisect_left(BOUNDS_S, seconds)


@dataclass(frozen=True, slots=True)
class Durations:
    """How long things took that fall into the same bucket: `total_s` seconds, taken together."""

    bucket: int
    total_s: float


@dataclass(frozen=True, slots=True)
class EndedTasks:
    """Tasks that ended alike: `code` is that of the failure, empty without one.

    `waiting` is from when they were due until they began, `running` from then to the end. None where that is not
    known: they never began, or waited for other tasks.
    """

    provider: str
    model: str
    status: TaskStatus
    code: str
    count: int
    cost_usd: Decimal
    waiting: Durations | None
    running: Durations | None


@dataclass(frozen=True, slots=True)
class EndedAttempts:
    """Attempts that ended alike. `vendor`: from the order until the end, where the vendor has answered."""

    provider: str
    model: str
    status: AttemptStatus
    code: str
    count: int
    vendor: Durations | None


class DeliveryOutcome(StrEnum):
    """What became of a try to deliver a message."""

    DELIVERED = "delivered"
    WILL_BE_RETRIED = "will_be_retried"
    GIVEN_UP = "given_up"


@dataclass(frozen=True, slots=True)
class TriedDeliveries:
    """Messages of which the last try went alike. `answer` is the class of the status, as `5xx`, or `none`."""

    outcome: DeliveryOutcome
    answer: str
    count: int


def answer_class(status_code: int | None) -> str:
    """As `5xx`; `none` where nobody answered."""
    return "none" if status_code is None else f"{status_code // 100}xx"


@dataclass(frozen=True, slots=True)
class EndedWithin(Generic[T]):
    """What there was up to and including `until`, from where the next look goes on."""

    rows: tuple[T, ...]
    until: datetime
