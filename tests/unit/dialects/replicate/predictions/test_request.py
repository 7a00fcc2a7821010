"""What the headers of a new prediction say."""

import pytest
from starlette.datastructures import Headers

from genpulse.dialects.replicate.predictions.request import cancel_after_s, wait_s
from genpulse.domain.errors import BadInput


@pytest.mark.parametrize(
    ("prefer", "seconds"),
    [
        ("wait", 60),
        ("WAIT", 60),
        ("wait=5", 5),
        ('wait="5"', 5),
        ("wait = 5 ; strict", 5),
        ("respond-async, wait=7", 7),
        ("wait=0", 1),
        ("wait=61", 60),
        ("wait=99999999", 60),
        ("wait=5.5", None),
        ("waiting", None),
        ("respond-async", None),
        ("", None),
    ],
)
def test_prefer_holds_a_call_no_longer_than_the_door_does(prefer, seconds):
    assert wait_s(Headers({"Prefer": prefer}), 60) == seconds


def test_without_prefer_nothing_is_held():
    assert wait_s(Headers({}), 60) is None


@pytest.mark.parametrize(
    ("word", "seconds"),
    [("90", 90), ("90s", 90), ("1m", 60), ("1h30m", 5400), ("1h30m5s", 5405), ("2H", 7200), (" 5s ", 5)],
)
def test_cancel_after_is_a_duration(word, seconds):
    assert cancel_after_s(Headers({"Cancel-After": word})) == seconds


@pytest.mark.parametrize("word", ["4s", "0", "31d", "m", "-5s", "1m1h", "999999h", "soon", "1.5h"])
def test_other_words_are_refused(word):
    with pytest.raises(BadInput) as caught:
        cancel_after_s(Headers({"Cancel-After": word}))
    assert caught.value.problems[0].pointer == "/cancel_after"


def test_without_cancel_after_there_is_no_deadline():
    assert cancel_after_s(Headers({})) is None
