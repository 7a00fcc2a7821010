"""Objects in the fields of a form."""

import pytest

from genpulse.dialects.replicate.files.bracketed_fields import is_bracketed, object_of


@pytest.mark.parametrize(
    ("fields", "whole"),
    [
        ([], {}),
        ([("metadata[a]", "1")], {"a": "1"}),
        (
            [("metadata[a][b]", "1"), ("metadata[a][c]", "2"), ("metadata[d]", "3")],
            {"a": {"b": "1", "c": "2"}, "d": "3"},
        ),
        ([("metadata[a][]", "1"), ("metadata[a][]", "2")], {"a": ["1", "2"]}),
        ([("metadata[]", "1")], {"": "1"}),
    ],
)
def test_they_become_an_object(fields, whole):
    assert object_of(fields) == whole


@pytest.mark.parametrize(
    "names",
    [
        ["metadata[a]", "metadata[a]"],
        ["metadata[a]", "metadata[a][b]"],
        ["metadata[a][b]", "metadata[a][]"],
        ["metadata[a][]", "metadata[a][b]"],
        ["metadata" + "[a]" * 20],
    ],
)
def test_names_that_do_not_go_together_are_refused(names):
    with pytest.raises(ValueError, match="metadata"):
        object_of([(name, str(number)) for number, name in enumerate(names)])


@pytest.mark.parametrize("name", ["metadata", "metadata[", "metadata[a", "metadata[a]b", "meta[a]", "metadata]a["])
def test_other_names_are_none(name):
    assert not is_bracketed(name, "metadata")
