"""A host whose clock is wrong: Python imports this before anything else, where it is on PYTHONPATH.

CHAOS_CLOCK_S is by how many seconds the wall clock of this process is ahead. Timers and time limits go on as
before: those count by a clock that nobody sets.
"""

import datetime as dt
import os
import time

_AHEAD_S = float(os.environ.get("CHAOS_CLOCK_S", "0"))
_AHEAD = dt.timedelta(seconds=_AHEAD_S)
_Real = dt.datetime
_seconds, _nanoseconds = time.time, time.time_ns


class _Kind(type):
    """Moments that came from elsewhere are moments, too."""

    def __instancecheck__(cls, thing: object) -> bool:
        return isinstance(thing, _Real)


class _Shifted(_Real, metaclass=_Kind):
    """The wall clock of such a host."""

    __slots__ = ()

    @classmethod
    def now(cls, tz: dt.tzinfo | None = None) -> dt.datetime:
        return _Real.now(tz) + _AHEAD

    @classmethod
    def utcnow(cls) -> dt.datetime:
        return _Real.now(dt.UTC).replace(tzinfo=None) + _AHEAD


if _AHEAD_S:
    dt.datetime = _Shifted
    time.time = lambda: _seconds() + _AHEAD_S
    time.time_ns = lambda: _nanoseconds() + int(_AHEAD_S * 1e9)
