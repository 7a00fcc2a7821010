"""What is said about the accounts at the providers."""

from datetime import UTC, datetime

import pytest

from genpulse.cli.doctor.accounts import of_accounts
from genpulse.cli.doctor.finding import Level
from genpulse.domain.failure import Actor, Charged, Failure, FailureCode
from genpulse.domain.provider_account.gate import Circuit, CircuitPolicy, Gate

NOW = datetime(2030, 1, 31, 12, tzinfo=UTC)
POLICY = CircuitPolicy(failures=2, first_s=60)


def after(code, *, retry_after_s=None, times=1, later_s=30.0):
    """A circuit `later_s` seconds after the last of so many failures at the second 1,000."""
    gate = Gate()
    for _ in range(times):
        failure = Failure(code, "they said so", True, Charged.NO, Actor.PROVIDER, retry_after_s)
        gate = gate.failed(failure, POLICY, 1000, 1.0)
    return gate.circuit(1000 + later_s)


@pytest.mark.parametrize(
    ("circuit", "words", "advice"),
    [
        (
            after(FailureCode.RATE_LIMITED, retry_after_s=86_400),
            "left alone since 11:59:30 UTC until 12:59:30 UTC (for 59 min 30 s yet) by rate_limited",
            "GENPULSE_PROVIDERS__ART__RATE",
        ),
        (
            after(FailureCode.AUTHENTICATION_FAILED, times=2),
            "left alone since 11:59:30 UTC until 12:00:30 UTC (for 30 s yet) by authentication_failed",
            "GENPULSE_PROVIDERS__ART__API_KEY",
        ),
        (
            after(FailureCode.QUOTA_EXHAUSTED, times=2, later_s=60),
            "one task finds out whether it works again; left alone since 11:59:00 UTC by quota_exhausted",
            "top up",
        ),
        (after(FailureCode.TIMEOUT), "1 failed in a row, the last by timeout", "when it lasts"),
    ],
)
def test_an_account_that_does_not_work_says_why_and_what_to_do(circuit, words, advice):
    (found,) = of_accounts({"well": Circuit(), "art": circuit}, NOW)
    assert (found.name, found.level, found.detail) == ("account art", Level.WARNING, f"{words}: they said so")
    assert advice in found.advice


def test_accounts_that_work_are_one_line():
    (found,) = of_accounts({"art": Circuit(), "prints": after(FailureCode.PROVIDER_REJECTED, times=9)}, NOW)
    assert (found.level, found.detail) == (Level.OK, "none of 2 is left alone")
    assert list(of_accounts({}, NOW)) == []
