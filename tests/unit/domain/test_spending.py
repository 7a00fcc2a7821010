"""What an environment may spend, and when its day begins."""

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal

import pytest

from genpulse.domain.errors import CustomerLimitExceeded, PaidProviderRefused
from genpulse.domain.keys.api_key import KeyLimits
from genpulse.domain.money.allowance import Allowance, BudgetScope, Period, ScopeKind, ScopeUsage
from genpulse.domain.money.spending import Spending, SpendingLimits, day_of
from genpulse.domain.money.wish import Today, Wish
from tests.contract.conftest import new_task

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
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


def is_refused(budget, spent, price):
    wish = Wish.of([new_task(price_usd=Decimal(price))], SpendingLimits(budget and Decimal(budget)))
    return wish.refusal(Today(NOON, {"": ScopeUsage(today_usd=Decimal(spent))})) is not None


def test_a_day_may_cost_its_budget_and_not_more():
    assert not is_refused("0.30", "0.1", "0.2")
    assert is_refused("0.30", "0.1", "0.200001")
    assert is_refused("0.00", "0", "0.01")
    assert not is_refused("0.00", "5", "0")
    assert not is_refused(None, "1E+9", "1E+9")


@pytest.mark.parametrize(
    ("now", "day"),
    [
        (datetime(2026, 3, 1, tzinfo=UTC), date(2026, 3, 1)),
        (datetime(2026, 3, 1, 23, 59, 59, 999_999, UTC), date(2026, 3, 1)),
        (datetime(2026, 12, 31, 12, tzinfo=UTC), date(2026, 12, 31)),
        (datetime(2026, 3, 1, 8, tzinfo=TOKYO), date(2026, 2, 28)),
    ],
)
def test_days_are_those_of_utc(now, day):
    assert day_of(now) == day


def test_a_refusal_says_what_allows_it():
    assert str(PaidProviderRefused("vidu", "testing")) == (
        "vidu costs money, and providers that do are switched off in testing. Allow all of them:"
        " providers.paid: true (GENPULSE_PROVIDERS__PAID=true); or this one: GENPULSE_PROVIDERS__VIDU__PAID=true."
    )


def test_amounts_are_written_out():
    wish = Wish.of([new_task(price_usd=Decimal("1E+2"))], SpendingLimits(Decimal(50)))
    error = wish.refusal(Today(NOON, {"": ScopeUsage(today_usd=Decimal("0E-7"))}))
    assert str(error).startswith("This costs 100 USD, and 0.0000000 of today's 50 USD are spent or promised.")
    assert error.retry_after_s == 12 * 3600


KEY = "0190a1b2-0000-7000-8000-00000000000a"
USED = ScopeUsage(2, 5, Decimal("0.9"), Decimal("3.9"))


@pytest.mark.parametrize(
    ("limits", "said", "retry_after_s"),
    [
        (Allowance(max_active_tasks=2), "has 2 tasks that have not ended and may have 2; this would make 3.", 5),
        (Allowance(daily_tasks=5), "has submitted 5 tasks today and may submit 5 a day (UTC).", 43_200),
        (Allowance(daily_usd=Decimal(1)), "0.9 USD of the 1 USD that it has a day (UTC). The day ends", 43_200),
        (Allowance(monthly_usd=Decimal(4)), "The month ends at 2026-12-01 00:00 UTC.", 43_200 + 2 * 86_400),
    ],
)
def test_a_refusal_of_a_customer_names_it_and_says_when_to_come_again(limits, said, retry_after_s):
    new = new_task(owner=KEY, price_usd=Decimal("0.2"), metadata={"customer": "acme\n"})
    key = KeyLimits(limit_by="customer", customer=limits)
    counter = BudgetScope(ScopeKind.CUSTOMER, "acme\n", KEY).counter
    error = Wish.of([new], SpendingLimits(key=key)).refusal(Today(NOON, {counter: USED}))
    assert isinstance(error, CustomerLimitExceeded)
    assert said in str(error)
    assert r"customer 'acme\n' of this API key" in str(error)
    assert (error.retry_after_s, error.use.scope.name) == (retry_after_s, "acme\n")
    assert "acme" not in counter


@pytest.mark.parametrize(
    ("now", "day", "month"),
    [
        (datetime(2026, 12, 31, 23, 59, tzinfo=UTC), date(2027, 1, 1), date(2027, 1, 1)),
        (datetime(2028, 2, 28, tzinfo=UTC), date(2028, 2, 29), date(2028, 3, 1)),
        (datetime(2026, 3, 1, 8, tzinfo=TOKYO), date(2026, 3, 1), date(2026, 3, 1)),
    ],
)
def test_periods_end_at_midnight_in_utc(now, day, month):
    ends = [datetime.combine(end, time.min, UTC) for end in (day, month)]
    assert [Period.DAY.end(now), Period.MONTH.end(now)] == ends
