"""The contract that authors of plug-ins write against."""

from decimal import Decimal

import pytest
from pydantic import Field

from genpulse.domain.errors import BadInput
from genpulse.provider import Call, Input, Local, Model, PollInterval, Provider, Report, Result


class Size(Input):
    width: int
    tags: tuple[str, ...] = ()


class Nothing(Local[Size]):
    async def run(self, call: Call[Size], report: Report) -> Result:
        return Result()


def model(name="image", kinds=("text-to-image",), price=None):
    return Model(name, kinds, Size, Nothing(), price=price)


def test_input_is_typed():
    assert model().parse({"width": 3}) == Size(width=3)


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        ({}, "/width"),
        ({"width": "x"}, "/width"),
        ({"width": 1, "a/b~": 2}, "/a~1b~0"),
        ({"width": 1, "tags": [1]}, "/tags/0"),
    ],
)
def test_input_that_does_not_fit_says_where(document, pointer):
    with pytest.raises(BadInput) as caught:
        model().parse(document)
    assert [problem.pointer for problem in caught.value.problems] == [pointer]


def test_of_much_that_does_not_fit_a_part_is_told():
    with pytest.raises(BadInput) as caught:
        model().parse({"width": 1, **{f"size{number}": 1 for number in range(9_000)}})
    assert len(caught.value.problems) == 100


@pytest.mark.parametrize(
    "name",
    [
        "image",
        "Qwen/Qwen-Image",
        "black-forest-labs/FLUX.1-dev",
        "a/b:5c7d5dc6",
        "ft:gpt-4o:acme::7p4l",
        "m@v1+lora",
    ],
)
def test_names_of_models_are_those_of_the_vendor(name):
    assert model(name).name == name


@pytest.mark.parametrize(
    "name",
    ["", "a b", "/x", "x/", "a//b", "..", "a/../b", ".x", "a?b", "a#b", "a%2Fb", "ä", "a\n", "a\x00", "\ud83d"],
)
def test_names_of_models_have_a_form(name):
    with pytest.raises(ValueError, match="lower-case"):
        model(name)


@pytest.mark.parametrize("kinds", [(), ("Text To Image",)])
def test_kinds_have_a_form(kinds):
    with pytest.raises(ValueError, match="text-to-image"):
        model(kinds=kinds)


def test_a_price_is_that_of_the_input():
    assert model().price_of(Size(width=3)) is None
    assert model(price=lambda size: Decimal("0.10") * size.width).price_of(Size(width=3)) == Decimal("0.30")
    assert model(price=lambda _size: Decimal(0)).price_of(Size(width=3)) == 0


@pytest.mark.parametrize("price", [Decimal("NaN"), Decimal("Infinity"), Decimal("-0.01"), 0.3, None, "0.30"])
def test_a_price_that_is_no_amount_is_the_fault_of_the_model(price):
    with pytest.raises(ValueError, match="the model 'image' gives"):
        model(price=lambda _size: price).price_of(Size(width=3))


def test_a_provider_has_each_model_once():
    with pytest.raises(ValueError, match="two models named image"):
        Provider("p", (model(), model()))


def test_names_of_providers_have_a_form():
    with pytest.raises(ValueError, match="lower-case"):
        Provider("My Provider", ())


def test_polls_grow_apart():
    interval = PollInterval(1.0, 2.0, 10.0)
    assert [interval.after(polls) for polls in (0, 1, 2, 3, 4, 1000)] == [1, 2, 4, 8, 10, 10]


def test_a_name_that_an_input_does_not_have_is_answered_with_the_one_that_is_meant():
    with pytest.raises(BadInput) as caught:
        model().parse({"width": 1, "tag": [], "q": 1})
    assert [problem.detail for problem in caught.value.problems] == [
        "There is no such field; there are width, tags. Did you mean tags?",
        "There is no such field; there are width, tags.",
    ]


class Lamp(Input):
    colour: str = "white"
    brightness: int = 1


class Scene(Input):
    lamps: tuple[Lamp, ...] = ()
    key_light: Lamp | None = Field(None, alias="keyLight")


@pytest.mark.parametrize(
    ("document", "pointer", "near"),
    [
        ({"lamp": []}, "/lamp", "lamps"),
        ({"lamps": [{}, {"color": "red"}]}, "/lamps/1/color", "colour"),
        ({"keyLight": {"bright": 1}}, "/keyLight/bright", "brightness"),
        ({"KeyLight": {}}, "/KeyLight", "keyLight"),
    ],
)
def test_an_unknown_field_names_the_one_that_it_is_like_wherever_it_stands(document, pointer, near):
    with pytest.raises(BadInput) as caught:
        Model("m", ("noop",), Scene, Nothing()).parse(document)
    (problem,) = caught.value.problems
    assert problem.pointer == pointer
    assert problem.detail.endswith(f"Did you mean {near}?")
