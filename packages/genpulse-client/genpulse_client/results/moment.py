"""Times as the API writes them."""

import re
from datetime import date, datetime, timezone
from typing import Any

_FRACTION = re.compile(r"\.(\d+)")


def moment_of(text: Any) -> datetime | None:
    """A time from RFC 3339; None for nothing. Raises `ValueError`.

    Python 3.10 reads neither `Z` nor a fraction of other than 3 or 6 digits.
    """
    if text is None:
        return None
    whole = re.sub(r"[Zz]$", "+00:00", str(text))
    return datetime.fromisoformat(_FRACTION.sub(lambda match: f".{match[1][:6]:0<6}", whole, count=1))


def moment_text(moment: datetime | date | str) -> str:
    """How the API takes a time. One without a zone is in the zone of this machine; a date and a text stay."""
    if isinstance(moment, datetime):
        return moment.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")
    return moment.isoformat() if isinstance(moment, date) else moment
