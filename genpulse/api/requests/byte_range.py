"""The Range header (RFC 9110, section 14)."""

import re
from dataclasses import dataclass

from genpulse.api.errors import RangeNotSatisfiable

_SINGLE = re.compile(r"bytes=\s*(\d{0,18})-(\d{0,18})\s*")


@dataclass(frozen=True, slots=True)
class ByteRange:
    """From `start` up to but not including `end`, in bytes."""

    start: int
    end: int


def parse(header: str | None, size: int) -> ByteRange | None:
    """The range that a Range header asks for, or None when the whole content is to be sent.

    Several ranges, and headers that nobody understands, ask for the whole. Raises `RangeNotSatisfiable`.
    """
    match = _SINGLE.fullmatch(header) if header else None
    if match is None:
        return None
    first, last = match.groups()
    if not first:
        return _suffix(int(last), size) if last else None
    start = int(first)
    end = int(last) + 1 if last else size
    if end <= start and last:
        return None
    if start >= size:
        raise RangeNotSatisfiable(size)
    return ByteRange(start, min(end, size))


def _suffix(length: int, size: int) -> ByteRange:
    if length == 0 or size == 0:
        raise RangeNotSatisfiable(size)
    return ByteRange(max(size - length, 0), size)


def etag_matches(header: str | None, etag: str) -> bool:
    """Whether one of the entity tags of an If-None-Match header is this one."""
    if header is None:
        return False
    tags = {tag.strip().removeprefix("W/") for tag in header.split(",")}
    return "*" in tags or etag in tags
