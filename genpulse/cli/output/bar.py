"""Bars in tables, as fine as the signs that standard output has."""

import sys
from decimal import Decimal
from fractions import Fraction

WIDTH = 20
"""Of the longest bar, in columns of the terminal."""
_EIGHTHS = "▏▎▍▌▋▊▉█"
_PLAIN = "#"


def bar(value: Decimal, most: Decimal, *, encoding: str | None = None) -> str:
    """A bar for a value of which `most` is the highest; empty for 0 and less, and never for more than that.

    It is drawn with blocks where `encoding`, by itself that of standard output, has these.
    """
    if value <= 0 or most <= 0:
        return ""
    eighths = max(round(Fraction(value) / Fraction(most) * WIDTH * 8), 1)
    if not _has_blocks(encoding or getattr(sys.stdout, "encoding", None) or "ascii"):
        return _PLAIN * max(round(eighths / 8), 1)
    whole, rest = divmod(eighths, 8)
    return _EIGHTHS[-1] * whole + (_EIGHTHS[rest - 1] if rest else "")


def _has_blocks(encoding: str) -> bool:
    try:
        _EIGHTHS.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True
