"""When a task leaves a model of its route, and for which one."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from genpulse.domain.failure import Actor, Charged, Failure, FailureCode
from genpulse.domain.routing.route import POSSIBLE_CODES
from genpulse.domain.routing.task_route import CIRCUIT_OPEN, RouteHop, RouteTarget, TaskRoute

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ROUTE = TaskRoute("r", tuple(RouteTarget(f"p{number}/m") for number in range(4)), POSSIBLE_CODES)


def failure(code, charged=Charged.NO):
    return Failure(code, "no", True, charged, Actor.PROVIDER)


@pytest.mark.parametrize("code", FailureCode)
@pytest.mark.parametrize("charged", Charged)
def test_a_task_goes_on_after_a_refusal_that_cost_nothing_or_moderation(code, charged):
    is_refusal = code is FailureCode.MODERATION_BLOCKED or charged is Charged.NO
    assert ROUTE.leaves_after(failure(code, charged)) is (code in POSSIBLE_CODES and is_refusal)
    assert not replace(ROUTE, on=frozenset()).leaves_after(failure(code, charged))
    assert not replace(ROUTE, place=3).leaves_after(failure(code, charged))


def test_what_may_have_been_made_or_would_be_refused_again_is_no_reason():
    assert {FailureCode.UNKNOWN_OUTCOME, FailureCode.INVALID_INPUT}.isdisjoint(POSSIBLE_CODES)


HOP = RouteHop("p0/m", 1, "rate_limited", "slow", NOW)


@pytest.mark.parametrize(
    ("askable", "place"),
    [({"p1/m", "p2/m"}, 1), ({"p2/m"}, 2), ({"p3/m"}, 3), ({"p0/m"}, 1), (set(), 1)],
)
def test_the_next_one_is_that_which_may_be_asked(askable, place):
    route = ROUTE.left_for_next(HOP, askable)
    assert (route.place, route.current.model) == (place, f"p{place}/m")
    assert [hop.model for hop in route.hops] == [f"p{number}/m" for number in range(place)]
    assert [hop.code for hop in route.hops] == ["rate_limited", *[CIRCUIT_OPEN] * (place - 1)]


def test_there_is_no_next_one_after_the_last():
    with pytest.raises(IndexError):
        replace(ROUTE, place=3).left_for_next(HOP, {"p0/m"})
