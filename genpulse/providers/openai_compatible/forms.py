"""Fields of a form. What is no text travels as JSON, as a server reads it that knows no Python."""

import json
from collections.abc import Mapping

from genpulse.domain.json.value import JsonValue
from genpulse.provider.http import Part


def fields_of(values: Mapping[str, JsonValue]) -> tuple[Part, ...]:
    """A field for each value: a text as it is, all else as JSON (`true`, `3.5`, `[1]`); null is left out."""
    return tuple(Part(name, _text(value)) for name, value in values.items() if value is not None)


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
