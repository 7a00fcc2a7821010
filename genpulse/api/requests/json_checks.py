"""Checks of JSON bodies for values that cannot be stored."""

import re
from collections.abc import Iterator
from itertools import islice
from math import isfinite

from genpulse.domain.errors import BadInput, Problem
from genpulse.domain.json.place import values, written
from genpulse.domain.json.value import JsonValue

KEY_LENGTH = 256
"""How many characters a key of an object may have."""
VALUES = 10_000
"""How many values one body may hold, whole and inner ones."""
BATCH_VALUES = 100_000
"""The same for a body of many tasks."""
SHOWN_AT_MOST = 100
"""So many places are named in one problem document, however many there are."""
_SURROGATE = re.compile("[\ud800-\udfff]")


def check(document: JsonValue, most_values: int) -> int:
    """Count the keys of all objects. Raises `BadInput` with the places of values that cannot be stored."""
    keys = _Keys()
    if problems := tuple(islice(_unfit_places(document, most_values, keys), SHOWN_AT_MOST)):
        raise BadInput("The body holds values that cannot be kept.", problems)
    return keys.count


class _Keys:
    """Counts them on the way."""

    count = 0


def _unfit_places(document: JsonValue, most_values: int, keys: _Keys) -> Iterator[Problem]:
    """Places with values that JSON can write down and that cannot be kept here.

    It looks at no more than `most_values` values, and a place is written down only where something is wrong.
    """
    for count, (place, value) in enumerate(values(document)):
        if count >= most_values:
            yield Problem(written(place), f"the body holds more than {most_values:,} values up to here")
            return
        if isinstance(value, dict):
            keys.count += len(value)
            yield from (Problem(written(place), f"a key {what}") for key in value if (what := _unfit_key(key)))
        elif isinstance(value, str) and (what := _unfit(value)):
            yield Problem(written(place), f"the text {what}")
        elif isinstance(value, float) and not isfinite(value):
            yield Problem(written(place), "the number is too large")


def _unfit_key(key: str) -> str:
    if len(key) > KEY_LENGTH:
        return f"has {len(key):,} characters, and {KEY_LENGTH} are allowed"
    return _unfit(key)


def _unfit(text: str) -> str:
    """Why a text cannot be stored; empty when it can."""
    if "\0" in text:
        return "holds the character U+0000, which cannot be kept"
    if half := _SURROGATE.search(text):
        return f"holds U+{ord(half[0]):04X}, half of a surrogate pair: send both halves, or the character in UTF-8"
    return ""
