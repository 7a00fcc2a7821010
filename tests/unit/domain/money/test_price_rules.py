"""Rules of prices: the reservation holds, nothing is negative, and amounts are exact."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genpulse.domain.money.pricing.price_rules import CountedPrice, TokenBound, TokenPrice
from genpulse.domain.money.pricing.rates import PriceRate, Rates
from genpulse.domain.money.pricing.reported_usage import ReportedUsage
from genpulse.domain.money.pricing.unit import Unit

SIZES = ("1024x1024", "1536x1024", "720p")
QUALITIES = ("low", "high")
amounts = st.decimals(0, 100, places=6)
counts = st.integers(1, 1000)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
tables = st.lists(
    st.builds(
        lambda usd, size, quality: PriceRate(usd, {"size": size, "quality": quality}),
        amounts,
        st.sampled_from(SIZES),
        st.sampled_from(QUALITIES),
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda rate: tuple(rate.when.values()),
).map(lambda rates: Rates(tuple(rates)))
counted = st.builds(
    CountedPrice,
    st.sampled_from([Unit.IMAGE, Unit.SECOND]),
    tables,
    counted_by=st.just("n"),
    left_out=st.just(Decimal(1)),
    most=st.just(Decimal(1000)),
    step=st.sampled_from([Decimal(0), Decimal(1), Decimal(5)]),
)
orders = st.fixed_dictionaries(
    {}, optional={"n": counts, "size": st.sampled_from((*SIZES, "odd")), "quality": st.sampled_from(QUALITIES)}
)


def flat(unit, usd="0.04", **changes):
    return CountedPrice(unit, Rates((PriceRate(Decimal(usd)),)), **changes)


@given(counted, orders, st.integers(0, 1000))
def test_what_was_ordered_never_costs_more_than_was_reserved(rule, order, made):
    reserved = rule.at_most(order)
    ordered = order.get("n", 1)
    usage = ReportedUsage(images=min(made, ordered), seconds=Decimal(min(made, ordered)))
    for cost in (rule.cost(order, usage), rule.cost(order, ReportedUsage())):
        assert Decimal(0) <= cost.amount_usd <= reserved


@given(counted, orders, counts)
def test_more_never_costs_less(rule, order, more):
    fewer = order.get("n", 1)
    assert rule.at_most({**order, "n": fewer + more}) >= rule.at_most({**order, "n": fewer})


@given(counted, orders, st.sampled_from(["odd", "auto", None, ["1024x1024"], {}]))
def test_an_unknown_value_costs_the_dearest(rule, order, odd):
    known = [rule.at_most({**order, "size": size}) for size in {rate.when["size"] for rate in rule.rates.all}]
    assert rule.at_most({**order, "size": odd}) >= max(known)


@given(counted, st.dictionaries(st.sampled_from(["n", "size", "quality"]), anything))
def test_no_input_breaks_a_rule(rule, document):
    usd = rule.at_most(document)
    assert usd >= 0
    assert usd.is_finite()


@given(st.lists(amounts, min_size=1, max_size=3), st.integers(0, 10**6), st.integers(0, 10**6))
def test_tokens_within_their_bounds_cost_no_more_than_was_reserved_and_to_the_last_digit(usd, most, used):
    each = {f"kind{index}": amount / 10**6 for index, amount in enumerate(usd)}
    rule = TokenPrice(each, {kind: TokenBound(Decimal(most)) for kind in each})
    cost = rule.cost({}, ReportedUsage(tokens=dict.fromkeys(each, min(used, most))))
    assert cost.amount_usd <= rule.at_most({})
    assert cost.amount_usd * 10**6 == sum(usd) * min(used, most)
    assert not cost.estimated


@pytest.mark.parametrize("words", [3, "3", " 3 ", 3.0, "3.0"])
def test_a_number_is_one_however_a_vendor_would_read_it(words):
    assert flat(Unit.IMAGE, counted_by="n").at_most({"n": words}) == Decimal("0.12")


@pytest.mark.parametrize("odd", [True, [4], {"n": 4}, -1, 0, "many", "nan", "inf", float("nan"), float("inf")])
def test_what_is_no_number_is_the_most_that_can_be_ordered(odd):
    rule = flat(Unit.IMAGE, counted_by="n", left_out=Decimal(1), most=Decimal(10))
    assert rule.at_most({"n": odd}) == Decimal("0.40")
    assert rule.at_most({"n": None}) == rule.at_most({}) == Decimal("0.04")


@pytest.mark.parametrize(
    ("rule", "document", "usage", "most", "cost", "estimated"),
    [
        (flat(Unit.CALL), {}, {}, "0.04", "0.04", False),
        (flat(Unit.IMAGE, counted_by="n"), {"n": 4}, {}, "0.16", "0.16", True),
        (flat(Unit.IMAGE, counted_by="n"), {"n": 4}, {"images": 3}, "0.16", "0.12", False),
        (flat(Unit.SECOND, counted_by="s"), {"s": 2.5}, {}, "0.100", "0.100", True),
        (flat(Unit.SECOND, counted_by="s", step=Decimal(1)), {"s": 2.5}, {}, "0.12", "0.12", True),
        (flat(Unit.SECOND, most=Decimal(10)), {}, {"seconds": Decimal("4")}, "0.40", "0.16", False),
        (flat(Unit.CHARACTER, counted_by="text"), {"text": "äöü"}, {}, "0.12", "0.12", True),
        (flat(Unit.CHARACTER, counted_by="text"), {"text": ["ab", "c"]}, {"characters": 2}, "0.12", "0.08", False),
        (flat(Unit.GPU_SECOND), {}, {}, None, None, False),
        (flat(Unit.GPU_SECOND), {}, {"gpu_seconds": Decimal("1.5")}, None, "0.060", False),
        (flat(Unit.GPU_SECOND, most=Decimal(600)), {}, {}, "24.00", None, False),
        (TokenPrice({"out": Decimal(2)}), {}, {"tokens": {"out": 3, "odd": 9}}, None, "6", False),
        (TokenPrice({"out": Decimal(2)}), {}, {"tokens": {"odd": 9}}, None, None, False),
        (
            TokenPrice({"out": Decimal(2)}, {"out": TokenBound(Decimal(5), "n")}),
            {"n": 3},
            {"tokens": {"out": -4}},
            "30",
            None,
            False,
        ),
        (
            TokenPrice({"in": Decimal(1)}, {"in": TokenBound(Decimal(1), bytes_of="t")}),
            {"t": "ä1"},
            {},
            "3",
            None,
            False,
        ),
        (
            TokenPrice({"in": Decimal(1)}, {"in": TokenBound(Decimal(1), bytes_of="t")}),
            {"t": "99"},
            {},
            "2",
            None,
            False,
        ),
        (
            TokenPrice({"in": Decimal(1)}, {"in": TokenBound(Decimal(7), "f")}),
            {"f": ["a", "b"]},
            {},
            "14",
            None,
            0,
        ),
    ],
)
def test_each_unit(rule, document, usage, most, cost, estimated):
    assert rule.at_most(document) == (Decimal(most) if most else None)
    assert rule.knows_most is (most is not None)
    found = rule.cost(document, ReportedUsage(**usage))
    expected = (Decimal(cost), bool(estimated)) if cost else None
    assert (found and (found.amount_usd, found.estimated)) == expected


def test_what_the_vendor_chose_is_what_it_charges():
    rates = Rates((PriceRate(Decimal(1), {"quality": "low"}), PriceRate(Decimal(5), {"quality": "high"})))
    rule = CountedPrice(Unit.IMAGE, rates, left_out=Decimal(1))
    assert rule.at_most({"quality": "auto"}) == 5
    assert rule.cost({"quality": "auto"}, ReportedUsage(images=1, actual={"quality": "LOW"})).amount_usd == 1
    assert rule.cost({"quality": "auto"}, ReportedUsage(images=1)).amount_usd == 5


@pytest.mark.parametrize("odd", [10**5000, -(10**5000)], ids=["above", "below"])
def test_a_number_that_cannot_be_written_is_none(odd):
    rule = flat(Unit.IMAGE, counted_by="n", most=Decimal(10))
    assert rule.at_most({"n": odd}) == Decimal("0.40")
    rates = Rates((PriceRate(Decimal(1), {"n": "1"}), PriceRate(Decimal(2), {"n": "2"})))
    assert rates.dearest({"n": odd}).usd == 2


@pytest.mark.parametrize("absurd", [10**30, 1e300, "9" * 400])
def test_an_absurd_count_has_an_end(absurd):
    assert flat(Unit.IMAGE, counted_by="n").at_most({"n": absurd}) <= Decimal("4e7")
