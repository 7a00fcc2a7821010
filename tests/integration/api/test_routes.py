"""Orders with several models over HTTP."""

from decimal import Decimal

import pytest

from genpulse.domain.errors import ProviderUnavailable
from genpulse.domain.routing.route import Route, RouteOrder, Routes, RouteStep
from genpulse.provider import Model, Provider
from genpulse.providers.catalog import LoadedCatalogue
from tests.integration.api.conftest import Easel, Sketch

KIND = "text-to-image"
PORTRAIT = Route("portrait", (RouteStep("one/a"), RouteStep("two/b", weight=3)), KIND, order=RouteOrder.WRITTEN)
ROUTES = Routes({"portrait": PORTRAIT}, {KIND: "portrait"})


class Broken(Easel):
    """Is away."""

    async def run(self, call, report):
        raise ProviderUnavailable("down")


def made(name: str, model: str, engine: Easel) -> Provider:
    return Provider(name, (Model(model, (KIND,), Sketch, engine, price=lambda _: Decimal("0.30")),))


@pytest.fixture
async def routed(serve):
    catalogue = LoadedCatalogue([made("one", "a", Broken()), made("two", "b", Easel())])
    return await serve(catalogue=catalogue, routes=ROUTES)


@pytest.mark.parametrize(
    ("model", "name"),
    [(["one/a", "two/b"], None), ("portrait", "portrait"), (["portrait"], None), (None, "portrait")],
)
async def test_a_task_shows_its_route_and_what_it_has_left(routed, model, name):
    task = (await routed.submit(model, kind=KIND)).json
    assert (task["model"], task["route"]["name"], task["route"]["place"]) == ("one/a", name, 0)
    assert task["route"]["hops"] == []
    async with routed.worker():
        task = await routed.ended(task["id"])
    assert (task["status"], task["provider"], task["model"]) == ("succeeded", "two", "two/b")
    (hop,) = task["route"].pop("hops")
    assert hop.pop("at") <= task["finished_at"]
    assert hop == {
        "model": "one/a",
        "attempt": 1,
        "code": "provider_unavailable",
        "message": "down",
        "charged": "no",
    }
    target = {"price_usd": "0.30", "dropped": []}
    assert task["route"] == {
        "name": name,
        "place": 1,
        "targets": [{"model": "one/a", **target}, {"model": "two/b", **target}],
    }


async def test_one_model_is_no_route(routed):
    assert (await routed.submit("two/b")).json["route"] is None


async def test_routes_are_listed(routed):
    assert (await routed.get("/v1/routes")).json["data"] == [
        {
            "name": "portrait",
            "kind": KIND,
            "usual": True,
            "order": "written",
            "on": ["provider_unavailable", "quota_exhausted", "rate_limited"],
            "drop": [],
            "models": [
                {"model": "one/a", "offered": True, "weight": 1},
                {"model": "two/b", "offered": True, "weight": 3},
            ],
        }
    ]


@pytest.mark.parametrize(
    ("model", "code", "words"),
    [
        ([], "invalid_input", "at least 1"),
        (["one/a"] * 17, "invalid_input", "at most 16"),
        ([7], "invalid_input", "string"),
        ({}, "invalid_input", "string"),
        ([""], "invalid_input", "at least 1"),
        ("portraits", "unknown_model", "portraits"),
        (["one/a", "two/c"], "unknown_model", "two/b"),
    ],
)
async def test_a_model_that_cannot_be_meant_is_refused(routed, model, code, words):
    problem = (await routed.submit(model)).problem(422, code)
    assert words in f"{problem['detail']} {problem.get('errors')}"


async def test_an_order_without_model_needs_a_kind_with_a_usual_route(routed):
    problem = (await routed.submit(None)).problem(422, "invalid_input")
    assert [error["pointer"] for error in problem["errors"]] == ["/model"]
    problem = (await routed.submit(None, kind="text-to-video")).problem(422, "unknown_route")
    assert "portrait" in problem["detail"]


async def test_each_order_of_a_batch_may_have_a_route(routed):
    orders = [
        {"model": ["one/a", "two/b"], "input": {"prompt": "x"}},
        {"model": "two/b", "input": {"prompt": "y"}},
    ]
    batch = (await routed.post("/v1/tasks/batch", json={"tasks": orders})).json
    assert [task["route"] is None for task in batch["data"]] == [False, True]


FORMS = {
    "list": ["one/a", "two/b"],
    "turned": ["two/b", "one/a"],
    "route": "portrait",
    "usual": None,
    "one": "one/a",
}


@pytest.mark.parametrize("form", FORMS)
async def test_the_same_key_gives_the_same_task_for_the_same_models_alone(routed, form):
    def submit(model):
        return routed.submit(model, kind=KIND, headers={"Idempotency-Key": "k"})

    first = (await submit(FORMS[form])).json
    for other, model in FORMS.items():
        answer = await submit(model)
        if other == form:
            assert (answer.status, answer.json["id"]) == (202, first["id"])
        else:
            answer.problem(422, "idempotency_key_reuse")


async def test_a_task_that_has_gone_on_is_the_same_to_its_key_and_counts_where_it_was_made(routed):
    key, orders = {"Idempotency-Key": "k"}, {"tasks": [{"model": "portrait", "input": {"prompt": "x"}}]}
    (task,) = (await routed.post("/v1/tasks/batch", json=orders, headers=key)).json["data"]
    async with routed.worker():
        ended = await routed.ended(task["id"])
    (again,) = (await routed.post("/v1/tasks/batch", json=orders, headers=key)).json["data"]
    assert (again["id"], again["model"]) == (task["id"], "two/b")
    assert ended["cost"] == {"amount_usd": "0.30", "estimated": True}
    rows = {row["model"]: row for row in (await routed.get("/v1/usage?group_by=model")).json["data"]}
    assert [rows["two/b"][name] for name in ("count", "cost_usd", "settled_usd")] == [1, "0.30", "0.30"]
    assert [rows["one/a"][name] for name in ("count", "settled_usd")] == [0, "0"]
