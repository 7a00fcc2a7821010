"""Tasks with several models, with real workers around them, on both stores."""

import asyncio
import random
from dataclasses import replace
from decimal import Decimal

import pytest

from genpulse.domain.attempt import AttemptStatus
from genpulse.domain.errors import (
    BadInput,
    ModerationBlocked,
    ProviderNotConfigured,
    ProviderRejected,
    ProviderUnavailable,
    QuotaExhausted,
    RateLimited,
    UnknownKind,
    UnknownModel,
    UnknownOutcome,
    UnknownRoute,
)
from genpulse.domain.failure import Charged, FailureCode
from genpulse.domain.money.allowance import Allowance, BudgetScope, ScopeKind
from genpulse.domain.money.spending import Spending
from genpulse.domain.routing.latencies import Latencies
from genpulse.domain.routing.route import RouteOrder, RouteStep
from genpulse.domain.routing.task_route import CIRCUIT_OPEN
from genpulse.domain.task import TaskStatus
from genpulse.lifecycle.cancel import cancel
from genpulse.lifecycle.retry import retry
from genpulse.lifecycle.routing.reroute import reroute
from genpulse.lifecycle.submission.submit import Order, submit
from genpulse.lifecycle.submission.submit_batch import submit_batch
from genpulse.providers.catalog import LoadedCatalogue
from tests.lifecycle.routed import (
    KIND,
    MODELS,
    Counted,
    Sized,
    ask,
    held_up,
    open_shops,
    provider,
    run,
    with_route,
)


@pytest.fixture
def shops(world):
    return open_shops(world)


async def test_the_first_one_is_tried_and_no_other(world, shops):
    ended = await run(world, await ask(world))
    assert (ended.status, ended.model, ended.route.place, ended.route.hops) == (
        TaskStatus.SUCCEEDED,
        "one/a",
        0,
        (),
    )
    assert [shop.sold for shop in shops] == [1, 0, 0]


@pytest.mark.parametrize("error", [ProviderUnavailable("down"), RateLimited("slow"), QuotaExhausted("empty")])
async def test_after_a_refusal_that_cost_nothing_the_next_one_is_tried(world, shops, error):
    shops[0].errors = [error]
    ended = await run(world, await ask(world))
    assert (ended.status, ended.provider, ended.model) == (TaskStatus.SUCCEEDED, "two", "two/b")
    (hop,) = ended.route.hops
    assert (hop.model, hop.attempt, hop.code) == ("one/a", 1, error.code)
    attempts = await world.services.store.attempts(ended.id)
    assert [(one.model, one.status) for one in attempts] == [
        ("one/a", AttemptStatus.FAILED),
        ("two/b", AttemptStatus.SUCCEEDED),
    ]
    assert ended.failures == 0
    assert [shop.sold for shop in shops] == [1, 1, 0]


@pytest.mark.parametrize(
    "error", [UnknownOutcome("lost"), ModerationBlocked("no"), ProviderRejected("no"), ConnectionResetError("?")]
)
async def test_after_anything_else_no_other_is_asked(world, shops, error):
    shops[0].errors = [error]
    ended = await run(world, await ask(world))
    assert (ended.status, ended.model, ended.route.hops) == (TaskStatus.FAILED, "one/a", ())
    assert [shop.sold for shop in shops] == [1, 0, 0]


async def test_a_route_may_go_on_after_moderation(world, shops):
    with_route(world, on=frozenset({FailureCode.MODERATION_BLOCKED}))
    shops[0].errors = [ModerationBlocked("no")]
    ended = await run(world, await ask(world, "portrait"))
    assert (ended.status, ended.model, ended.route.name) == (TaskStatus.SUCCEEDED, "two/b", "portrait")


async def test_at_the_last_one_the_task_is_tried_again_as_ever(world, shops):
    shops[0].errors = [ProviderUnavailable("down")]
    shops[1].errors = [ProviderUnavailable("down")]
    shops[2].errors = [ProviderUnavailable("down") for _ in range(9)]
    ended = await run(world, await ask(world))
    assert (ended.status, ended.model) == (TaskStatus.FAILED, "three/c")
    assert ended.error.code is FailureCode.PROVIDER_UNAVAILABLE
    assert [shop.sold for shop in shops][:2] == [1, 1]
    assert shops[2].sold > 1


async def test_one_that_is_left_alone_is_passed_over(world, shops):
    for _ in range(4):
        await world.gate.failed("two", ProviderUnavailable("down").failure)
    shops[0].errors = [ProviderUnavailable("down")]
    ended = await run(world, await ask(world))
    assert ended.status is TaskStatus.SUCCEEDED
    assert ended.model in {"two/b", "three/c"}
    if ended.model == "three/c":
        assert [(hop.model, hop.code) for hop in ended.route.hops] == [
            ("one/a", "provider_unavailable"),
            ("two/b", CIRCUIT_OPEN),
        ]


async def test_a_task_that_waits_for_an_open_circuit_goes_on_elsewhere(world, shops):
    await held_up(world, "one", "two")
    task = await ask(world)
    ended = await run(world, task)
    assert (ended.status, ended.model) == (TaskStatus.SUCCEEDED, "three/c")
    assert [(hop.model, hop.attempt, hop.code) for hop in ended.route.hops] == [
        ("one/a", 0, CIRCUIT_OPEN),
        ("two/b", 0, CIRCUIT_OPEN),
    ]
    assert [shop.sold for shop in shops] == [0, 0, 1]


async def test_where_none_may_be_asked_it_stays(world, shops):
    await held_up(world, "one", "two", "three")
    task = await ask(world)
    assert await reroute(world.services, ["one", "two", "three"]) == 0
    assert (await world.services.store.get(task.id)).model == "one/a"


async def test_a_task_without_a_route_or_that_is_unwanted_stays(world, shops):
    await held_up(world, "one")
    alone, unwanted, waits = await ask(world, "one/a"), await ask(world), await ask(world)
    await cancel(world.services, unwanted.id)
    assert await reroute(world.services, ["one", "two", "three"]) == 1
    assert (await world.services.store.get(alone.id)).model == "one/a"
    assert (await world.services.store.get(unwanted.id)).status is TaskStatus.CANCELED
    assert (await world.services.store.get(waits.id)).model == "two/b"


async def test_two_that_move_the_same_task_move_it_once(world, shops):
    await held_up(world, "one")
    task = await ask(world)
    moved = await asyncio.gather(*(reroute(world.services, ["one"]) for _ in range(5)))
    assert sum(moved) == 1
    assert len((await world.services.store.get(task.id)).route.hops) == 1


async def test_a_failed_task_runs_again_where_it_stood(world, shops):
    shops[0].errors = [ProviderUnavailable("down")]
    shops[1].errors = [ProviderRejected("no")]
    ended = await run(world, await ask(world))
    assert (ended.status, ended.model) == (TaskStatus.FAILED, "two/b")
    await retry(world.services, ended.id)
    ended = await run(world, ended)
    assert (ended.status, ended.model, len(ended.route.hops)) == (TaskStatus.SUCCEEDED, "two/b", 1)


async def test_a_task_counts_with_the_dearest_price_until_it_has_ended(world, shops):
    task = await ask(world)
    assert task.price_usd == Decimal("0.05")
    prices = [target.price_usd for target in task.route.targets]
    assert prices == [Decimal("0.02"), Decimal("0.05"), Decimal("0.01")]
    assert await world.services.store.spent_usd() == Decimal("0.05")


@pytest.mark.parametrize(
    ("models", "refusals", "sold_by", "cost"),
    [
        (MODELS, 0, "one/a", "0.02"),
        (MODELS, 1, "two/b", "0.05"),
        (MODELS, 2, "three/c", "0.01"),
        (("three/c", "two/b"), 0, "three/c", "0.01"),
    ],
)
async def test_where_no_shop_says_what_it_took_that_is_the_price_of_the_one_that_sold(
    world, shops, models, refusals, sold_by, cost
):
    for shop in shops[:refusals]:
        shop.errors = [ProviderUnavailable("down")]
    ended = await run(world, await ask(world, models))
    assert (ended.model, ended.cost.amount_usd, ended.price_usd) == (sold_by, Decimal(cost), Decimal("0.05"))
    assert ended.cost.estimated
    assert await world.services.store.spent_usd() == Decimal(cost)


async def test_each_one_gets_the_input_as_it_takes_it(world, shops):
    task = await ask(world, ("one/a", "two/b"), width=640, height=480)
    assert task.input == {"prompt": "a fox", "width": 640, "height": 480}
    assert [target.input for target in task.route.targets] == [None, {"prompt": "a fox", "size": "640x480"}]
    task = await ask(world, ("three/c", "two/b"))
    assert [target.input for target in task.route.targets] == [{"text": "a fox"}, None]
    assert task.model_input == {"text": "a fox"}


async def test_what_a_model_cannot_be_told_is_refused_with_its_place(world, shops):
    with pytest.raises(BadInput) as refused:
        await ask(world, n=2, negative_prompt="blur")
    places = [(problem.pointer, problem.detail.split()[0]) for problem in refused.value.problems]
    assert places == [
        ("/input/n", "two/b"),
        ("/input/negative_prompt", "two/b"),
        ("/input/n", "three/c"),
        ("/input/negative_prompt", "three/c"),
    ]


async def test_what_does_not_fit_one_of_them_is_refused(world, shops):
    with pytest.raises(BadInput) as refused:
        await ask(world, ("one/a",), n=9)
    assert [problem.pointer for problem in refused.value.problems] == ["/input/n"]
    assert refused.value.problems[0].detail.startswith("one/a: ")


async def test_a_route_may_let_fields_go_and_the_task_says_which(world, shops):
    with_route(world, drop=frozenset({"n", "negative_prompt"}))
    task = await ask(world, "portrait", n=2, negative_prompt="blur")
    assert [target.dropped for target in task.route.targets] == [
        (),
        ("n", "negative_prompt"),
        ("n", "negative_prompt"),
    ]


async def test_a_kind_alone_takes_its_usual_route(world, shops):
    with_route(world)
    task = await ask(world, None)
    assert (task.model, task.kind, task.route.name) == ("one/a", KIND, "portrait")
    with pytest.raises(UnknownRoute, match="text-to-video"):
        await submit(world.services, Order(None, {"prompt": "x"}, kind="text-to-video"))
    with pytest.raises(BadInput) as refused:
        await submit(world.services, Order(None, {"prompt": "x"}))
    assert [problem.pointer for problem in refused.value.problems] == ["/model"]


async def test_names_that_are_not_there_are_refused(world, shops):
    with_route(world)
    for model in ("one/x", "portraits", ("one/a", "two/x"), ("one/a", "nobody")):
        with pytest.raises(UnknownModel):
            await ask(world, model)


async def test_a_route_within_a_list_stands_for_its_models_each_of_which_is_tried_once(world, shops):
    with_route(world)
    task = await ask(world, ("three/c", "portrait"))
    assert [target.model for target in task.route.targets] == ["three/c", "one/a", "two/b"]


async def test_only_models_of_the_kind_stand_in_a_list(world, shops):
    with pytest.raises(UnknownKind, match="one/a"):
        await submit(world.services, Order(MODELS, {"prompt": "x"}, kind="text-to-video"))


async def test_one_that_is_not_set_up_is_left_out_unless_all_are(world, shops):
    bare = LoadedCatalogue(
        [
            provider("one", "a", Counted, shops[0], needs=("api_key",), configured=False),
            provider("two", "b", Sized, shops[1]),
        ]
    )
    assert bare.lacks("one")
    world.services = replace(world.services, catalogue=bare)
    task = await ask(world, ("one/a", "two/b"))
    assert [target.model for target in task.route.targets] == ["two/b"]
    with pytest.raises(ProviderNotConfigured):
        await ask(world, ("one/a",))


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (RouteOrder.WRITTEN, ["one/a", "two/b", "three/c"]),
        (RouteOrder.PRICE, ["three/c", "one/a", "two/b"]),
        (RouteOrder.LATENCY, ["two/b", "three/c", "one/a"]),
    ],
)
async def test_the_order_is_that_of_the_route(world, shops, order, expected):
    with_route(world, order=order)
    world.services = replace(world.services, latencies=Latencies({"one/a": 9.0, "three/c": 2.0}))
    task = await ask(world, "portrait")
    assert [target.model for target in task.route.targets] == expected


async def test_by_weight_each_comes_first_about_as_often_as_it_weighs(world, shops):
    steps = (RouteStep("one/a", weight=1), RouteStep("two/b", weight=3))
    with_route(world, steps=steps, order=RouteOrder.WEIGHT)
    world.services = replace(world.services, random=random.Random(3).random)
    tasks = [await ask(world, "portrait") for _ in range(60)]
    first = sum(task.model == "two/b" for task in tasks)
    assert 35 <= first <= 55
    assert all(len(task.route.targets) == 2 for task in tasks)


async def test_a_batch_may_have_routes(world, shops):
    shops[0].errors = [ProviderUnavailable("down")]
    batch = await submit_batch(world.services, [Order(MODELS, {"prompt": "x"}), Order("three/c", {"text": "y"})])
    async with world.worker():
        ended = [await world.ended(one.task) for one in batch.tasks]
    assert [task.model for task in ended] == ["two/b", "three/c"]


@pytest.mark.parametrize(
    ("error", "on", "one_usd"),
    [
        (ProviderUnavailable("down"), FailureCode.PROVIDER_UNAVAILABLE, "0"),
        (ModerationBlocked("no", charged=Charged.YES), FailureCode.MODERATION_BLOCKED, "0.02"),
    ],
    ids=["free", "charged"],
)
async def test_what_a_task_costs_counts_at_the_provider_that_gets_it(world, shops, error, on, one_usd):
    with_route(world, on=frozenset({on}))
    budgets = {name: Allowance(daily_usd=Decimal(1)) for name in ("one", "two", "three")}
    world.services = replace(world.services, spending=Spending(paid=True, providers=budgets))
    shops[0].errors = [error]
    ended = await run(world, await ask(world, "portrait"))
    assert (ended.status, ended.model) == (TaskStatus.SUCCEEDED, "two/b")
    today = await world.services.store.counted([BudgetScope(ScopeKind.PROVIDER, name) for name in budgets])
    spent = {counter: usage.today_usd for counter, usage in today.usage.items()}
    assert spent["provider:one"] == Decimal(one_usd)
    assert spent["provider:two"] == Decimal("0.05")
    assert spent[""] == Decimal(one_usd) + Decimal("0.05")


async def test_a_budget_that_is_used_up_may_be_a_reason_to_go_on(world, shops):
    with_route(world, on=frozenset({FailureCode.BUDGET_EXCEEDED}))
    task = await ask(world, "portrait")
    budgets = {"one": Allowance(daily_usd=Decimal("0.01"))}
    world.services = replace(world.services, spending=Spending(paid=True, providers=budgets))
    ended = await run(world, task)
    assert (ended.status, ended.model) == (TaskStatus.SUCCEEDED, "two/b")
    assert [shop.sold for shop in shops] == [0, 1, 0]
