"""Whatever text comes in, what is kept of it can be stored and shown."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genpulse.domain.errors import ProviderRejected
from genpulse.domain.text.storable import storable, storable_line, unsigned

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


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("see https://a.example/x?sig=1&y=2 there", "see https://a.example/x?\u2026 there"),
        ('{"url": "https://a.example/x?sig=1\\u0026y=2"}', '{"url": "https://a.example/x?\u2026"}'),
        ('{"url": "https:\\/\\/a.example\\/x?sig=1"}', '{"url": "https:\\/\\/a.example\\/x?\u2026"}'),
        ("https://user:secret@a.example/x", "https://a.example/x"),
        ("postgres://u:p@h/db?password=x", "postgres://u:p@h/db?password=x"),
        ("wss://h/ws?clientId=1", "wss://h/ws?\u2026"),
        ("what? really? yes", "what? really? yes"),
        ("https://a.example/x?", "https://a.example/x?"),
        ("<a href='https://a.example?b=c'>", "<a href='https://a.example?\u2026'>"),
    ],
)
def test_words_lose_what_is_secret_in_urls(text, plain):
    assert unsigned(text) == plain


@given(anything)
def test_any_text_loses_no_more_than_queries(text):
    assert unsigned(unsigned(text)) == unsigned(text)
    if "//" not in text:
        assert unsigned(text) == text


def test_a_long_text_is_no_trouble():
    assert len(unsigned("http://" * 200_000)) == 1_400_000
    assert unsigned("https://a.example/x?" + "y" * 1_000_000) == "https://a.example/x?…"


def test_every_error_of_a_provider_is_without_signatures():
    error = ProviderRejected("cannot read https://a.example/x?sig=secret")
    assert error.failure.message == str(error) == "cannot read https://a.example/x?…"
