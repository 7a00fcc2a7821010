"""Whether and when an attempt that failed is tried again."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genpulse.domain.attempt import Failed, RetryLater
from genpulse.domain.errors import ModerationBlocked, ProviderUnavailable, RateLimited, UnknownOutcome
from genpulse.domain.failure import Charged, FailureCode
from genpulse.domain.retry import RetryPolicy, decide

POLICY = RetryPolicy(max_attempts=3, base_s=1.0, longest_s=60.0)


def decided(failure, failures, *, left_s=None, draw=0.5):
    return decide(POLICY, failures, failure, provider="art", left_s=left_s, random=lambda: draw)


def test_an_outage_is_tried_again_later():
    outcome = decided(ProviderUnavailable("down").failure, 0)
    assert outcome == RetryLater(ProviderUnavailable("down").failure, 0.75)


def test_the_last_failure_is_the_end():
    assert decided(ProviderUnavailable("down").failure, 2) == Failed(ProviderUnavailable("down").failure)


def test_moderation_is_never_tried_again():
    assert isinstance(decided(ModerationBlocked("no").failure, 0), Failed)


def test_the_wait_that_a_provider_asks_for_is_kept():
    outcome = decided(RateLimited("slow down", retry_after_s=42).failure, 0)
    assert isinstance(outcome, RetryLater)
    assert outcome.delay_s == 42


def test_a_retry_that_would_start_after_the_deadline_is_the_end_and_says_why():
    failure = RateLimited("slow down", retry_after_s=42).failure
    outcome = decided(failure, 0, left_s=41.0)
    assert isinstance(outcome, Failed)
    assert outcome.failure.code is FailureCode.DEADLINE_EXCEEDED
    assert "slow down" in outcome.failure.message


@given(
    attempt=st.integers(1, 10_000),
    draw=st.floats(0.0, 1.0),
    asked=st.none() | st.floats(0.0, 1e6),
)
def test_waits_stay_within_their_bounds(attempt, draw, asked):
    delay_s = POLICY.delay_s(attempt, asked, draw)
    assert delay_s >= (asked or 0.0)
    assert delay_s <= max(POLICY.longest_s, asked or 0.0)
    assert delay_s > 0


@pytest.mark.parametrize("attempt", range(1, 7))
def test_waits_grow(attempt):
    assert POLICY.delay_s(attempt + 1, None, 0.0) >= POLICY.delay_s(attempt, None, 0.0)


def test_attempts_of_an_outage_that_cost_nothing_do_not_count():
    def decided_in_an_outage(error):
        return decide(POLICY, 9, error.failure, provider="art", left_s=None, random=lambda: 0.5, outage=True)

    assert decided_in_an_outage(ProviderUnavailable("down")).counts is False
    assert decided(ProviderUnavailable("down").failure, 0).counts is True
    assert isinstance(decided_in_an_outage(ProviderUnavailable("down", charged=Charged.MAYBE)), Failed)
    assert isinstance(decided_in_an_outage(ModerationBlocked("no")), Failed)


def test_an_unknown_outcome_is_the_end_but_where_the_operator_wants_another_try():
    failure = UnknownOutcome("lost").failure
    assert decided(failure, 0) == Failed(failure)
    policy = replace(POLICY, resubmits=frozenset({"art"}))
    for provider, kind in (("art", RetryLater), ("other", Failed)):
        outcome = decide(policy, 0, failure, provider=provider, left_s=None, random=lambda: 0.5)
        assert isinstance(outcome, kind)
