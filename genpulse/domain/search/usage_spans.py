"""Which parts of a time are read from sums, and which from the tasks themselves."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

MOST_SPANS = 12
"""Into so many pieces a question is cut at most."""


@dataclass(frozen=True, slots=True)
class TimeSpan:
    """From `start` on, and before `end`."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class UsageSpans:
    """What is told by the tasks that came then is `counted`, by sums of hours `hours`, by those of days `days`.

    Each moment is in one of them, and each of `summed`, which is hours and days together. A time of no length is
    counted. `ledger_mark` is the transaction before which the entries of the ledger are in its sums, None: there
    are none.
    """

    counted: Sequence[TimeSpan]
    summed: Sequence[TimeSpan] = ()
    ledger_mark: int | None = None

    @property
    def days(self) -> Sequence[TimeSpan]:
        """Whole days (UTC)."""
        return [days for span in self.summed if (days := _days_of(span))]

    @property
    def hours(self) -> Sequence[TimeSpan]:
        """What of `summed` is before and after whole days."""
        return [part for span in self.summed for part in _around(span, _days_of(span))]

    @classmethod
    def of(
        cls, whole: TimeSpan, unsummed: Sequence[TimeSpan], ledger_mark: int | None, most: int = MOST_SPANS
    ) -> "UsageSpans":
        """For what has no sums yet, in its order: spans that lie next to each other are put together to a few."""
        counted = list(unsummed)
        while len(counted) > most:
            gaps = [later.start - earlier.end for earlier, later in pairwise(counted)]
            place = gaps.index(min(gaps))
            counted[place : place + 2] = [TimeSpan(counted[place].start, counted[place + 1].end)]
        borders = [whole.start, *(border for span in counted for border in (span.start, span.end)), whole.end]
        between = (TimeSpan(*pair) for pair in zip(borders[::2], borders[1::2], strict=True))
        summed = tuple(span for span in between if span.start < span.end)
        return cls(counted if counted or summed else [whole], summed, ledger_mark)


_DAY = timedelta(days=1)


def _days_of(span: TimeSpan) -> TimeSpan | None:
    """The whole days in it."""
    midnight = span.start.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    start = midnight if midnight == span.start else midnight + _DAY
    end = span.end.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return TimeSpan(start, end) if start < end else None


def _around(span: TimeSpan, inner: TimeSpan | None) -> list[TimeSpan]:
    if inner is None:
        return [span]
    return [
        part
        for part in (TimeSpan(span.start, inner.start), TimeSpan(inner.end, span.end))
        if part.start < part.end
    ]
