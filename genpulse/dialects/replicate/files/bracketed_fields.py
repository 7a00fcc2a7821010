"""An object out of form fields with brackets in their names, as newer clients write it: `metadata[a][b]`."""

import re
from collections.abc import Iterable

from genpulse.domain.json.value import JsonObject

DEEPEST = 16
_NAME = re.compile(r"[^\[\]]+((?:\[[^\[\]]*\])+)")
_PART = re.compile(r"\[([^\[\]]*)\]")


def is_bracketed(name: str, field: str) -> bool:
    """Whether a name is of a part of this field."""
    return name.startswith(f"{field}[") and _NAME.fullmatch(name) is not None


def object_of(fields: Iterable[tuple[str, str]]) -> JsonObject:
    """The object that these fields write: `[]` at the end of a name is one more item of a list.

    Values are texts, since a form has no others. Raises `ValueError` where two names do not go together.
    """
    whole: dict[str, object] = {}
    for name, text in fields:
        match = _NAME.fullmatch(name)
        *way, last = _PART.findall(match[1]) if match else [name]
        if len(way) >= DEEPEST:
            raise ValueError(f"{name[:40]} is nested more deeply than {DEEPEST}")
        is_item = last == "" and bool(way)
        if is_item:
            *way, last = way
        place = _inside(whole, way, name)
        if is_item:
            items = place.setdefault(last, [])
            if not isinstance(items, list):
                raise ValueError(f"{name[:40]} is a list and something else")
            items.append(text)
        elif last in place:
            raise ValueError(f"{name[:40]} is there more than once")
        else:
            place[last] = text
    return whole  # type: ignore[return-value]


def _inside(whole: dict[str, object], way: list[str], name: str) -> dict[str, object]:
    place = whole
    for part in way:
        match place.setdefault(part, {}):
            case dict() as inner:
                place = inner
            case _:
                raise ValueError(f"{name[:40]} is an object and something else")
    return place
