"""How far an attempt came, as moments."""

from dataclasses import astuple
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from genpulse.domain.attempt_times import AttemptTimes

BEGAN = datetime(2030, 1, 1, tzinfo=UTC)
AFTER_MS = st.none() | st.integers(0, 2**31 - 1)


def at(ms):
    return BEGAN + timedelta(milliseconds=ms)


def test_moments_are_counted_from_when_the_attempt_began():
    moments = AttemptTimes(40, 100, 300, 301, None, None, polls=2).moments(BEGAN, at(10))
    assert astuple(moments) == (at(40), at(100), at(300), at(301), None, None)


@given(after_ms=st.tuples(*[AFTER_MS] * 6), asked_ms=st.none() | st.integers(-1000, 10**6))
def test_no_moment_is_before_the_one_above_it_whatever_clocks_said(after_ms, asked_ms):
    asked_at = None if asked_ms is None else at(asked_ms)
    moments = astuple(AttemptTimes(*after_ms).moments(BEGAN, asked_at))
    assert [one is None for one in moments] == [one is None for one in after_ms]
    known = [one for one in moments if one is not None]
    assert known == sorted(known)
    assert all(one >= max(BEGAN, asked_at or BEGAN) for one in known)
