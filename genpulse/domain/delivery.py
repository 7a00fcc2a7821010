"""Telling another system that a task has ended, until it takes the message or a day has passed."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

GIVE_UP_AFTER = timedelta(hours=24)
_WAITS_S = (5, 30, 120, 300, 900, 1800, 3600, 7200, 14400)
_GONE = 410
_SPREAD = 0.2


class DeliveryState(StrEnum):
    """Where a message stands."""

    WAITING = "waiting"
    TAKEN = "taken"
    GIVEN_UP = "given_up"


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message about the end of a task. Its id stays the same over all tries.

    `type` is such as `task.succeeded`. `tries` counts how often it was sent. `status_code` and `error` tell of the
    last try; `next_try_at` is None when there is none.
    """

    id: UUID
    task_id: UUID
    type: str
    url: str
    created_at: datetime
    tries: int = 0
    status_code: int | None = None
    error: str = ""
    next_try_at: datetime | None = None
    delivered_at: datetime | None = None

    @property
    def message_id(self) -> str:
        """As the receiver sees it."""
        return f"msg_{self.id.hex}"

    @property
    def state(self) -> DeliveryState:
        """Where it stands."""
        if self.delivered_at is not None:
            return DeliveryState.TAKEN
        return DeliveryState.GIVEN_UP if self.next_try_at is None else DeliveryState.WAITING


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: a status code, or why there was none. `retry_after_s` is what the receiver asked for."""

    status_code: int | None
    error: str = ""
    retry_after_s: float | None = None

    @property
    def is_taken(self) -> bool:
        """Any success is."""
        return self.status_code is not None and 200 <= self.status_code < 300


def next_try(delivery: Delivery, answer: Answer, *, now: datetime, random: float) -> datetime | None:
    """When to send a message again that was not taken; None when it is given up.

    The waits grow from 5 seconds to 4 hours, each spread by a fifth; `random` is from 0 up to 1. A receiver that
    says when to come again is heard, and one that says 410 does not want it at all.
    """
    if answer.status_code == _GONE:
        return None
    wait_s = _WAITS_S[min(delivery.tries, len(_WAITS_S) - 1)] * (1 - _SPREAD + 2 * _SPREAD * random)
    at = now + timedelta(seconds=max(wait_s, answer.retry_after_s or 0.0))
    return at if at <= delivery.created_at + GIVE_UP_AFTER else None
