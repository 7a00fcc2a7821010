"""Moments, as callers write them."""

import re
from datetime import UTC, datetime

from pydantic_core import PydanticCustomError

_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d:)(\d\d)(\.\d+)?(Z|[+ -]\d\d:\d\d))?", re.ASCII)


def moment_of(text: object) -> datetime:
    """A date, or a time with its offset, in UTC. A `+` that was not written as `%2B` is a space by now."""
    match = _MOMENT.fullmatch(text.upper()) if isinstance(text, str) else None
    try:
        return _utc(match) if match else _no_moment()
    except ValueError:
        return _no_moment()


def _utc(match: "re.Match[str]") -> datetime:
    """A leap second is the last moment before it: no clock here knows one."""
    date, minute, second, part, offset = match.groups()
    if minute is None:
        return datetime.fromisoformat(date).replace(tzinfo=UTC)
    whole = f"{minute}59.999999" if second == "60" else f"{minute}{second}{(part or '')[:7]}"
    moment = datetime.fromisoformat(f"{date}T{whole}{offset.replace(' ', '+')}")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC) if moment.year > 1 else datetime.min.replace(tzinfo=UTC)


def _no_moment() -> datetime:
    raise PydanticCustomError(
        "moment", "Input should be a date or a time with its offset, such as 2030-01-31 or 2030-01-31T12:00:00Z"
    )


def time_of(text: object) -> datetime:
    """A time with its offset, in UTC; a date alone is none."""
    if not isinstance(text, str) or len(text) <= len("2030-01-31"):
        raise PydanticCustomError("time", "Input should be a time with its offset, such as 2030-01-31T12:00:00Z")
    return moment_of(text)
