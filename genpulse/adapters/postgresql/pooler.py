"""What a pooler such as PgBouncer does with our connections, and how long it takes to lend one of PostgreSQL."""

import logging
import time
from enum import StrEnum

from genpulse.domain.errors import DatabaseUnavailable

LENT_WITHIN_S = 5.0
"""Who has got no connection of PostgreSQL by then is told so, and does not wait on."""
_LONG_S = 1.0
_TELL_AGAIN_S = 60.0
_TOO_SMALL = (
    "its pool (default_pool_size of PgBouncer) is smaller than what all processes ask for at once. Let that be"
    " greater, or database.pool_size smaller."
)

_log = logging.getLogger(__name__)


class Pooler(StrEnum):
    """What stands between us and PostgreSQL.

    SESSION: each connection of ours has one of PostgreSQL for as long as it is open. TRANSACTION: it has one for a
    transaction, and the next one may be in another session.
    """

    NONE = "none"
    SESSION = "session"
    TRANSACTION = "transaction"


class LendingWatch:
    """How long a pooler takes to lend a connection of PostgreSQL; once a minute it is said when that is long."""

    def __init__(self) -> None:
        self._waits = 0
        self._longest_s = 0.0
        self._told_at = -_TELL_AGAIN_S

    def note(self, waited_s: float) -> None:
        """Somebody has waited for so many seconds."""
        if waited_s < _LONG_S:
            return
        self._waits += 1
        self._longest_s = max(self._longest_s, waited_s)
        now = time.monotonic()
        if now - self._told_at < _TELL_AGAIN_S:
            return
        _log.warning(
            "The pooler has let %d transactions wait for a connection of PostgreSQL, %.1f s at most: %s",
            self._waits,
            self._longest_s,
            _TOO_SMALL,
        )
        self._waits, self._longest_s, self._told_at = 0, 0.0, now


def nothing_lent() -> DatabaseUnavailable:
    """What is to be said when a connection was waited for in vain."""
    return DatabaseUnavailable(
        f"The pooler has lent no connection of PostgreSQL within {LENT_WITHIN_S:g} s: PostgreSQL is away, or"
        f" {_TOO_SMALL}"
    )
