"""Values as the schema of a model has them, where a client sends texts in place of numbers."""

from collections.abc import Iterator, Mapping
from functools import lru_cache

from pydantic import BaseModel

from genpulse.domain.json.value import JsonObject, JsonValue

_TRUE, _FALSE = frozenset({"true", "1"}), frozenset({"false", "0"})


def in_types_of(input_: type[BaseModel], values: Mapping[str, JsonValue]) -> JsonObject:
    """Texts become numbers or truth values where the input takes these and no text; all else stays as it is."""
    types = types_of(input_)
    return {name: _converted(value, types.get(name, frozenset())) for name, value in values.items()}


@lru_cache(maxsize=1024)
def types_of(input_: type[BaseModel]) -> Mapping[str, frozenset[str]]:
    """The JSON types that each field takes."""
    schema = input_.model_json_schema()
    return {name: frozenset(_types(field)) for name, field in schema.get("properties", {}).items()}


def _types(schema: Mapping[str, object]) -> Iterator[str]:
    kind = schema.get("type")
    if isinstance(kind, str):
        yield kind
    for choice in (one for word in ("anyOf", "oneOf", "allOf") for one in _listed(schema.get(word))):
        yield from _types(choice)


def _listed(value: object) -> Iterator[Mapping[str, object]]:
    for one in value if isinstance(value, list) else ():
        if isinstance(one, dict):
            yield one


def _converted(value: JsonValue, types: frozenset[str]) -> JsonValue:
    if not isinstance(value, str) or "string" in types:
        return value
    if types & {"integer", "number"}:
        return _number(value, whole="number" not in types)
    if "boolean" in types and value.lower() in _TRUE | _FALSE:
        return value.lower() in _TRUE
    return value


def _number(text: str, *, whole: bool) -> JsonValue:
    try:
        number = float(text)
    except ValueError:
        return text
    if number.is_integer() and abs(number) < 2**53:
        return int(number)
    return text if whole or number != number or abs(number) == float("inf") else number
