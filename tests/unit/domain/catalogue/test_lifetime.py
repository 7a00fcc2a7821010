"""How long there is a model, and what succeeds it."""

from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from genpulse.domain.catalogue.lifetime import FOR_EVER, Lifetime, circle_of

IDS = st.sampled_from("abcdefgh")


def ends(successors, start):
    """Whether the way from there ends."""
    for _ in range(len(successors) + 1):
        if start not in successors:
            return True
        start = successors[start]
    return False


@given(st.dictionaries(IDS, IDS))
def test_a_circle_is_found_where_there_is_one(successors):
    circle = circle_of(successors)
    assert bool(circle) is not all(ends(successors, start) for start in successors)
    assert all(successors[one] == after for one, after in pairwise(circle))
    if circle:
        assert circle[0] == circle[-1]
        assert len(set(circle)) == len(circle) - 1


def test_a_long_chain_is_no_trouble():
    assert circle_of({str(number): str(number + 1) for number in range(50_000)}) == ()


def test_a_model_is_over_from_the_day_of_its_sunset_on():
    day = date(2027, 1, 1)
    assert Lifetime(sunset=day).is_over(day)
    assert not Lifetime(sunset=day).is_over(day - timedelta(days=1))
    assert not Lifetime(deprecated=day).is_over(day + timedelta(days=999))


def test_what_is_limited():
    assert not FOR_EVER.is_limited
    assert not Lifetime(successor="a/b").is_limited
    assert Lifetime(sunset=date.max).is_limited
    assert Lifetime(deprecated=date.min).is_limited
