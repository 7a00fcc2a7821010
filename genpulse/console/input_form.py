"""A form for the input of a model, made from its JSON Schema, and the input that comes back from it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from math import isfinite

from pydantic_core import from_json

from genpulse.console.forms import Form
from genpulse.domain.errors import BadInput, Problem
from genpulse.domain.json.value import JsonObject, JsonValue

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


@dataclass(frozen=True, slots=True)
class InputField:
    """A field of the form. `shown` is what stands in it, `default` what the model takes when it is left empty."""

    name: str
    title: str
    form: FieldForm
    description: str
    required: bool = False
    shown: str = ""
    default: str = ""
    choices: tuple[str, ...] = ()
    minimum: str = ""
    maximum: str = ""
    said: str = ""
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
    found = []
    for name, told in properties.items():
        field = _field(name, _resolved(schema, _object(told)), document.get(name))
        if typed is not None:
            field = replace(field, shown=typed.get(name, "false" if field.form is FieldForm.FLAG else ""))
        is_needed = isinstance(needed, list) and name in needed
        found.append(replace(field, required=is_needed, said=wrong.get(name, "")))
    return tuple(sorted(found, key=lambda one: not one.required))


def says_all(schema: Mapping[str, JsonValue], document: JsonObject) -> bool:
    """Whether a form of the schema's fields can say this input."""
    properties = _object(schema.get("properties"))
    return bool(properties) and all(name in properties for name in document)


def document_of(schema: Mapping[str, JsonValue], form: Form) -> JsonObject:
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
    told = _object(_object(schema.get("properties")).get(name))
    return "default" in told and told["default"] == value and type(told["default"]) is type(value)


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


def _field(name: str, told: Mapping[str, JsonValue], value: JsonValue) -> InputField:
    form, choices = _form(name, told)
    default = told.get("default")
    shown = default if value is None and form is FieldForm.FLAG else value
    return InputField(
        name=name,
        title=str(told.get("title") or name),
        form=form,
        description=str(told.get("description") or ""),
        shown=_written(shown, form),
        default=_written(default, form),
        choices=choices,
        minimum=_bound(told, "minimum", "exclusiveMinimum"),
        maximum=_bound(told, "maximum", "exclusiveMaximum"),
    )


def _form(name: str, told: Mapping[str, JsonValue]) -> tuple[FieldForm, tuple[str, ...]]:
    choices = told.get("enum") if "enum" in told else [told["const"]] if "const" in told else None
    if isinstance(choices, list):
        return FieldForm.CHOICE, tuple(json.dumps(choice, ensure_ascii=False) for choice in choices)
    match told.get("type"):
        case "integer":
            return FieldForm.INTEGER, ()
        case "number":
            return FieldForm.NUMBER, ()
        case "boolean":
            return FieldForm.FLAG, ()
        case "string":
            longest = told.get("maxLength")
            is_long = name in _LONG or (isinstance(longest, int) and longest > _LONG_TEXT)
            return (FieldForm.TEXT if is_long else FieldForm.LINE), ()
        case _:
            return FieldForm.JSON, ()


def _resolved(schema: Mapping[str, JsonValue], told: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
    """What a property says, with what it refers to; of a type or nothing, the type."""
    told = {**_referred(schema, told), **{name: value for name, value in told.items() if name != "$ref"}}
    options = told.get("anyOf") or told.get("oneOf")
    if isinstance(options, list):
        kinds = [_object(option) for option in options if option != {"type": "null"}]
        if len(kinds) == 1:
            return {**_resolved(schema, kinds[0]), **told}
    return told


def _referred(schema: Mapping[str, JsonValue], told: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
    reference = told.get("$ref")
    if not isinstance(reference, str) or not reference.startswith("#/$defs/"):
        return {}
    return _object(_object(schema.get("$defs")).get(reference.removeprefix("#/$defs/")))


def _bound(told: Mapping[str, JsonValue], *names: str) -> str:
    found = next((told[name] for name in names if name in told), None)
    return str(found) if isinstance(found, int | float) and not isinstance(found, bool) else ""


def _written(value: JsonValue, form: FieldForm) -> str:
    if value is None:
        return ""
    if form in {FieldForm.JSON, FieldForm.CHOICE, FieldForm.FLAG}:
        return json.dumps(value, ensure_ascii=False)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _object(value: JsonValue) -> Mapping[str, JsonValue]:
    return value if isinstance(value, dict) else {}
