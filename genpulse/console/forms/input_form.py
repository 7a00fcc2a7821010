"""A form for the input of a model, made from its JSON Schema, and the input that comes back from it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from math import isfinite

from pydantic_core import from_json

from genpulse.console.forms.posted_form import PageForm
from genpulse.domain.errors import BadInput, Problem
from genpulse.domain.json.value import JsonObject, JsonValue
from genpulse.provider.inputs.asset_ref import FORMAT

PREFIX = "input."
WHOLE = "input"
"""The field in which the whole input stands as JSON, where a form cannot say it."""
_LONG = frozenset({"prompt", "negative_prompt", "text", "lyrics", "description", "instructions"})
_LONG_TEXT = 200


class FieldForm(StrEnum):
    """How a field is filled in."""

    LINE = "line"
    TEXT = "text"
    NUMBER = "number"
    INTEGER = "integer"
    CHOICE = "choice"
    FLAG = "flag"
    JSON = "json"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class InputField:
    """A field of the form. `text` is what stands in it, `default` what the model takes when it is left empty."""

    name: str
    title: str
    form: FieldForm
    description: str
    required: bool = False
    text: str = ""
    default: str = ""
    choices: tuple[str, ...] = ()
    minimum: str = ""
    maximum: str = ""
    media: tuple[str, ...] = ()
    """What a file may be: image, video or audio."""
    complaint: str = ""
    """Why what was typed does not fit."""


def fields_of(
    schema: Mapping[str, JsonValue],
    document: JsonObject,
    typed: Mapping[str, str] | None = None,
    problems: Sequence[Problem] = (),
) -> tuple[InputField, ...]:
    """The fields with what the input says, or with what was typed and what is wrong with it.

    Those that have to be filled in come first.
    """
    properties, needed = _object(schema.get("properties")), schema.get("required")
    wrong = {problem.pointer.strip("/").partition("/")[0]: problem.detail for problem in problems}
    fields = []
    for name, definition in properties.items():
        field = _field(name, _resolved(schema, _object(definition)), document.get(name))
        if typed is not None:
            field = replace(field, text=typed.get(name, "false" if field.form is FieldForm.FLAG else ""))
        is_needed = isinstance(needed, list) and name in needed
        fields.append(replace(field, required=is_needed, complaint=wrong.get(name, "")))
    return tuple(sorted(fields, key=lambda one: not one.required))


def says_all(schema: Mapping[str, JsonValue], document: JsonObject) -> bool:
    """Whether a form of the schema's fields can say this input."""
    properties = _object(schema.get("properties"))
    return bool(properties) and all(name in properties for name in document)


def document_of(schema: Mapping[str, JsonValue], form: PageForm) -> JsonObject:
    """The input as it was filled in; empty fields are left out. Raises `BadInput` where it is no JSON."""
    whole = form.get(WHOLE)
    if form.has(WHOLE):
        document = _json(whole, "")
        if not isinstance(document, dict):
            raise BadInput("The input is no JSON object.", [Problem("", "It has to be an object: { … }")])
        return document
    document = {}
    for one in fields_of(schema, {}):
        typed = form.get(f"{PREFIX}{one.name}")
        if one.form is FieldForm.FLAG:
            typed = typed or "false"
        if typed.strip():
            document[one.name] = _value(one, typed)
    return {name: value for name, value in document.items() if not _is_default(schema, name, value)}


def _is_default(schema: Mapping[str, JsonValue], name: str, value: JsonValue) -> bool:
    """Whether the model takes just that when the field is left out."""
    definition = _object(_object(schema.get("properties")).get(name))
    return (
        "default" in definition and definition["default"] == value and type(definition["default"]) is type(value)
    )


def _value(one: InputField, typed: str) -> JsonValue:
    pointer = f"/{one.name}"
    match one.form:
        case FieldForm.NUMBER | FieldForm.INTEGER:
            return _number(typed.strip(), pointer, whole=one.form is FieldForm.INTEGER)
        case FieldForm.FLAG:
            return typed == "true"
        case FieldForm.JSON | FieldForm.CHOICE:
            return _json(typed, pointer)
        case _:
            return typed.replace("\r\n", "\n")


def _number(typed: str, pointer: str, *, whole: bool) -> JsonValue:
    expected = "a whole number" if whole else "a number"
    unfit = BadInput("The input does not fit.", [Problem(pointer, f"It has to be {expected}")])
    try:
        number = int(typed) if whole else float(typed)
    except ValueError:
        raise unfit from None
    if not isfinite(number):
        raise unfit
    return number


def _json(typed: str, pointer: str) -> JsonValue:
    try:
        value: JsonValue = from_json(typed.strip() or "{}", allow_inf_nan=False)
    except ValueError as error:
        raise BadInput("The input does not fit.", [Problem(pointer, f"It is no JSON: {error}")]) from None
    return value


def _field(name: str, definition: Mapping[str, JsonValue], value: JsonValue) -> InputField:
    form, choices = _form(name, definition)
    default = definition.get("default")
    text = default if value is None and form is FieldForm.FLAG else value
    return InputField(
        name=name,
        title=str(definition.get("title") or name),
        form=form,
        description=str(definition.get("description") or ""),
        text=_written(text, form),
        default=_written(default, form),
        choices=choices,
        minimum=_bound(definition, "minimum", "exclusiveMinimum"),
        maximum=_bound(definition, "maximum", "exclusiveMaximum"),
        media=_media(definition) if form is FieldForm.FILE else (),
    )


def _form(name: str, definition: Mapping[str, JsonValue]) -> tuple[FieldForm, tuple[str, ...]]:
    choices = (
        definition.get("enum")
        if "enum" in definition
        else [definition["const"]]
        if "const" in definition
        else None
    )
    if isinstance(choices, list):
        return FieldForm.CHOICE, tuple(json.dumps(choice, ensure_ascii=False) for choice in choices)
    match definition.get("type"):
        case "integer":
            return FieldForm.INTEGER, ()
        case "number":
            return FieldForm.NUMBER, ()
        case "boolean":
            return FieldForm.FLAG, ()
        case "string" if definition.get("format") == FORMAT:
            return FieldForm.FILE, ()
        case "string":
            longest = definition.get("maxLength")
            is_long = name in _LONG or (isinstance(longest, int) and longest > _LONG_TEXT)
            return (FieldForm.TEXT if is_long else FieldForm.LINE), ()
        case _:
            return FieldForm.JSON, ()


def _resolved(schema: Mapping[str, JsonValue], definition: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
    """What a property says, with what it refers to; of a type or nothing, the type."""
    definition = {
        **_referred(schema, definition),
        **{name: value for name, value in definition.items() if name != "$ref"},
    }
    options = definition.get("anyOf") or definition.get("oneOf")
    if isinstance(options, list):
        kinds = [_object(option) for option in options if option != {"type": "null"}]
        if len(kinds) == 1:
            return {**_resolved(schema, kinds[0]), **definition}
    return definition


def _referred(schema: Mapping[str, JsonValue], definition: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
    reference = definition.get("$ref")
    if not isinstance(reference, str) or not reference.startswith("#/$defs/"):
        return {}
    return _object(_object(schema.get("$defs")).get(reference.removeprefix("#/$defs/")))


def _media(definition: Mapping[str, JsonValue]) -> tuple[str, ...]:
    media = definition.get("x-media")
    return tuple(medium for medium in media if isinstance(medium, str)) if isinstance(media, list) else ()


def _bound(definition: Mapping[str, JsonValue], *names: str) -> str:
    fields = next((definition[name] for name in names if name in definition), None)
    return str(fields) if isinstance(fields, int | float) and not isinstance(fields, bool) else ""


def _written(value: JsonValue, form: FieldForm) -> str:
    if value is None:
        return ""
    if form in {FieldForm.JSON, FieldForm.CHOICE, FieldForm.FLAG}:
        return json.dumps(value, ensure_ascii=False)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _object(value: JsonValue) -> Mapping[str, JsonValue]:
    return value if isinstance(value, dict) else {}
