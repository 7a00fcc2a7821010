"""The files of a result, wherever they stand in it."""

import re
from collections.abc import Iterator

from genpulse.domain.json.value import JsonValue

PLACES = frozenset({"audio", "audios", "file", "files", "image", "images", "url", "urls", "video", "videos"})
"""Names under which vendors put files: an empty one says that none was made."""
_DATA = re.compile(
    r"\s*data:([;,]|(application|audio|image|model|text|video)/|[a-z][\w.+-]*/[\w.+-]+\s*[;,])", re.IGNORECASE
)
"""How a file begins that stands in the result itself. Words may begin with `Data: ` as well."""


class Gap:
    """A place among files that holds none. Each is one of its own."""


def files_of(result: JsonValue) -> Iterator[str | Gap]:
    """Addresses and data: URIs in their order, and the empty places beside them.

    A result may be nested more deeply than a function can call itself.
    """
    waiting: list[JsonValue | Gap] = [result]
    while waiting:
        match waiting.pop():
            case Gap() as gap:
                yield gap
            case str() as text if _is_file(text):
                yield text.strip()
            case dict() as entries:
                waiting += reversed(entries.values())
            case list() as items:
                waiting += reversed(_with_gaps(items))


def is_empty(result: JsonValue) -> bool:
    """Whether nothing is in it: no number, no truth value, no text but spaces."""
    waiting = [result]
    while waiting:
        match waiting.pop():
            case None:
                continue
            case str() as text if not text.strip():
                continue
            case dict() as entries:
                waiting += entries.values()
            case list() as items:
                waiting += items
            case _:
                return False
    return True


def _is_file(text: str) -> bool:
    """A URL has no spaces in it: a prompt that is repeated, and begins with one, is none."""
    if _DATA.match(text):
        return True
    return text.strip()[:8].lower().startswith(("https://", "http://")) and len(text.split(maxsplit=1)) == 1


def _with_gaps(items: list[JsonValue]) -> list[JsonValue | Gap]:
    """The items; those that are empty are marked where one beside them names a file."""
    if not any(_names_file(item) for item in items):
        return [*items]
    return [Gap() if _is_gap(item) else item for item in items]


def _names_file(item: JsonValue) -> bool:
    values = item.values() if isinstance(item, dict) else (item,)
    return any(isinstance(value, str) and _is_file(value) for value in values)


def _is_gap(item: JsonValue) -> bool:
    if isinstance(item, dict):
        return not _names_file(item) and any(is_empty(item[name]) for name in PLACES & item.keys())
    return is_empty(item)
