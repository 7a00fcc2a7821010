"""How far an attempt has come by when: kept in memory, and written with its end."""

import time

from genpulse.domain.attempt_times import AttemptTimes

LONGEST_MS = 2**31 - 1
"""What comes later, after 24 days, is not kept."""


class AttemptStopwatch:
    """Notes what happens in an attempt that began at `began_at` by the monotonic clock, in seconds."""

    def __init__(self, began_at: float) -> None:
        self._began_at = began_at
        self._taken_ms: int | None = None
        self._first_polled_ms: int | None = None
        self._last_polled_ms: int | None = None
        self._done_ms: int | None = None
        self._collected_ms: int | None = None
        self._stored_ms: int | None = None
        self._polls = 0

    def _now_ms(self) -> int | None:
        now_ms = int((time.monotonic() - self._began_at) * 1e3)
        return now_ms if now_ms <= LONGEST_MS else None

    def taken(self) -> None:
        """The provider has taken the order."""
        self._taken_ms = self._now_ms()

    def polled(self) -> None:
        """The provider has answered what became of the job."""
        self._last_polled_ms = self._now_ms()
        if not self._polls:
            self._first_polled_ms = self._last_polled_ms
        self._polls += 1

    def done(self) -> None:
        """The work is done."""
        self._done_ms = self._now_ms()

    def collected(self) -> None:
        """The outputs were received."""
        self._collected_ms = self._now_ms()

    def stored(self) -> None:
        """The outputs are stored."""
        self._stored_ms = self._now_ms()

    def times(self) -> AttemptTimes:
        """What was noted by now."""
        return AttemptTimes(
            self._taken_ms,
            self._first_polled_ms,
            self._last_polled_ms,
            self._done_ms,
            self._collected_ms,
            self._stored_ms,
            self._polls,
        )
