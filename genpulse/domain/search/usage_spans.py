"""Which parts of a time are read from sums, and which from the tasks themselves."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

MOST_SPANS = 12
"""Into so many pieces a question is cut at most."""


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` on, and before `end`."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class UsageSpans:
    """`summed` is told by sums of whole hours, `counted` by the tasks that came then; together they are all of it.

    `ledger_mark` is the transaction before which the entries of the ledger are in its sums, None: there are none.
    """

    counted: Sequence[Span]
    summed: Sequence[Span] = ()
    ledger_mark: int | None = None

    @classmethod
    def of(
        cls, whole: Span, unsummed: Sequence[Span], ledger_mark: int | None, most: int = MOST_SPANS
    ) -> "UsageSpans":
        """For what has no sums yet, in its order: spans that lie next to each other are put together to a few."""
        counted = list(unsummed)
        while len(counted) > most:
            gaps = [later.start - earlier.end for earlier, later in pairwise(counted)]
            place = gaps.index(min(gaps))
            counted[place : place + 2] = [Span(counted[place].start, counted[place + 1].end)]
        borders = [whole.start, *(border for span in counted for border in (span.start, span.end)), whole.end]
        between = (Span(*pair) for pair in zip(borders[::2], borders[1::2], strict=True))
        return cls(counted, tuple(span for span in between if span.start < span.end), ledger_mark)
