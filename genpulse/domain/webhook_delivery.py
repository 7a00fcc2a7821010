"""Webhook deliveries: state, answers and the schedule of retries."""

import math
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from genpulse.domain.submission.webhook_choice import WebhookEvent
from genpulse.domain.text.storable import storable, storable_line

GIVE_UP_AFTER = timedelta(hours=24)
PROGRESS_LASTS = timedelta(minutes=1)
"""After that a message about progress is worth nothing."""

LONGEST_EXCERPT = 8192
"""Characters of a request or an answer that are kept at most."""

STARTED, PROGRESSED = "task.started", "task.progress"
_WAITS_S = (5, 30, 120, 300, 900, 1800, 3600, 7200, 14400)
_GONE = 410
_SPREAD = 0.2
_LONGEST_WAIT_S = GIVE_UP_AFTER.total_seconds()
_PLACE = re.compile(r"([^:]*://)(?:[^/?#\\]*@)?([^/?#\\]*)")
_USUAL_PORT = re.compile(r"^(?:(http://.*):80|(https://.*):443)\Z", re.DOTALL)


class DeliveryState(StrEnum):
    """Where a message stands."""

    WAITING = "waiting"
    TAKEN = "taken"
    GIVEN_UP = "given_up"


_EVENTS = {STARTED: WebhookEvent.START, PROGRESSED: WebhookEvent.PROGRESS}


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message about a task, mostly about its end. Its id stays the same over all tries.

    `type` is such as `task.succeeded`, and `form` whose words it is told in, empty for our own. `tries` counts how
    often it was sent. `status_code` and `error` tell of the last try; `next_try_at` is None when there is none.
    After `given_until` it is not sent again, unless somebody asks for it. It is not sent before the one that it
    `follows` was tried once. `origin` is the receiver as `origin_of` tells it, `environment` that of the task.
    `request_excerpt` and `answer_excerpt` are the beginnings of the last try, without secrets.
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
    given_until: datetime | None = None
    origin: str = ""
    environment: str = ""
    form: str = ""
    follows: UUID | None = None
    request_excerpt: str = ""
    answer_excerpt: str = ""

    @property
    def message_id(self) -> str:
        """As the receiver sees it."""
        return f"msg_{self.id.hex}"

    @property
    def event(self) -> WebhookEvent:
        """What it is about; an end is one also where it is told for its outputs."""
        return _EVENTS.get(self.type, WebhookEvent.END)

    @property
    def state(self) -> DeliveryState:
        """Where it stands."""
        if self.delivered_at is not None:
            return DeliveryState.TAKEN
        return DeliveryState.GIVEN_UP if self.next_try_at is None else DeliveryState.WAITING


@dataclass(frozen=True, slots=True)
class Unreadable:
    """In place of a task that was kept with a message and cannot be read any more, and why not."""

    reason: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "reason", storable_line(self.reason))


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: a status code, or why there was none.

    `error` is one line that can be stored, whatever it was made from. `retry_after_s` is what the receiver asked
    for, from 0 to a day, and None when that made no sense. `silent`: all the time for an answer went by without.
    `request_excerpt` and `answer_excerpt` are their beginnings without secrets, empty where there was none.
    """

    status_code: int | None
    error: str = ""
    retry_after_s: float | None = None
    silent: bool = False
    request_excerpt: str = ""
    answer_excerpt: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "error", storable_line(self.error))
        object.__setattr__(self, "retry_after_s", _sensible(self.retry_after_s))
        for name in ("request_excerpt", "answer_excerpt"):
            object.__setattr__(self, name, storable(getattr(self, name)[:LONGEST_EXCERPT]))

    @property
    def is_taken(self) -> bool:
        """Any success is."""
        return self.status_code is not None and 200 <= self.status_code < 300


def _sensible(wait_s: float | None) -> float | None:
    """Also of integers that no float can hold."""
    if wait_s is None or (isinstance(wait_s, float) and math.isnan(wait_s)):
        return None
    return float(min(max(wait_s, 0.0), _LONGEST_WAIT_S))


def next_try(tries: int, answer: Answer, *, random: float) -> float | None:
    """In how many seconds to send a message again that was not taken; None when it is not wanted at all (410).

    `tries` counts the earlier ones. The waits grow from 5 seconds to 4 hours, each spread by a fifth; `random` is
    from 0 up to 1. A receiver that says when to come again is heard. Whoever keeps the message knows when its day
    is over, and shortens the wait to what is left of it.
    """
    if answer.status_code == _GONE:
        return None
    wait_s = _WAITS_S[min(max(tries, 0), len(_WAITS_S) - 1)] * (1 - _SPREAD + 2 * _SPREAD * random)
    return max(wait_s, answer.retry_after_s or 0.0)


def origin_of(url: str) -> str:
    """Scheme, host and port of a URL in lower case, without a port that is the usual one and without user names.

    All that lead to one origin share what it can take. What is no URL is an origin of its own; 500 characters of
    it count. The database has the same as `webhook_origin`.
    """
    place = _PLACE.match(url)
    origin = (place[1] + place[2] if place else url).lower()
    return _USUAL_PORT.sub(r"\1\2", origin)[:500]
