"""Inputs that are made of declared fields."""

import pytest
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from genpulse.provider.catalogue.documents import FieldDocument
from genpulse.provider.catalogue.input_fields import input_of
from genpulse.provider.passthrough import DeclaredInput

FIELDS = {
    "prompt": {"type": "string", "required": True, "max_length": 5, "description": "What to draw"},
    "steps": {"type": "integer", "min": 1, "max": 4, "default": 2},
    "strength": {"type": "number", "min": 0, "max": 1},
    "size": {"type": "string", "choices": ["hd", "sd"], "default": "sd"},
    "pictures": {"type": "image", "max_items": 2},
    "tiled": {"type": "boolean"},
}


def made(**fields):
    return input_of("Input", {name: FieldDocument(**field) for name, field in fields.items()}, DeclaredInput)


def test_fields_have_types_ranges_titles_and_defaults():
    input_ = made(**FIELDS)
    schema = input_.model_json_schema()
    Draft202012Validator.check_schema(schema)
    assert schema["required"] == ["prompt"]
    assert schema["additionalProperties"] is False
    assert all(field["title"] for field in schema["properties"].values())
    assert schema["properties"]["size"]["enum"] == ["hd", "sd"]
    wanted = input_.model_validate({"prompt": "a fox", "strength": 0.5})
    assert wanted.document() == {"prompt": "a fox", "steps": 2, "strength": 0.5, "size": "sd"}


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"prompt": "a long text"},
        {"prompt": "x", "steps": 5},
        {"prompt": "x", "strength": float("nan")},
        {"prompt": "x", "size": "4k"},
        {"prompt": "x", "pictures": ["asset:a"] * 3},
        {"prompt": "x", "more": 1},
    ],
)
def test_what_does_not_fit_is_refused(document):
    with pytest.raises(ValidationError):
        made(**FIELDS).model_validate(document)


@pytest.mark.parametrize(
    ("name", "field", "said"),
    [
        ("document", {"type": "string"}, "cannot be the name of a field"),
        ("model_fields", {"type": "string"}, "cannot be the name of a field"),
        ("a b", {"type": "string"}, "cannot be the name of a field"),
        ("x", {"type": "string", "min": 1}, "min and max are for integer and number"),
        ("x", {"type": "integer", "max_length": 1}, "are for string"),
        ("x", {"type": "number", "choices": [1]}, "choices are for string and integer"),
        ("x", {"type": "integer", "choices": ["a"]}, "have to be of type integer"),
        ("x", {"type": "integer", "min": 3, "max": 2}, "its lowest value is 3, and its highest is 2"),
        ("x", {"type": "integer", "min": 1, "default": 0}, "the default 0 does not fit"),
        ("x", {"type": "integer", "required": True, "default": 0}, "has no default"),
    ],
)
def test_a_field_that_contradicts_itself(name, field, said):
    with pytest.raises(ValueError, match=said) as caught:
        made(**{name: field})
    assert str(caught.value).startswith(f"{name}: ")
