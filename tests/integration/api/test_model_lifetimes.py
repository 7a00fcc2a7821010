"""Prices and ends of models, as the API and the command line tell them."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime

import pytest

from genpulse.domain.catalogue.lifetime import Lifetime
from genpulse.domain.catalogue.model_facts import ChargedOn, ModelFacts
from genpulse.provider import Immediate, Model, Output, Provider, ReportedUsage, Result
from genpulse.provider.catalogue.documents import PriceDocument
from genpulse.provider.catalogue.tariffs import tariff_of
from genpulse.providers.catalog import LoadedCatalogue
from tests.integration.api.conftest import Easel, Sketch

LEAVING = Lifetime(date(2026, 1, 2), date(2099, 12, 31), "art/new")
TARIFF = tariff_of(
    PriceDocument.model_validate(
        {
            "unit": "image",
            "rates": [{"when": {"width": 64}, "amount": 0.04}, {"when": {"width": 2048}, "amount": "0.4"}],
            "date": date(2026, 11, 20),
            "source": "https://vendor.example/prices",
        }
    )
)
FACTS = ModelFacts(TARIFF, ("image",), ChargedOn(failure=False), {"images a minute": "50"}, LEAVING)


class Counting(Immediate[Sketch]):
    """A vendor that draws nothing yet counts three pictures, in the narrow size."""

    async def generate(self, call):
        return Result((Output(b"drawing"),), usage=ReportedUsage(images=3, actual={"width": "64"}))


def art(**lifetimes):
    kinds = ("noop",)
    models = [
        Model(name, kinds, Sketch, Easel(), facts=ModelFacts(lifetime=one)) for name, one in lifetimes.items()
    ]
    return LoadedCatalogue([Provider("art", (*models, Model("new", kinds, Sketch, Easel())))])


def said(answer):
    """Which headers say something of the model's end."""
    return {name for name in ("Deprecation", "Sunset", "Link") if name in answer.headers}


@pytest.fixture
async def leaving(serve):
    return await serve(catalogue=art(old=LEAVING))


async def test_a_model_tells_its_price_its_limits_and_its_end(serve):
    model = Model("old", ("noop",), Sketch, Easel(), facts=FACTS)
    served = await serve(catalogue=LoadedCatalogue([Provider("art", (model,))]))
    shown = (await served.get("/v1/models/art/old")).json
    assert shown["price"] == {
        "unit": "image",
        "per": 1,
        "rates": [
            {"when": {"width": "64"}, "amount_usd": "0.04"},
            {"when": {"width": "2048"}, "amount_usd": "0.4"},
        ],
        "date": "2026-11-20",
        "source": "https://vendor.example/prices",
        "version": TARIFF.version,
    }
    assert shown["charged_on"] == {"failure": False, "cancel": None, "moderation": None}
    assert (shown["outputs"], shown["limits"]) == (["image"], {"images a minute": "50"})
    assert (shown["deprecated"], shown["sunset"], shown["successor"]) == ("2026-01-02", "2099-12-31", "art/new")
    assert shown["priced"] is True


async def test_answers_about_tasks_of_a_model_that_ends_say_so(leaving):
    submitted = await leaving.submit("art/old")
    task = f"/v1/tasks/{submitted.json['id']}"
    answers = [submitted, await leaving.get(task), await leaving.post(f"{task}/cancel")]
    for answer in answers:
        assert answer.headers["Deprecation"] == f"@{int(datetime(2026, 1, 2, tzinfo=UTC).timestamp())}"
        assert answer.headers["Sunset"] == "Thu, 31 Dec 2099 00:00:00 GMT"
        assert parsedate_to_datetime(answer.headers["Sunset"]).date() == date(2099, 12, 31)
        assert answer.headers["Link"] == f'<{leaving.url}/v1/models/art/new>; rel="successor-version"'
    assert (await leaving.get("/v1/models/art/new")).status == 200


async def test_other_tasks_say_nothing(leaving):
    answer = await leaving.submit("art/new")
    assert said(answer) == set()


@pytest.mark.parametrize(
    ("lifetime", "names"),
    [
        (Lifetime(deprecated=date(2026, 1, 2)), {"Deprecation"}),
        (Lifetime(sunset=date(2099, 1, 1)), {"Sunset"}),
        (Lifetime(successor="art/new"), set()),
    ],
)
async def test_what_is_not_known_is_not_said(serve, lifetime, names):
    served = await serve(catalogue=art(old=lifetime))
    answer = await served.submit("art/old")
    assert said(answer) == names


async def test_a_model_that_was_shut_down_is_refused_and_what_came_before_is_answered(serve):
    served = await serve(catalogue=art(old=LEAVING))
    first = await served.submit("art/old", headers={"Idempotency-Key": "k"})
    gone = art(old=replace(LEAVING, sunset=date(2026, 2, 1)), last=Lifetime(sunset=date(2026, 2, 1)))
    later = await serve(catalogue=gone, store=served.store)
    problem = (await later.submit("art/old")).problem(422, "model_shut_down")
    assert "2026-02-01" in problem["detail"]
    assert "'art/new'" in problem["detail"]
    assert "GET /v1/models" in (await later.submit("art/last")).problem(422, "model_shut_down")["detail"]
    orders = [{"model": model, "input": {"prompt": "x"}} for model in ("art/new", "art/old")]
    (await later.post("/v1/tasks/batch", json={"tasks": orders})).problem(422, "model_shut_down")
    again = await later.submit("art/old", headers={"Idempotency-Key": "k"})
    assert again.json["id"] == first.json["id"]
    assert (await later.get("/v1/models/art/old")).json["sunset"] == "2026-02-01"


@pytest.mark.parametrize(("engine", "usd", "estimated"), [(Counting(), "0.12", False), (Easel(), "0.4", True)])
async def test_a_task_costs_what_the_price_makes_of_what_the_vendor_counted(serve, engine, usd, estimated):
    model = Model("old", ("noop",), Sketch, engine, facts=FACTS)
    served = await serve(catalogue=LoadedCatalogue([Provider("art", (model,), paid=True)]))
    async with served.worker():
        task = await served.ended((await served.submit("art/old", input={"prompt": "x", "width": 100})).json["id"])
    assert (Decimal(task["cost"]["amount_usd"]), task["cost"]["estimated"]) == (Decimal(usd), estimated)


async def test_models_in_use_that_end_soon(serve, genpulse):
    served = await serve(catalogue=art(old=LEAVING, unused=LEAVING, advised=Lifetime(deprecated=date(2026, 1, 2))))
    for model in ("art/old", "art/old", "art/advised", "art/new"):
        await served.submit(model)
    code, out, err = await genpulse(served, "models", "sunset", "--json")
    assert code == 0, err
    assert [(row["id"], row["tasks"]) for row in json.loads(out)] == [("art/advised", 1), ("art/old", 2)]
    _, out, _ = await genpulse(served, "models", "sunset")
    assert "2099-12-31" in out
    assert "art/new" in out
    _, out, _ = await genpulse(served, "models")
    assert "until 2099-12-31, then art/new" in " ".join(out.split())


async def test_nothing_that_is_used_ends(serve, genpulse):
    served = await serve(catalogue=art(old=Lifetime(sunset=date(2099, 1, 1))))
    await served.submit("art/old")
    _, out, _ = await genpulse(served, "models", "sunset")
    assert out == "No model that tasks of the last 30 days asked for ends within 365 days.\n"
    _, out, _ = await genpulse(served, "models", "sunset", "--within", "36500")
    assert "art/old" in out
