"""Routes and lists of models on the command line."""

import json

import pytest

from genpulse.cli.errors import CommandRefused
from genpulse.cli.generate.model_names import asked_as, model_named
from genpulse.domain.kind import ANY
from genpulse.domain.routing.route import Route, Routes, RouteStep
from genpulse.provider import Model, Provider
from genpulse.providers.catalog import LoadedCatalogue
from genpulse_client import AsyncGenPulse
from tests.integration.api.conftest import Easel, Sketch
from tests.integration.api.test_routes import KIND, ROUTES, Broken, made


@pytest.fixture
async def routed(serve):
    free = Provider("free", (Model("c", (ANY, "image-to-image", KIND), Sketch, Easel()),))
    two = Provider("several", (Model("d", ("image-to-image", KIND), Sketch, Easel()),))
    catalogue = LoadedCatalogue([made("one", "a", Broken()), made("two", "b", Easel()), free, two])
    named = {**ROUTES.by_name, "single": Route("single", (RouteStep("several/d"),), KIND)}
    return await serve(catalogue=catalogue, routes=Routes(named, ROUTES.usual))


@pytest.mark.parametrize(
    "options",
    [("-m", "portrait"), ("-m", "one/a,two/b"), ("-m", " one/a , portrait,"), ("-m", "one/a", "-m", "two/b")],
)
async def test_a_route_or_a_list_is_tried_in_its_order(routed, genpulse, options, tmp_path):
    async with routed.worker():
        code, out, err = await genpulse(routed, "generate", "a fox", *options, "-o", "out/", "--json")
        assert code == 0, err
    task = json.loads(out)
    assert (task["model"], [hop["model"] for hop in task["route"]["hops"]]) == ("two/b", ["one/a"])
    (saved,) = (tmp_path / "out").iterdir()
    assert saved.name.startswith("b-")


async def test_rows_of_a_file_may_name_routes_and_lists(routed, genpulse, tmp_path):
    (tmp_path / "p.jsonl").write_text(
        '{"prompt": "x"}\n{"prompt": "y", "model": "one/a,two/b"}\n{"prompt": "z", "model": "two/b"}\n'
    )
    async with routed.worker():
        command = ("generate", "-m", "portrait", "--from", "p.jsonl", "-o", "out/", "--json")
        code, _, err = await genpulse(routed, *command)
    assert code == 0, err
    tasks = (await routed.get("/v1/tasks")).json["data"]
    assert sorted(task["model"] for task in tasks) == ["two/b"] * 3
    assert sorted(len(task["route"]["hops"]) if task["route"] else 0 for task in tasks) == [0, 1, 1]


@pytest.mark.parametrize(
    ("words", "asked", "first", "kinds"),
    [
        ("two/b", "two/b", "two/b", (KIND,)),
        ("portrait", "portrait", "one/a", (KIND,)),
        ("single", "single", "several/d", (KIND,)),
        ("several/d", "several/d", "several/d", ("image-to-image", KIND)),
        ("several/d,two/b", ("several/d", "two/b"), "several/d", (KIND,)),
        ("free/c,two/b", ("free/c", "two/b"), "free/c", (KIND,)),
        ("two/b,free/c", ("two/b", "free/c"), "two/b", (KIND,)),
        ("free/c,portrait", ("free/c", "portrait"), "free/c", (KIND,)),
    ],
)
async def test_the_kinds_are_those_that_all_models_do(routed, words, asked, first, kinds):
    async with AsyncGenPulse(routed.url) as client:
        model = await model_named(client, words)
    assert (asked_as(words), model.id, model.kinds) == (asked, first, kinds)


@pytest.mark.parametrize("words", ["portraits", "one/a,portraits", "", " , "])
async def test_words_that_name_nothing_are_refused_with_what_there_is(routed, words):
    async with AsyncGenPulse(routed.url) as client:
        with pytest.raises(CommandRefused, match="portrait, single" if words.strip(" ,") else "names no model"):
            await model_named(client, words)
