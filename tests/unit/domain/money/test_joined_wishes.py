"""What many tasks want is looked at as one: that says the same as to look at each of them, one after the other."""

from datetime import UTC, datetime
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from genpulse.domain.keys.api_key import KeyLimits
from genpulse.domain.money.allowance import Allowance, ScopeUsage
from genpulse.domain.money.spending import SpendingLimits
from genpulse.domain.money.wish import Today, Wish, fit_together, joined, refusals
from tests.contract.conftest import new_task

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
OWNERS = ("", "0190a1b2-0000-7000-8000-00000000000a", "0190a1b2-0000-7000-8000-00000000000b")
CENTS = st.integers(0, 40).map(lambda cents: Decimal(cents) / 100)
FEW = st.none() | st.integers(0, 4)
MAYBE_CENTS = st.none() | CENTS
PROVIDERS = ("art", "films")


@st.composite
def parts(draw):
    """Groups of tasks of an owner with the limits that counted when each was asked for."""
    budgets = draw(MAYBE_CENTS), draw(MAYBE_CENTS)
    limit_usd = draw(MAYBE_CENTS)
    of_providers = {} if limit_usd is None else {"art": Allowance(daily_usd=limit_usd)}
    found = []
    for _ in range(draw(st.integers(1, 5))):
        owner = draw(st.sampled_from(OWNERS))
        key = KeyLimits(
            draw(FEW),
            draw(FEW),
            draw(MAYBE_CENTS),
            limit_by=draw(st.sampled_from([None, "user"])),
            customer=Allowance(draw(FEW)),
        )
        tasks = [
            new_task(
                owner=owner,
                provider=draw(st.sampled_from(PROVIDERS)),
                price_usd=draw(MAYBE_CENTS),
                metadata={"user": draw(st.sampled_from("xy"))},
            )
            for _ in range(draw(st.integers(1, 3)))
        ]
        limits = SpendingLimits(budgets[0], key if owner else KeyLimits(), budgets[1], of_providers)
        found.append((tasks, limits))
    return found


USAGE = st.builds(ScopeUsage, st.integers(0, 4), st.integers(0, 4), CENTS, CENTS)


@given(parts(), st.data())
def test_together_they_fit_where_none_is_refused_and_nowhere_else(found, data):
    wishes = [Wish.of(tasks, limits) for tasks, limits in found]
    counters = sorted({demand.scope.counter for wish in wishes for demand in wish.demands})
    usage = {counter: data.draw(USAGE) for counter in counters}
    now = Today(NOON, usage)
    assert fit_together(now, joined(found)) is not any(refusals(now, wishes))


@given(parts())
def test_together_they_are_counted_as_one_by_one(found):
    nothing, one_by_one = Today(NOON), Today(NOON)
    for tasks, limits in found:
        one_by_one = Wish.of(tasks, limits).added(one_by_one)
    together = nothing
    for wish in joined(found):
        together = wish.added(together)
    assert together == one_by_one
    for wish in joined(found):
        together = wish.added(together, -1)
    assert set(together.usage.values()) <= {ScopeUsage()}
