"""Rates as people write them."""

import pytest

from genpulse.domain.provider_account.rate import Rate, whole_s


@pytest.mark.parametrize(
    ("text", "interval_s", "at_once"),
    [("5/s", 0.2, 1), ("60/min", 1.0, 1), ("1/h", 3600.0, 1), ("1000/s", 0.001, 100), ("20/s", 0.05, 2)],
)
def test_a_rate_is_spread_evenly(text, interval_s, at_once):
    rate = Rate.parse(text)
    assert rate.interval_s == pytest.approx(interval_s)
    assert rate.at_once == at_once
    assert str(rate) == text


@pytest.mark.parametrize("text", ["", "5", "0/s", "-1/s", "5/day", "5 /s", "1.5/s", "\u2075/s", "/s"])
def test_what_is_no_rate_is_refused(text):
    with pytest.raises(ValueError, match="such as 5/s"):
        Rate.parse(text)


def test_shares_of_a_rate_make_up_the_rate():
    share = Rate.parse("6/s").shared_by(3)
    assert share.interval_s == pytest.approx(0.5)
    assert Rate.parse("6/s").shared_by(0) == Rate.parse("6/s")


def test_a_burst_is_the_whole_count_and_no_more():
    rate = Rate.parse("60/min")
    assert (rate.at_once, rate.in_bursts().at_once) == (1, 60)
    assert rate.in_bursts().shared_by(3).interval_s == 3.0
    assert str(rate.in_bursts()) == "60/min"


@pytest.mark.parametrize(("seconds", "whole"), [(719.2, 720), (720.0000001, 720), (0.0, 0), (0.01, 1)])
def test_seconds_are_rounded_up_but_for_what_a_sum_of_moments_is_off_by(seconds, whole):
    assert whole_s(seconds) == whole
