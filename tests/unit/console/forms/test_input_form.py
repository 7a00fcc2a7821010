"""A form made from a JSON Schema gives back the input that stands in it."""

from enum import StrEnum
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from genpulse.console.forms.input_form import FieldForm, document_of, fields_of, says_all
from genpulse.console.forms.posted_form import PageForm
from genpulse.domain.errors import BadInput


class Style(StrEnum):
    OIL = "oil"
    INK = "ink"


class Inner(BaseModel):
    x: int = 0


class Everything(BaseModel):
    prompt: str
    name: str | None = None
    width: int = Field(64, ge=1, le=2048)
    strength: float | None = None
    fast: bool = False
    safe: bool = True
    style: Style | None = None
    size: Literal["1x1", "2x1"] = "1x1"
    count: Literal[1, 2] | None = None
    inner: Inner | None = None
    words: list[str] = []


SCHEMA = Everything.model_json_schema()
_TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), min_size=1).filter(str.strip)
DOCUMENTS = st.fixed_dictionaries(
    {"prompt": _TEXTS},
    optional={
        "name": _TEXTS,
        "width": st.integers(1, 2048),
        "strength": st.floats(0, 1),
        "fast": st.booleans(),
        "safe": st.booleans(),
        "style": st.sampled_from(["oil", "ink"]),
        "size": st.sampled_from(["1x1", "2x1"]),
        "count": st.sampled_from([1, 2]),
        "inner": st.fixed_dictionaries({"x": st.integers()}),
        "words": st.lists(_TEXTS),
    },
)


def test_each_field_has_the_form_of_its_type():
    forms = {one.name: one.form for one in fields_of(SCHEMA, {})}
    assert forms == {
        "prompt": FieldForm.TEXT,
        "name": FieldForm.LINE,
        "width": FieldForm.INTEGER,
        "strength": FieldForm.NUMBER,
        "fast": FieldForm.FLAG,
        "safe": FieldForm.FLAG,
        "style": FieldForm.CHOICE,
        "size": FieldForm.CHOICE,
        "count": FieldForm.CHOICE,
        "inner": FieldForm.JSON,
        "words": FieldForm.JSON,
    }
    first, *_ = fields_of(SCHEMA, {})
    assert (first.name, first.required) == ("prompt", True)
    (width,) = (one for one in fields_of(SCHEMA, {}) if one.name == "width")
    assert (width.minimum, width.maximum, width.default) == ("1", "2048", "64")


@given(DOCUMENTS)
def test_what_stands_in_the_form_comes_back_from_it(document):
    sent = [
        (f"input.{one.name}", "true" if one.form is FieldForm.FLAG else one.text)
        for one in fields_of(SCHEMA, document)
        if one.form is not FieldForm.FLAG or one.text == "true"
    ]
    back = document_of(SCHEMA, PageForm(tuple(sent)))
    assert Everything.model_validate(back) == Everything.model_validate(document)


@pytest.mark.parametrize("typed", ["", "  ", "NaN-", "1,5", "0x10"])
def test_numbers_are_numbers(typed):
    form = PageForm((("input.strength", typed), ("input.safe", "true")))
    if typed.strip():
        with pytest.raises(BadInput):
            document_of(SCHEMA, form)
    else:
        assert document_of(SCHEMA, form) == {}


@pytest.mark.parametrize("typed", ["nan", "inf", "-inf", "1e999"])
def test_no_number_is_endless(typed):
    with pytest.raises(BadInput):
        document_of(SCHEMA, PageForm((("input.strength", typed),)))


def test_a_whole_input_is_json():
    assert document_of(SCHEMA, PageForm((("input", '{"prompt": "x", "odd": [1]}'),))) == {
        "prompt": "x",
        "odd": [1],
    }
    assert document_of(SCHEMA, PageForm((("input", " "),))) == {}
    for typed in ("{", "[]", "[" * 100_000, '{"a": NaN}'):
        with pytest.raises(BadInput):
            document_of(SCHEMA, PageForm((("input", typed),)))


def test_a_form_says_what_its_fields_say():
    assert says_all(SCHEMA, {"prompt": "x"})
    assert not says_all(SCHEMA, {"odd": 1})
    assert not says_all({"type": "object"}, {})
