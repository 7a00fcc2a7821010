"""JSON Schema in words, for tables in Markdown."""

from collections.abc import Iterator, Mapping
from typing import Any

_BOUNDS = (
    ("minimum", "≥ {:,}"),
    ("exclusiveMinimum", "> {:,}"),
    ("maximum", "≤ {:,}"),
    ("exclusiveMaximum", "< {:,}"),
    ("minLength", "at least {:,} characters"),
    ("maxLength", "at most {:,} characters"),
    ("minItems", "at least {:,}"),
    ("maxItems", "at most {:,}"),
    ("maxProperties", "at most {:,} names"),
)


def type_words(schema: Mapping[str, Any]) -> str:
    """What a value has to be, on one line."""
    bounds = [words.format(schema[name]) for name, words in _BOUNDS if name in schema]
    if schema.get("minLength") == 1:
        bounds = ["not empty", *bounds[1:]]
    return _kind(schema) + (f" ({', '.join(bounds)})" if bounds else "")


def rows(schema: Mapping[str, Any]) -> Iterator[str]:
    """A table of the fields of an object: name, type, meaning. A field that has to be there is bold."""
    yield "| field | type | meaning |"
    yield "|---|---|---|"
    for name, field in schema.get("properties", {}).items():
        mark = "**" if name in schema.get("required", ()) else ""
        yield f"| {mark}`{name}`{mark} | {cell(type_words(field))} | {cell(field.get('description', ''))} |"


def cell(text: str) -> str:
    """A text as one cell of a table."""
    return " ".join(text.split()).replace("|", "\\|")


def _kind(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        return _link(schema["$ref"].rpartition("/")[2])
    if alternatives := schema.get("anyOf") or schema.get("oneOf"):
        return " or ".join(dict.fromkeys(type_words(one) for one in alternatives))
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    return _plain(schema)


def _plain(schema: Mapping[str, Any]) -> str:
    match schema.get("type"):
        case "array":
            return f"list of {type_words(schema.get('items', {}))}"
        case "object" if isinstance(values := schema.get("additionalProperties"), Mapping):
            return f"object of {type_words(values)}"
        case "string" if "format" in schema:
            return str(schema["format"])
        case list() as several:
            return " or ".join(several)
        case str() as one:
            return one
        case _:
            return "any JSON"


def _link(name: str) -> str:
    return "any JSON" if name == "JsonValue" else f"[{name}](#{name.lower()})"
