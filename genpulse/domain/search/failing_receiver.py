"""Receivers of webhook messages that do not take them."""

from dataclasses import dataclass
from datetime import datetime

COUNTED_AT_MOST = 1000


@dataclass(frozen=True, slots=True)
class FailingReceiver:
    """Messages about ends to one origin that were sent at least once, and not received.

    `waiting` ones are sent again, `given_up` ones are not; at most `COUNTED_AT_MOST` of all are counted, the
    newest ones. The first of these was made at `since`. `status_code` and `error` are what the last try of the
    newest message said.
    """

    origin: str
    waiting: int
    given_up: int
    since: datetime
    status_code: int | None
    error: str
