"""Page cursors: opaque, bound to the list they came from, and refused when anything was changed."""

import base64
import binascii
import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from uuid import UUID

from pydantic_core import to_json

from genpulse.domain.errors import InvalidCursor
from genpulse.domain.search.task_query import TaskFilter, TaskQuery

_DIGEST_BYTES = 8
_FORM = b"genpulse cursor 1"
_BEFORE = frozenset({"statuses", "kinds", "providers", "owners", "codes", "id_range"})
"""What versions before knew, of which each had one value."""


def encode(last: UUID, query: TaskQuery) -> str:
    """A cursor for what comes after the task `last` in this list."""
    return encode_bound(last, _words(query.filter))


def decode(cursor: str, query: TaskQuery) -> UUID:
    """The task after which the page begins. Raises `InvalidCursor`."""
    return decode_bound(cursor, _words(query.filter))


def encode_bound(last: UUID, words: Sequence[str]) -> str:
    """A cursor for what comes after `last` in the list that these words tell from every other."""
    return base64.urlsafe_b64encode(last.bytes + _digest(last, words)).rstrip(b"=").decode()


def decode_bound(cursor: str, words: Sequence[str]) -> UUID:
    """The id after which the page begins. Raises `InvalidCursor`."""
    try:
        raw = base64.b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise InvalidCursor from None
    if len(raw) != 16 + _DIGEST_BYTES:
        raise InvalidCursor
    last = UUID(bytes=raw[:16])
    if encode_bound(last, words) != cursor:
        raise InvalidCursor
    return last


def _digest(last: UUID, words: Sequence[str]) -> bytes:
    content = b"\0".join([_FORM, last.bytes, *(word.encode() for word in words)])
    return hashlib.sha256(content).digest()[:_DIGEST_BYTES]


def _words(task_filter: TaskFilter) -> list[str]:
    """What tells this filter from every other. Where nothing is repeated they are those of versions before."""
    fields = (
        task_filter.statuses,
        task_filter.kinds,
        task_filter.providers,
        task_filter.owners,
        task_filter.codes,
    )
    single = ["".join(field) if len(field) <= 1 else "" for field in fields]
    ids = [str(each) for each in task_filter.id_range or ()]
    others = {name: value for name, value in asdict(task_filter).items() if value and name not in _BEFORE}
    repeated = [field if len(field) > 1 else () for field in fields]
    more = to_json([others, repeated]).decode() if others or any(repeated) else ""
    return [*single, *ids, *([more] if more else [])]
