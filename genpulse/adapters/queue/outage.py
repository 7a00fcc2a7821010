"""What an outage of PostgreSQL means for leases: nobody could renew them."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from genpulse.domain.errors import DatabaseUnavailable


class Outage:
    """Remembers how long PostgreSQL was away, as far as this process has seen.

    Work that is not renewed belongs to a worker that is lost, unless no worker could renew anything. So for the
    length of a lease after an outage, its length is forgiven.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._answered_at = clock()
        self._away = False
        self._back_at = float("-inf")
        self._lasted_s = 0.0

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Something is asked of PostgreSQL in here."""
        try:
            yield
        except DatabaseUnavailable:
            self._away = True
            raise
        now = self._clock()
        if self._away:
            self._away, self._back_at, self._lasted_s = False, now, now - self._answered_at
        self._answered_at = now

    def forgiven_s(self, lease_s: float) -> float:
        """By how many seconds a lease may be older than it should, when leases last `lease_s` seconds."""
        if self._away:
            return self._clock() - self._answered_at
        return self._lasted_s if self._clock() - self._back_at < lease_s else 0.0
