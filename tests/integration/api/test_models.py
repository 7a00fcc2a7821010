"""What can be asked for."""

from decimal import Decimal
from urllib.parse import quote

import pytest
from jsonschema import Draft202012Validator

from genpulse.domain.money.spending import Spending
from genpulse.provider import Model, Provider, ProviderSettings
from genpulse.providers import fal
from genpulse.providers.catalog import LoadedCatalogue
from tests.integration.api.conftest import Easel, Sketch


async def test_models_are_listed_with_what_they_take(api):
    listed = (await api.get("/v1/models")).json["data"]
    assert [model["id"] for model in listed] == ["art/easel", "art/print"]
    easel, prints = listed
    schema = easel.pop("input_schema")
    Draft202012Validator.check_schema(schema)
    assert schema["properties"]["width"]["maximum"] == 2048
    assert easel == {
        "id": "art/easel",
        "provider": "art",
        "name": "easel",
        "title": "Easel",
        "description": "Draws",
        "kinds": ["text-to-image"],
        "paid": False,
        "allowed": True,
        "configured": True,
        "priced": False,
        "price": None,
        "charged_on": {"failure": None, "cancel": None, "moderation": None},
        "outputs": [],
        "limits": {},
        "deprecated": None,
        "sunset": None,
        "successor": None,
        "shape": "local",
        "capabilities": {
            "cancel": True,
            "resume": False,
            "find": False,
            "repeatable": True,
            "progress": True,
        },
    }
    assert (prints["shape"], prints["capabilities"]["repeatable"]) == ("immediate", False)


async def test_money_is_told_of_models_and_providers(serve):
    prices = {"dear": lambda _sketch: Decimal("0.30"), "unknown": None}
    models = tuple(Model(name, ("text-to-image",), Sketch, Easel(), price=price) for name, price in prices.items())
    free = Provider("art", (Model("easel", ("text-to-image",), Sketch, Easel()),))
    catalogue = LoadedCatalogue([free, Provider("vendor", models, paid=True)])
    for allowed in (False, True):
        served = await serve(catalogue=catalogue, spending=Spending(paid=allowed))
        listed = (await served.get("/v1/models")).json["data"]
        assert {model["id"]: (model["paid"], model["allowed"], model["priced"]) for model in listed} == {
            "art/easel": (False, True, False),
            "vendor/dear": (True, allowed, True),
            "vendor/unknown": (True, allowed, False),
        }
        assert (await served.get("/v1/models/vendor/dear")).json["allowed"] is allowed
        providers = (await served.get("/v1/providers")).json["data"]
        assert [(one["name"], one["paid"], one["allowed"]) for one in providers] == [
            ("art", False, True),
            ("vendor", True, allowed),
        ]


async def test_one_model(api):
    listed = (await api.get("/v1/models")).json["data"]
    assert (await api.get("/v1/models/art/easel")).json == listed[0]
    assert (await api.get("/v1/models/art%2Feasel")).json == listed[0]


async def test_an_unknown_model_is_not_found_and_near_ones_are_named(api):
    problem = (await api.get("/v1/models/art/easle")).problem(404, "unknown_model")
    assert "art/easel" in problem["detail"]
    (await api.get("/v1/models/art")).problem(404, "unknown_model")


@pytest.mark.parametrize(
    "name",
    ["fal-ai/Flux", "Bug/X", "a b/c", "a//b", "a/../b", "a/b?c", "a/b#c", "ä/ö", "a/b:", "a/\u0000", "/", "."],
)
async def test_no_name_of_a_model_is_an_error_of_ours(serve, name):
    served = await serve(catalogue=LoadedCatalogue([fal.provider(ProviderSettings("k"))]))
    known = name in {"fal-ai/Flux", "Bug/X"}
    submitted = await served.submit(f"fal/{name}")
    assert submitted.status < 300 if known else submitted.status == 422, submitted.body
    shown = await served.get(f"/v1/models/fal/{quote(name)}")
    assert shown.status == 200 if known else shown.status in {404, 422}, shown.body
