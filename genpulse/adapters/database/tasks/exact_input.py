"""Inputs whose numbers `jsonb` would give back as others.

PostgreSQL keeps numbers of `jsonb` as `numeric`, which knows no exponent and no negative zero ("JSON Types"):
`1e22` comes back as an integer of 23 digits, `-0.0` as `0.0`. Such an input is kept as text, too.
"""

import re

from pydantic_core import from_json, to_json

from genpulse.domain.json.value import JsonObject

_CHANGED = re.compile(rb"[:,\[](?:-0\.0|-?[0-9.]+e\+[0-9]+)[,\]}]")
"""A number that changes, as `to_json` writes it. It may stand in a text, too: then the input is kept twice."""


def columns_of(value: JsonObject) -> tuple[str, str | None]:
    """The input as JSON, and once more where `jsonb` would change it."""
    encoded = to_json(value)
    text = encoded.decode()
    may_change = b"e+" in encoded or b"-0.0" in encoded
    return text, text if may_change and _CHANGED.search(encoded) else None


def input_of(document: JsonObject, exact: str | None) -> JsonObject:
    """The input as it was sent, out of its two columns."""
    if exact is None:
        return document
    value: JsonObject = from_json(exact)
    return value
