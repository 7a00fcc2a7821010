"""Messages for unknown fields, with the nearest known one."""

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails

_ALIKE = 0.5
_OBJECTS = frozenset({"model_type", "model_attributes_type", "dict_type"})


def said_of(model: type[BaseModel], item: ErrorDetails) -> str:
    """Describe a validation error in words of JSON; for an unknown name with the nearest known one."""
    if item["type"] in _OBJECTS:
        return "Input should be an object"
    if item["type"] != "extra_forbidden":
        return item["msg"]
    return unknown(str(item["loc"][-1]), fields_at(model, item["loc"][:-1]), "field")


def unknown(name: str, names: Sequence[str], what: str) -> str:
    """Name an unknown field or parameter, those that exist, and the nearest of them."""
    near = get_close_matches(name.lower(), names, n=1, cutoff=_ALIKE)
    hint = f" Did you mean {near[0]}?" if near else ""
    return f"There is no such {what}; there {_are(names)}.{hint}"


def _are(names: Sequence[str]) -> str:
    return f"are {', '.join(names)}" if names else "is none"


def fields_at(model: type[BaseModel], loc: Sequence[int | str]) -> tuple[str, ...]:
    """The names that an object may have that stands there."""
    for part in loc:
        field = next((field for name, field in model.model_fields.items() if part in {name, field.alias}), None)
        if field is not None:
            model = next(_models(field.annotation), model)
    return tuple(field.alias or name for name, field in model.model_fields.items())


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)
