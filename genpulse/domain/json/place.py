"""Places in a JSON document, which cost nothing before one of them is written down."""

from collections.abc import Iterator
from typing import TypeAlias

from genpulse.domain.json.value import JsonValue
from genpulse.domain.text.storable import storable_line

_LENGTH = 200
Place: TypeAlias = "tuple[Place, str | int] | None"
"""Where a value is: the place of what holds it, and its key or index there; None is the whole."""


def values(document: JsonValue) -> Iterator[tuple[Place, JsonValue]]:
    """Every value and where it is, depth first; nothing is made before it is asked for."""
    yield None, document
    stack: list[tuple[Place, Iterator[tuple[str | int, JsonValue]]]] = [(None, _inner(document))]
    while stack:
        within, rest = stack[-1]
        item = next(rest, None)
        if item is None:
            stack.pop()
            continue
        key, value = item
        place: Place = (within, key)
        yield place, value
        if isinstance(value, dict | list):
            stack.append((place, _inner(value)))


def _inner(value: JsonValue) -> "Iterator[tuple[str | int, JsonValue]]":
    if isinstance(value, dict):
        return iter(value.items())
    return iter(enumerate(value)) if isinstance(value, list) else iter(())


def field_of(place: Place) -> str | int | None:
    """The field of the whole document in which a place lies; None for the whole."""
    field = None
    while place is not None:
        place, field = place
    return field


def written(place: Place) -> str:
    """A JSON Pointer (RFC 6901), cut to 200 characters."""
    parts: list[str] = []
    while place is not None:
        place, part = place
        parts.append(f"/{_escaped(storable_line(str(part), _LENGTH))}")
    return storable_line("".join(reversed(parts)), _LENGTH)


def _escaped(part: str) -> str:
    return part.replace("~", "~0").replace("/", "~1")
