"""A tolerant parser of HTTP/1 response heads."""

import math
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST_LINE = 16 * 1024
"""Bytes of one line."""

LONGEST_HEAD = 64 * 1024
"""Bytes until the status line that counts, and as many of the headers after it."""

LONGEST_BEGINNING = 2049
"""Bytes that are remembered as they came."""

_STATUS = re.compile(rb"HTTP/[0-9](?:\.[0-9])? ([1-9][0-9]{2})(?: (.*))?", re.DOTALL)
_NO_BODY = frozenset({204, 304})
_DELTA = re.compile(r"[0-9]{1,20}(?:\.[0-9]{0,20})?")


class NoAnswer(ValueError):
    """The response is not HTTP/1."""


class Head:
    """The beginning of an answer; feed it until it is `complete`.

    The status line decides, and is known as soon as it has come whole. What follows is read for two headers and
    never found wrong: a line that cannot be read ends the head.
    """

    def __init__(self) -> None:
        self.status: int | None = None
        self.reason = ""
        self.retry_after_s: float | None = None
        self.complete = False
        self._length: int | None = None
        self._informational = False
        self._line = bytearray()
        self._head_bytes = 0
        self._body = 0
        self.beginning = b""

    def feed(self, data: bytes) -> None:
        """The next bytes. Raises `NoAnswer`; not any more once `status` is known."""
        self.beginning += data[: LONGEST_BEGINNING - len(self.beginning)]
        at = 0
        while not self.complete and at < len(data):
            end = data.find(b"\n", at)
            upto = len(data) if end < 0 else end + 1
            self._line += data[at:upto]
            self._head_bytes += upto - at
            at = upto
            if len(self._line) > LONGEST_LINE or self._head_bytes > LONGEST_HEAD:
                self._too_much()
            elif end >= 0:
                line = bytes(self._line).rstrip(b"\r\n")
                self._line.clear()
                self._read(line)
        self._body += len(data) - at

    @property
    def has_ended(self) -> bool:
        """Whether the body is complete, where its length was announced."""
        if not self.complete or self.status in _NO_BODY:
            return self.complete
        return self._length is not None and self._body >= self._length

    @property
    def body_bytes(self) -> int:
        """Bytes of the body that were received."""
        return self._body

    def _too_much(self) -> None:
        if self.status is None:
            raise NoAnswer(f"no status line within {LONGEST_HEAD:,} bytes, and {LONGEST_LINE:,} of one line")
        self.complete = True

    def _read(self, line: bytes) -> None:
        if self._informational:
            self._informational = bool(line)
        elif self.status is None:
            self._read_status(line)
        elif not line:
            self.complete = True
        else:
            name, _, value = line.partition(b":")
            self._read_header(name.strip().lower(), value.decode("latin-1").strip())

    def _read_status(self, line: bytes) -> None:
        match = _STATUS.fullmatch(line)
        if match is None:
            raise NoAnswer(f"the answer begins with {line[:80]!r}, which is no status line of HTTP/1")
        status = int(match[1])
        if status < 200 and status != 101:
            self._informational = True
            return
        self.status = status
        self.reason = (match[2] or b"").decode("utf-8", "replace").strip()
        self._head_bytes = 0

    def _read_header(self, name: bytes, value: str) -> None:
        if name == b"retry-after":
            self.retry_after_s = retry_after_s(value)
        elif name == b"content-length" and value.isascii() and value.isdigit() and len(value) < 20:
            self._length = int(value)


def retry_after_s(header: str) -> float | None:
    """Seconds of a Retry-After, which is a number or a date, 0 or more; None when it makes no sense."""
    if _DELTA.fullmatch(header):
        return float(header)
    try:
        wait_s = (_aware(parsedate_to_datetime(header)) - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return max(wait_s, 0.0) if math.isfinite(wait_s) else None


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
