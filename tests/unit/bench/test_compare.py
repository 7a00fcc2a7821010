import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.compare import Difference, differences, p_of, table
from tests.drawn import examples

KEY = ("submit", "GenPulse", "/s")
POSITIVE = st.floats(min_value=0.01, max_value=1e6)


def test_hands_that_do_not_meet_are_as_rare_as_they_can_be():
    assert p_of([1.0, 2.0, 3.0], [4.0, 5.0, 6.0]) == pytest.approx(2 / math.comb(6, 3))


def test_equal_figures_say_nothing():
    assert p_of([5.0] * 4, [5.0] * 4) == 1.0


@given(st.lists(POSITIVE, min_size=1, max_size=5), st.lists(POSITIVE, min_size=1, max_size=5))
@settings(max_examples=examples(100))
def test_it_does_not_matter_which_comes_first_nor_in_what_unit(before, after):
    p = p_of(before, after)
    assert 0 < p <= 1
    assert p_of(after, before) == pytest.approx(p)
    assert p_of([8 * one for one in before], [8 * one for one in after]) == pytest.approx(p)


def test_many_rounds_are_drawn_and_not_counted_out():
    before, after = [100.0 + place for place in range(20)], [200.0 + place for place in range(20)]
    assert p_of(before, after) < 0.001
    assert p_of(before, before) == 1.0


def _rounds(*figures):
    return [{KEY: figure} for figure in figures]


def test_a_difference_is_told_from_noise():
    (found,) = differences(_rounds(10, 11, 10, 11, 10, 11), _rounds(20, 21, 20, 21, 20, 21))
    assert found.is_real
    assert found.change == pytest.approx(20.5 / 10.5 - 1)
    (found,) = differences(_rounds(10, 12, 11), _rounds(11, 10, 12))
    assert not found.is_real


def test_many_figures_have_to_be_clearer_than_one():
    def rounds(base):
        return [
            {KEY: base + place, **{("row", str(other), "µs"): 1.0 + place for other in range(20)}}
            for place in range(5)
        ]

    assert not any(one.is_real for one in differences(rounds(10), rounds(90)))
    alone = differences([{KEY: one[KEY]} for one in rounds(10)], [{KEY: one[KEY]} for one in rounds(90)])
    assert [one.is_real for one in alone] == [True]


def test_what_one_commit_does_not_measure_is_left_out():
    other = ("doors", "submit, fal", "µs")
    assert [one.row for one in differences([{KEY: 1.0, other: 2.0}], [{KEY: 1.0}])] == ["submit"]


def test_the_table_says_which_way_it_went():
    shown = table(
        "v1",
        [
            Difference(*KEY, (10.0,), (20.0,), 0.001, is_real=True),
            Difference(*KEY, (10.0,), (5.0,), 0.001, is_real=True),
            Difference(*KEY, (10.0,), (11.0,), 0.4),
        ],
    ).splitlines()
    assert shown[0] == "| row | figure | v1 | now | change | p | |"
    assert [line.split("|")[-2].strip() for line in shown[2:]] == ["more", "less", "noise"]
    assert "| +100.0% | 0.001 |" in shown[2]
