"""Page cursors: opaque, bound to the list they came from, and refused when anything was changed."""

import base64
import binascii
import hashlib
from uuid import UUID

from genpulse.domain.errors import InvalidCursor
from genpulse.domain.task import TaskQuery

_DIGEST_BYTES = 8
_FORM = b"genpulse cursor 1"


def encode(last: UUID, query: TaskQuery) -> str:
    """A cursor for what comes after the task `last` in this list."""
    return base64.urlsafe_b64encode(last.bytes + _digest(last, query)).rstrip(b"=").decode()


def decode(cursor: str, query: TaskQuery) -> UUID:
    """The task after which the page begins. Raises `InvalidCursor`."""
    try:
        raw = base64.b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise InvalidCursor from None
    if len(raw) != 16 + _DIGEST_BYTES:
        raise InvalidCursor
    last = UUID(bytes=raw[:16])
    if encode(last, query) != cursor:
        raise InvalidCursor
    return last


def _digest(last: UUID, query: TaskQuery) -> bytes:
    filters = (query.status or "", query.kind or "", query.provider or "", query.owner or "", query.code or "")
    ids = map(str, query.ids or ())
    content = b"\0".join([_FORM, last.bytes, *(word.encode() for word in (*filters, *ids))])
    return hashlib.sha256(content).digest()[:_DIGEST_BYTES]
