"""The verdict itself: whatever is wrong by a cent is found, and under its own promise."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from genpulse.domain.money.ledger import AmountSource, EntryKind, LedgerEntry
from tests.chaos.books import Books
from tests.chaos.money.account_facts import AccountFacts
from tests.chaos.money.account_verdict import audit, totals
from tests.chaos.money.auditor import Auditor
from tests.chaos.money.buyer import Buyer
from tests.chaos.money.market import Billing, Owner, Shop, billing_of, charge_usd, owner_of, price_usd
from tests.chaos.money.shop_books import Charge, Sale

ID = UUID(int=1)
KEY, DAY, PRICE = str(ID), date(2030, 1, 31), price_usd(Shop.ALPHA, 0)
NOW = datetime(2030, 1, 31, tzinfo=UTC)
CENT = Decimal("0.01")
EQUAL = "what is known cost what the shop took, to the cent"
RULE = "where nobody knows, the price is settled, once"
TWICE = "no task was paid for twice, at one shop or at two"
BALANCE = "of each task, reserved is settled and released"
OWNERS = "counters of days and owners are the ledger's"
PROVIDERS = "counters of providers are the ledger's"
SHOPS = "each shop took what the ledger says, but for these"


def entry(kind, usd=PRICE, shop=Shop.ALPHA):
    source = AmountSource.PRICE
    return LedgerEntry(ID, kind, usd, 1, shop, f"{shop}/picture", "anna", "dev", DAY, source, NOW)


def charge(usd=PRICE, shop=Shop.ALPHA):
    return Charge(Sale("job", KEY, 0, f"{shop}/picture", "reference", 0.0, 0.0), usd, "made")


def counters(usd=PRICE, shop=Shop.ALPHA):
    return {(DAY, name): usd for name in ("", "anna", f"provider:{shop}")}


def task(status="succeeded", charged=None, was_ordered=True):
    error = charged and {"code": "unknown_outcome", "charged": charged}
    return {"status": status, "error": error, "was_ordered": was_ordered, "finished_at": NOW, "number": 0}


RIGHT = AccountFacts(
    {KEY: task()},
    {KEY: (entry(EntryKind.RESERVED), entry(EntryKind.SETTLED))},
    {KEY: (charge(),)},
    counters(),
    Books(0.0, (), {}),
)
DOUBTFUL = replace(RIGHT, tasks={KEY: task("failed", "maybe")})
HALF = (entry(EntryKind.RESERVED), entry(EntryKind.SETTLED, PRICE / 2), entry(EntryKind.RELEASED, PRICE / 2))


def broken(facts, over=()):
    auditor = Auditor("", {})
    auditor.over = Counter(over)
    return {one.promise for one in audit(facts, Buyer([], 7, {}, ids={0: KEY}), auditor) if not one.holds}


@pytest.mark.parametrize("facts", [RIGHT, DOUBTFUL, replace(DOUBTFUL, charges={})], ids=["known", "took", "not"])
def test_what_is_right_is_called_right(facts):
    assert broken(facts) == set()


@pytest.mark.parametrize(
    ("facts", "promises"),
    [
        (replace(RIGHT, charges={KEY: (charge(PRICE + CENT),)}), {EQUAL, SHOPS}),
        (replace(RIGHT, charges={}), {EQUAL, SHOPS}),
        (replace(RIGHT, charges={KEY: (charge(), charge())}), {EQUAL, SHOPS, TWICE}),
        (replace(RIGHT, charges={KEY: (charge(), charge(CENT, Shop.BETA))}), {EQUAL, SHOPS, TWICE}),
        (replace(RIGHT, charges={KEY: (charge(shop=Shop.BETA),)}), {EQUAL, SHOPS}),
        (replace(RIGHT, tasks={KEY: task("failed", "no")}, charges={}), {EQUAL, SHOPS}),
        (replace(RIGHT, tasks={KEY: task("canceled", None, was_ordered=False)}, charges={}), {EQUAL, SHOPS}),
        (replace(DOUBTFUL, entries={KEY: HALF}, counters=counters(PRICE / 2)), {RULE}),
        (replace(RIGHT, entries={KEY: RIGHT.entries[KEY][1:]}), {BALANCE, OWNERS}),
        (replace(RIGHT, entries={KEY: (*RIGHT.entries[KEY], entry(EntryKind.RESERVED))}), {BALANCE, OWNERS}),
        (replace(RIGHT, counters=counters(PRICE + CENT)), {OWNERS, PROVIDERS}),
        (replace(RIGHT, counters=counters(shop=Shop.BETA)), {PROVIDERS}),
        (replace(RIGHT, tasks={KEY: {**task(), "finished_at": None}}), {"every task has ended"}),
        (
            replace(RIGHT, tasks={**RIGHT.tasks, "more": task("failed", "no")}),
            {"what was accepted is there, once"},
        ),
    ],
)
def test_what_is_wrong_is_found(facts, promises):
    assert broken(facts) == promises


def test_a_budget_that_was_passed_is_told():
    assert broken(RIGHT, {"gamma": 1}) == {"no budget was passed at any moment"}


def test_what_nobody_knows_explains_how_far_the_sums_are_apart():
    assert totals(replace(DOUBTFUL, charges={}))[Shop.ALPHA] == (0, PRICE, PRICE)


def test_nothing_costs_more_than_its_price_where_a_budget_may_end():
    for number in range(2_000):
        is_held = owner_of(7, number) in {Owner.BY_DAY, Owner.BY_MONTH}
        assert charge_usd(7, Shop.GAMMA, number) <= price_usd(Shop.GAMMA, number)
        assert not is_held or charge_usd(7, Shop.BETA, number) <= price_usd(Shop.BETA, number)
    assert {billing_of(7, Shop.ALPHA, number) for number in range(2_000)} == set(Billing)
