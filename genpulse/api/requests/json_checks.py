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
_UNFIT = re.compile("[\0\ud800-\udfff]")


def check(document: JsonValue, most_values: int) -> int:
    """Count the keys of all objects. Raises `BadInput` with the places of values that cannot be stored."""
    fit_keys = _keys_if_fit(document, most_values)
    if fit_keys is not None:
        return fit_keys
    problems = tuple(islice(_unfit_places(document, most_values), SHOWN_AT_MOST))
    raise BadInput("The body holds values that cannot be kept.", problems)


def _keys_if_fit(document: JsonValue, most_values: int) -> int | None:
    """How many keys all objects have; None where there is something that cannot be kept.

    Where it is stands in `_unfit_places`: to keep account of that takes four times as long. It looks at no more
    than `most_values` values.
    """
    count, keys = 1, 0
    waiting = [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            if _UNFIT.search(value):
                return None
        elif isinstance(value, dict | list):
            count += len(value)
            if count > most_values:
                return None
            if isinstance(value, list):
                waiting += value
                continue
            keys += len(value)
            if any(len(key) > KEY_LENGTH or _UNFIT.search(key) for key in value):
                return None
            waiting += value.values()
        elif isinstance(value, float) and not isfinite(value):
            return None
    return keys


def _unfit_places(document: JsonValue, most_values: int) -> Iterator[Problem]:
    """Places with values that JSON can write down and that cannot be kept here.

    It looks at no more than `most_values` values, and a place is written down only where something is wrong.
    """
    for count, (place, value) in enumerate(values(document)):
        if count >= most_values:
            yield Problem(written(place), f"the body holds more than {most_values:,} values up to here")
            return
        if isinstance(value, dict):
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
