"""What is taken of the cost that a vendor reports."""

from decimal import Decimal

import pytest

from genpulse.domain.money.cost import Cost
from genpulse.domain.money.settlement import settlement_of

PRICE = Decimal("0.04")


@pytest.mark.parametrize("price", [None, Decimal(0), PRICE])
@pytest.mark.parametrize("said", ["0", "0.01", "0.04", "0.4"])
def test_what_may_be_true_is_taken(said, price):
    reported = Cost(Decimal(said))
    settlement = settlement_of(reported, price)
    assert (settlement.cost, settlement.warning) == (reported, None)


@pytest.mark.parametrize(
    ("reported", "flag"),
    [
        (Cost(Decimal("0.4000001")), "absurd"),
        (Cost(Decimal("Infinity")), "absurd"),
        (Cost(Decimal("1E-2000")), "absurd"),
        (Cost(Decimal("-0.01")), "negative"),
        (Cost(Decimal("-Infinity")), "negative"),
        (Cost(Decimal("NaN")), "not_a_number"),
        (Cost(Decimal("sNaN")), "not_a_number"),
        (Cost(Decimal("0.01"), currency="EUR"), "currency"),
    ],
)
def test_what_cannot_be_true_is_kept_and_the_price_is_taken(reported, flag):
    settlement = settlement_of(reported, PRICE)
    said = f"{reported.amount_usd} {reported.currency}"
    assert settlement.cost == Cost(PRICE, estimated=True, flag=flag, reported=said)
    assert (settlement.warning.code, said in settlement.warning.message) == ("cost_not_taken", True)


@pytest.mark.parametrize("price", [None, Decimal(0)])
def test_without_a_price_only_what_is_beyond_reason_is_not_taken(price):
    assert settlement_of(Cost(Decimal(500)), price).cost == Cost(Decimal(500))
    settlement = settlement_of(Cost(Decimal("1E+40")), price)
    assert (settlement.cost.amount_usd, settlement.cost.flag, settlement.cost.is_known) == (0, "absurd", False)


@pytest.mark.parametrize(
    ("price", "cost"), [(None, None), (Decimal(0), None), (PRICE, Cost(PRICE, estimated=True))]
)
def test_where_nothing_is_reported_the_price_is_taken(price, cost):
    assert settlement_of(None, price).cost == cost


@pytest.mark.parametrize("currency", ["", None, "usd", "E\x00R", "\ud800"])
def test_any_word_for_a_currency_can_be_kept(currency):
    reported = settlement_of(Cost(Decimal(1), currency=currency), PRICE).cost.reported
    assert "\x00" not in reported
    assert reported.encode()


def test_what_is_told_of_a_long_number_is_short():
    settlement = settlement_of(Cost(Decimal("-" + "1" * 5000)), PRICE)
    assert len(settlement.cost.reported) <= 60
