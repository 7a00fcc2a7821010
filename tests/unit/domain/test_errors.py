"""The tree of errors: what it says to people and to programs."""

import inspect
from datetime import datetime, timedelta, timezone
from uuid import UUID

import pytest

from genpulse.domain import errors
from genpulse.domain.errors import (
    BadInput,
    GenPulseError,
    MayBeCharged,
    ProviderError,
    RateLimited,
    UnknownModel,
    UnknownOutcome,
)
from genpulse.domain.failure import Charged, FailureCode
from genpulse.domain.task import OpenOrder

CLASSES = [cls for _, cls in inspect.getmembers(errors, inspect.isclass) if issubclass(cls, GenPulseError)]


@pytest.mark.parametrize("cls", CLASSES)
def test_every_error_says_what_it_means_and_stands_in_the_drawing(cls):
    assert cls.__doc__
    assert cls.__name__ in (errors.__doc__ or "")


def test_provider_errors_cover_the_codes_that_a_provider_can_cause():
    caused = {cls.code for cls in CLASSES if issubclass(cls, ProviderError)}
    ours = {FailureCode.DEADLINE_EXCEEDED, FailureCode.FOREIGN_ENVIRONMENT, FailureCode.WORKER_LOST}
    assert caused == set(FailureCode) - ours


def test_a_lost_answer_may_have_been_charged():
    assert UnknownOutcome("lost").failure.charged is Charged.MAYBE
    assert not UnknownOutcome("lost").failure.retryable


def test_a_rate_limit_carries_the_wait():
    assert RateLimited("slow down", retry_after_s=3).failure.retry_after_s == 3


def test_an_unknown_model_names_near_ones():
    assert "Did you mean sandbox/image or sandbox/video?" in str(
        UnknownModel("sandbx/image", ["sandbox/image", "sandbox/video"])
    )


def test_bad_input_without_places_has_none():
    assert BadInput("broken").problems == ()


def test_what_may_be_charged_says_where_it_may_run_and_what_to_do():
    sent_at = datetime(2030, 1, 31, 13, 5, tzinfo=timezone(timedelta(hours=1)))
    refusal = MayBeCharged(UUID(int=7), "studio", OpenOrder("gp-7", "studio", sent_at, "vid\n7"))
    assert "ordered at 2030-01-31 12:05:00 UTC under the reference gp-7, where it is the job vid\ufffd7," in str(
        refusal
    )
    assert f"genpulse tasks retry {UUID(int=7)} --even-if-charged" in str(refusal)
    assert "nobody knows how its last order ended" in str(MayBeCharged(UUID(int=7), "studio"))
