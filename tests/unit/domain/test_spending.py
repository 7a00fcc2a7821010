"""What an environment may spend, and when its day begins."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from genpulse.domain.errors import BudgetExceeded, PaidProviderRefused
from genpulse.domain.spending import Spending, left_of_day_s, start_of_day

TOKYO = timezone(timedelta(hours=9))


@pytest.mark.parametrize(
    ("paid", "by_provider", "allowed"),
    [
        (True, {}, True),
        (False, {}, False),
        (False, {"vidu": True}, True),
        (True, {"vidu": False}, False),
        (False, {"another": True}, False),
    ],
)
def test_what_is_said_of_one_provider_goes_before_what_is_said_of_all(paid, by_provider, allowed):
    assert Spending(paid=paid, by_provider=by_provider).allows("vidu") is allowed


def test_a_day_may_cost_its_budget_and_not_more():
    limited = Spending(daily_usd=Decimal("0.30"))
    assert not limited.is_over(Decimal("0.1") + Decimal("0.2"))
    assert limited.is_over(Decimal("0.300001"))
    assert Spending(daily_usd=Decimal(0)).is_over(Decimal("0.01"))
    assert not Spending().is_over(Decimal(10**9))


@pytest.mark.parametrize(
    ("now", "start", "left_s"),
    [
        (datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC), 86_400),
        (datetime(2026, 3, 1, 23, 59, 59, 999_999, UTC), datetime(2026, 3, 1, tzinfo=UTC), 1),
        (datetime(2026, 12, 31, 12, tzinfo=UTC), datetime(2026, 12, 31, tzinfo=UTC), 43_200),
        (datetime(2026, 3, 1, 8, tzinfo=TOKYO), datetime(2026, 2, 28, tzinfo=UTC), 3_600),
    ],
)
def test_days_are_those_of_utc(now, start, left_s):
    assert start_of_day(now) == start
    assert left_of_day_s(now) == left_s


def test_a_refusal_says_what_allows_it():
    assert str(PaidProviderRefused("vidu", "testing")) == (
        "vidu costs money, and providers that do are switched off in testing. Allow all of them:"
        " providers.paid: true (GENPULSE_PROVIDERS__PAID=true); or this one: GENPULSE_PROVIDERS__VIDU__PAID=true."
    )


def test_amounts_are_written_out():
    error = BudgetExceeded(Decimal("0E-7"), Decimal("1E+2"), Decimal("50"), 60)
    assert str(error).startswith("This costs 100 USD, and 0.0000000 of today's 50 USD are spent or promised.")
    assert error.retry_after_s == 60
