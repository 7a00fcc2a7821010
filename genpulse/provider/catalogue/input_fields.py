"""The input of a model, made of the fields that a file declares."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, TypeAdapter, ValidationError, create_model

from genpulse.provider.catalogue.documents import FieldDocument
from genpulse.provider.inputs.asset_ref import AssetRef, AudioRef, ImageRef, VideoRef

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_TYPES: Mapping[str, Any] = {
    "string": str,
    "integer": int,
    "number": float,
    "boolean": bool,
    "image": ImageRef,
    "video": VideoRef,
    "audio": AudioRef,
    "file": AssetRef,
}
_NUMBERS = frozenset({"integer", "number"})


def input_of(name: str, fields: Mapping[str, FieldDocument], base: type[BaseModel]) -> type[BaseModel]:
    """A model of pydantic with these fields, below `base`. Raises `ValueError` for what contradicts itself."""
    definitions: dict[str, Any] = {}
    for field_name, declared in fields.items():
        try:
            definitions[field_name] = _field(field_name, declared, base)
        except ValueError as error:
            raise ValueError(f"{field_name}: {error}") from error
    return create_model(name, __base__=base, **definitions)


def _field(name: str, declared: FieldDocument, base: type[BaseModel]) -> tuple[Any, Any]:
    if not _NAME.fullmatch(name) or hasattr(base, name) or name.startswith("model_"):
        raise ValueError(
            "it cannot be the name of a field: letters, digits and _ can, and it must be none that every model has"
        )
    _check(declared)
    kind = _kind(declared)
    title = declared.title or name.replace("_", " ").capitalize()
    details: dict[str, Any] = {"title": title, "description": declared.description or None}
    if declared.examples:
        details["examples"] = declared.examples
    if declared.required:
        return kind, Field(**details)
    if declared.default is None:
        return kind | None, Field(None, **details)
    return kind, Field(_default(declared, kind), **details)


def _kind(declared: FieldDocument) -> Any:
    if declared.choices is not None:
        kind: Any = Literal[tuple(declared.choices)]
    else:
        bounds = {"ge": declared.min, "le": declared.max}
        lengths = {"min_length": declared.min_length, "max_length": declared.max_length}
        limits: dict[str, Any] = bounds if declared.type in _NUMBERS else lengths
        limits = {word: _plain(limit, declared) for word, limit in limits.items() if limit is not None}
        if declared.type == "number":
            limits["allow_inf_nan"] = False
        kind = _TYPES[declared.type]
        kind = Annotated[kind, Field(**limits)] if limits else kind
    return Annotated[list[kind], Field(max_length=declared.max_items)] if declared.max_items else kind


def _plain(limit: Any, declared: FieldDocument) -> int | float:
    """JSON Schema has numbers of JSON."""
    return float(limit) if declared.type == "number" and limit % 1 else int(limit)


def _check(declared: FieldDocument) -> None:
    if (declared.min is not None or declared.max is not None) and declared.type not in _NUMBERS:
        raise ValueError(f"min and max are for integer and number, and it is of type {declared.type}")
    if (declared.min_length is not None or declared.max_length is not None) and declared.type != "string":
        raise ValueError(f"min_length and max_length are for string, and it is of type {declared.type}")
    if declared.choices is not None and declared.type not in {"string", "integer"}:
        raise ValueError(f"choices are for string and integer, and it is of type {declared.type}")
    wanted = str if declared.type == "string" else int
    if any(type(choice) is not wanted for choice in declared.choices or ()):
        raise ValueError(f"the choices have to be of type {declared.type}")
    for low, high in ((declared.min, declared.max), (declared.min_length, declared.max_length)):
        if low is not None and high is not None and low > high:
            raise ValueError(f"its lowest value is {low}, and its highest is {high}")
    if declared.required and declared.default is not None:
        raise ValueError("a field that is required has no default")


def _default(declared: FieldDocument, kind: Any) -> Any:
    try:
        return TypeAdapter(kind).validate_python(declared.default)
    except ValidationError as error:
        said = error.errors(include_url=False)[0]["msg"]
        raise ValueError(f"the default {declared.default!r} does not fit: {said}") from error
