"""Logging of outages: at the beginning, once a minute, at the end."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

AGAIN_S = 60.0
"""How often an outage is told that lasts, in seconds."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Outage:
    since: float
    told_at: float
    waiting: set[str] = field(default_factory=set)


class Outages:
    """Says that a service is away when that begins, once a minute, and when it ends, however many parts notice it.

    An outage is one for each class of error. `clock` is monotonic, in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._outages: dict[type[BaseException], _Outage] = {}

    def report(self, part: str, error: BaseException) -> None:
        """A part of the process has to wait because of this error."""
        now, kind = self._clock(), type(error)
        why = str(error) or kind.__name__
        outage = self._outages.get(kind)
        if outage is None:
            self._outages[kind] = _Outage(now, now, {part})
            _log.warning("%s has to wait: %s", part, why)
            return
        outage.waiting.add(part)
        _log.debug("%s has to wait, too: %s", part, why)
        if now - outage.told_at >= AGAIN_S:
            outage.told_at = now
            _log.warning("for %.0f s now %s have to wait: %s", now - outage.since, _named(outage.waiting), why)

    def end(self, part: str) -> None:
        """A part of the process does not wait any more. Told where it was the last one."""
        for kind, outage in tuple(self._outages.items()):
            if part in outage.waiting:
                outage.waiting.discard(part)
                if not outage.waiting:
                    del self._outages[kind]
                    _log.warning("after %.0f s nothing has to wait any more", self._clock() - outage.since)


def _named(parts: set[str]) -> str:
    first = sorted(parts)[:3]
    more = len(parts) - len(first)
    return ", ".join(first) + (f" and {more} more" if more else "")
