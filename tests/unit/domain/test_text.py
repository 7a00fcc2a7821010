"""Whatever text comes in, what is kept of it can be stored and shown."""

import json

from hypothesis import given
from hypothesis import strategies as st

from genpulse.domain.text import storable, storable_line

anything = st.text(st.characters(codec=None, categories=None), max_size=200)


@given(anything, st.integers(1, 300))
def test_what_comes_out_can_be_stored(text, longest):
    for fit in (storable(text, longest), storable_line(text, longest)):
        assert len(fit) <= longest
        assert "\x00" not in fit
        assert json.loads(json.dumps(fit).encode("utf-8")) == fit
        fit.encode("utf-8")


@given(anything)
def test_cleaning_twice_changes_nothing_more(text):
    assert storable(storable(text)) == storable(text)
    assert storable_line(storable_line(text)) == storable_line(text)


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=200))
def test_plain_text_stays_the_same_object(text):
    assert storable(text) is text


def test_lines_stay_lines():
    assert storable("one\ntwo\tthree\r\n") == "one\ntwo\tthree\r\n"
    assert "\n" not in storable_line("one\ntwo")
    assert storable("half a pair \ud83d and \x00") == "half a pair \ufffd and \ufffd"
