"""What one API key may give to another."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from genpulse.domain.keys.api_key import KeyLimits, Scope
from genpulse.domain.keys.key_grant import excess
from genpulse.domain.money.allowance import Allowance
from genpulse.domain.provider_account.rate import Rate
from genpulse.domain.task import Priority
from tests.api_keys import new_key

END = datetime(2030, 1, 1, tzinfo=UTC)
CUSTOMER = Allowance(2, 20, Decimal(1), Decimal(9))
LIMITS = KeyLimits(
    10,
    100,
    Decimal(5),
    Decimal(50),
    Rate.parse("10/s"),
    Priority.NORMAL,
    limit_by="customer",
    customer=CUSTOMER,
)
GIVER = new_key(scopes=frozenset({Scope.ADMIN}), limits=LIMITS, expires_at=END)


def test_as_much_as_its_own_is_no_excess():
    assert excess(GIVER, new_key(limits=LIMITS, expires_at=END)) == ()
    assert excess(GIVER, new_key(limits=replace(LIMITS, retain_s=10**9), expires_at=END)) == ()


def test_a_key_without_limits_gives_anything():
    assert excess(new_key(scopes=frozenset({Scope.ADMIN})), new_key(scopes=frozenset(Scope))) == ()


def test_no_limit_is_more_than_any():
    of_customers = [f"customer_{name}" for name in ("max_active_tasks", "daily_tasks", "daily_usd", "monthly_usd")]
    of_key = ("max_active_tasks", "daily_tasks", "daily_usd", "monthly_usd")
    named = (*of_key, "limit_by", *of_customers, "rate", "max_priority")
    assert excess(GIVER, new_key()) == ("expires_in_s", *(f"limits/{name}" for name in named))


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"max_active_tasks": 11}, "limits/max_active_tasks"),
        ({"daily_tasks": 101}, "limits/daily_tasks"),
        ({"daily_usd": Decimal("5.01")}, "limits/daily_usd"),
        ({"rate": Rate.parse("11/s")}, "limits/rate"),
        ({"rate": Rate.parse("600/min")}, "limits/rate"),
        ({"max_priority": Priority.HIGH}, "limits/max_priority"),
        ({"monthly_usd": None}, "limits/monthly_usd"),
        ({"limit_by": "other"}, "limits/limit_by"),
        ({"customer": replace(CUSTOMER, max_active_tasks=3)}, "limits/customer_max_active_tasks"),
        ({"customer": replace(CUSTOMER, daily_tasks=None)}, "limits/customer_daily_tasks"),
        ({"customer": replace(CUSTOMER, daily_usd=Decimal("1.01"))}, "limits/customer_daily_usd"),
        ({"customer": replace(CUSTOMER, monthly_usd=Decimal(10))}, "limits/customer_monthly_usd"),
    ],
)
def test_what_is_more_is_named(more, field):
    assert excess(GIVER, new_key(limits=replace(LIMITS, **more), expires_at=END)) == (field,)


def test_scopes_and_time_count_too():
    reader = new_key(scopes=frozenset({Scope.READ}), expires_at=END)
    later = new_key(scopes=frozenset({Scope.READ, Scope.WRITE}), expires_at=END + timedelta(seconds=1))
    assert excess(reader, later) == ("scopes", "expires_in_s")
