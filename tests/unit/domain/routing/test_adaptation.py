"""An order's input as other models take it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genpulse.domain.routing.adaptation import SAME_MEANING, Adapted, InputFields, adapt
from genpulse.domain.routing.picture_size import NAMED_SIZES, SIZE_FIELDS, size_of


def adapted(document, *names, **rename):
    return adapt(document, InputFields(frozenset(names)), rename)


@pytest.mark.parametrize("group", SAME_MEANING, ids=lambda group: group[0])
def test_a_field_stands_under_the_name_that_the_model_has_for_it(group):
    for name in group:
        for other in group:
            assert adapted({name: 7}, other) == Adapted({other: 7})


SIZES = [
    ({"width": 1024, "height": 768}, ("size",), {"size": "1024x768"}, ()),
    ({"width": 1024, "height": 768}, ("image_size",), {"image_size": {"width": 1024, "height": 768}}, ()),
    ({"size": "1024x768"}, ("width", "height"), {"width": 1024, "height": 768}, ()),
    ({"size": "1024 x 768"}, ("width", "height"), {"width": 1024, "height": 768}, ()),
    ({"image_size": "landscape_16_9"}, ("size",), {"size": "1024x576"}, ()),
    ({"image_size": {"width": 640, "height": 480}}, ("size",), {"size": "640x480"}, ()),
    ({"aspect_ratio": "1:1"}, ("width", "height"), {"width": 1024, "height": 1024}, ()),
    ({"aspect_ratio": "16:9"}, ("size",), {"size": "1344x768"}, ()),
    ({"width": 1920, "height": 1080}, ("aspect_ratio",), {"aspect_ratio": "16:9"}, ("width", "height")),
    ({"size": "512x512"}, ("aspect_ratio",), {"aspect_ratio": "1:1"}, ("size",)),
    ({"width": 512, "height": 512}, ("width",), {"width": 512}, ("height",)),
    ({"size": "huge"}, ("width", "height"), {}, ("size",)),
    ({"width": True, "height": 7}, ("size",), {}, ("width", "height")),
    ({"aspect_ratio": "0:9"}, ("size",), {}, ("aspect_ratio",)),
    ({"width": 640, "height": 480, "size": "640x480"}, ("size",), {"size": "640x480"}, ("width", "height")),
    ({"width": 640, "height": None}, ("size",), {}, ("width",)),
]


@pytest.mark.parametrize(("document", "names", "expected", "left"), SIZES)
def test_a_size_is_said_in_the_form_of_the_model(document, names, expected, left):
    assert adapted(document, *names) == Adapted(expected, left)


def test_a_name_that_the_route_gives_goes_first():
    result = adapted({"prompt": "x", "n": 2}, "prompt", "caption", prompt="caption")
    assert result == Adapted({"caption": "x"}, ("n",))


def test_an_open_model_takes_what_it_is_given():
    document = {"anything": [1], "prompt": "x", "gone": None}
    assert adapt(document, InputFields(frozenset(), is_open=True)) == Adapted(document)


_NAMES = st.sampled_from([*{name for group in SAME_MEANING for name in group}, *SIZE_FIELDS, "other", "more"])
_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 5000),
    st.sampled_from(["x", "640x480", "4:3", "0x0", *NAMED_SIZES]),
    st.fixed_dictionaries({"width": st.integers(0, 4000), "height": st.integers(0, 4000)}),
)


@given(st.dictionaries(_NAMES, _VALUES), st.frozensets(_NAMES), st.dictionaries(_NAMES, _NAMES, max_size=2))
def test_nothing_is_lost_without_a_word(document, names, rename):
    """Each field is there under some name, is told as left, is null, or says the same as one that is there."""
    result = adapt(document, InputFields(names), rename)
    assert set(result.input) <= names | set(rename.values())
    assert set(result.left_out) <= set(document)
    written = list(result.input.values())
    for name, value in document.items():
        is_told = name in result.left_out or value is None
        is_size = name in SIZE_FIELDS and size_of(document) is not None and bool(SIZE_FIELDS & result.input.keys())
        assert is_told or is_size or value in written


@given(st.dictionaries(_NAMES, _VALUES))
def test_a_model_with_the_same_fields_takes_the_same_input(document):
    assert adapt(document, InputFields(frozenset(document))) == Adapted(document)
