"""The OpenAPI schema of a version, made of what the model's input is."""

from typing import Any
from weakref import WeakKeyDictionary

from pydantic import BaseModel

from genpulse.dialects.replicate.predictions.outputs import takes_count
from genpulse.provider import AnyModel
from genpulse.provider.inputs.asset_ref import FORMAT

COG_VERSION = "0.16.0"
"""Clients read by it which form the schema has: this one knows lists from iterators."""
_REFERENCE = "#/components/schemas/{model}"
_ADDRESS = {"type": "string", "format": "uri"}
_made: WeakKeyDictionary[type[BaseModel], dict[str, Any]] = WeakKeyDictionary()
"""The schemas that were made, by the class of the input."""


def openapi_of(model: AnyModel) -> dict[str, Any]:
    """The schema that clients read: `Input`, `Output`, and what these refer to."""
    document = _made.get(model.input)
    if document is None:
        document = _made[model.input] = _openapi(model.input)
    return document


def _openapi(input_type: type[BaseModel]) -> dict[str, Any]:
    found = input_type.model_json_schema(ref_template=_REFERENCE)
    parts = {name: _as_theirs(part) for name, part in found.pop("$defs", {}).items()}
    input_schema = {**_as_theirs(found), "title": "Input"}
    for order, name in enumerate(input_schema.get("properties", {})):
        input_schema["properties"][name].setdefault("x-order", order)
    schemas = {**parts, "Input": input_schema, "Output": {**_output(input_type), "title": "Output"}}
    return {
        "openapi": "3.0.2",
        "info": {"title": "Cog", "version": "0.1.0"},
        "paths": {},
        "components": {"schemas": schemas},
    }


def _output(input_type: type[BaseModel]) -> dict[str, Any]:
    """What it makes; of a model whose input only its vendor knows, nobody can say."""
    if input_type.model_config.get("extra") == "allow":
        return {}
    return {"type": "array", "items": _ADDRESS} if takes_count(input_type) else _ADDRESS


def _as_theirs(schema: Any) -> Any:
    """A field that takes a file is an address in theirs."""
    match schema:
        case dict():
            return {
                name: "uri" if name == "format" and value == FORMAT else _as_theirs(value)
                for name, value in schema.items()
                if name != "x-media"
            }
        case list():
            return [_as_theirs(item) for item in schema]
        case _:
            return schema


def searched_text(name: str, model: AnyModel) -> str:
    """All words of a model that a search looks at, in small letters."""
    return " ".join([name, model.title, model.description, *model.kinds, *model.facts.outputs]).lower()
