"""A filter of tasks out of a query, where parameters may be repeated, and each name of metadata has its own."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from pydantic.json_schema import model_json_schema
from starlette.datastructures import QueryParams

from genpulse.api.requests.query_parameters import refuse_doubled
from genpulse.api.schemas.tasks.filter import MOST_NAMES, TaskFilterDocument, TaskListDocument

METADATA = "metadata."
_BY_NAME = f"{METADATA}<name>"
REPEATED = frozenset({"status", "kind", "provider", "model", "key", "ids", "text", "code"})
_NAMES = tuple(
    _BY_NAME if name == "metadata" else name for name in (*TaskFilterDocument.model_fields, "limit", "cursor")
)
_REFERENCE = "#/components/schemas/{model}"


def read(parameters: QueryParams) -> TaskListDocument:
    """What a query asks for. Raises `RequestValidationError`."""
    refuse_doubled(parameters, lambda name: name in REPEATED or name.startswith(METADATA))
    try:
        return TaskListDocument.model_validate(_document(parameters))
    except ValidationError as error:
        found = error.errors(include_url=False)
        raise RequestValidationError([{**item, **_place(item["loc"])} for item in found]) from error


def _document(parameters: QueryParams) -> Mapping[str, object]:
    """Raises `RequestValidationError` for a name or value of metadata that no task can have."""
    repeated: dict[str, list[str]] = defaultdict(list)
    metadata: dict[str, list[str]] = defaultdict(list)
    single: dict[str, object] = {}
    for name, value in parameters.multi_items():
        if name.startswith(METADATA):
            _refuse_unstorable(name, value)
            metadata[name.removeprefix(METADATA)].append(value)
        elif name in REPEATED:
            repeated[name] += value.split(",") if name == "ids" else [value]
        else:
            single[f"{name} " if name == "metadata" else name] = value
    return {**single, **repeated, **({"metadata": metadata} if metadata else {})}


def _refuse_unstorable(name: str, value: str) -> None:
    if "\0" in name + value:
        said = "Input should hold no U+0000, which no metadata can have"
        raise RequestValidationError([{"type": "unstorable", "loc": ("query", name), "msg": said}])


def _place(loc: tuple[int | str, ...]) -> Mapping[str, object]:
    """The parameter that is meant, and the names that there are."""
    name = f"{METADATA}{loc[1]}" if loc[0] == "metadata" and len(loc) > 1 else str(loc[0]).removesuffix(" ")
    return {"loc": ("query", name), "ctx": {"known": _NAMES}}


def described() -> list[dict[str, Any]]:
    """The parameters, for the OpenAPI document."""
    schema = model_json_schema(TaskListDocument, ref_template=_REFERENCE)
    return [_metadata_described(), *_others_described(schema["properties"])]


def _others_described(properties: Mapping[str, dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for name, schema in properties.items():
        if name == "metadata":
            continue
        words = {word: schema.pop(word) for word in ("description",) if word in schema}
        schema.pop("title", None)
        if name in REPEATED:
            (schema,) = (kind for kind in schema["anyOf"] if kind.get("type") == "array")
        schema["anyOf"] = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
        if schema.get("default") is None:
            schema.pop("default", None)
        if not schema["anyOf"]:
            schema.pop("anyOf")
        yield {"name": name, "in": "query", "required": False, **words, "schema": schema}


def _metadata_described() -> dict[str, Any]:
    return {
        "name": "metadata",
        "in": "query",
        "required": False,
        "style": "form",
        "explode": True,
        "description": (
            "Only tasks that have this value under this name of their `metadata`: a parameter"
            " `metadata.<name>` for each name"
        ),
        "example": {"metadata.customer": "acme"},
        "schema": {
            "type": "object",
            "propertyNames": {"pattern": r"^metadata\.[ -~]{1,64}$"},
            "additionalProperties": {"type": "string", "maxLength": 512, "pattern": r"^[^\u0000]*$"},
            "maxProperties": MOST_NAMES,
        },
    }
