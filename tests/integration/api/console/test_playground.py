"""Asking for something by hand."""

import json
from decimal import Decimal

import pytest

from genpulse.console.options import ConsoleOptions
from genpulse.domain.keys.api_key import Scope
from genpulse.provider import Model, Provider
from genpulse.providers.catalog import LoadedCatalogue
from tests.api_keys import added
from tests.integration.api.conftest import Print, Sketch
from tests.integration.api.console.browser import Browser, query_of


@pytest.fixture
def catalogue_of():
    def make(easel):
        models = (
            Model("easel", ("text-to-image",), Sketch, easel, price=lambda _: Decimal("0.04")),
            Model("print", ("text-to-image", "text-to-video"), Sketch, Print()),
        )
        return LoadedCatalogue([Provider("art", models)])

    return make


async def only_task(served):
    (task,) = (await served.get("/v1/tasks")).json["data"]
    return task


async def test_from_form_to_result(console, browser):
    page = await browser.press(await browser.get("/console/playground"), "Show its form", model="art/easel")
    priced = await browser.press(page, "What does it cost?", **{"input.prompt": "a hare", "input.width": "32"})
    assert "At most $0.04." in priced.text
    assert (await console.get("/v1/tasks")).json["data"] == []
    done = await browser.press(priced, "Run")
    task = await only_task(console)
    assert query_of(done)["from"] == task["id"]
    assert task["input"] == {"prompt": "a hare", "width": 32}
    assert f'data-live="/console/live/task/{task["id"]}"' in done.html
    async with console.worker():
        await console.ended(task["id"])
    assert "succeeded" in (await browser.get(done.path)).text
    (noted,) = await console.services.console.actions()
    assert (noted.action, noted.subject, noted.outcome) == ("task.submit", "art/easel", "done")


async def test_run_again_with_changes(console, browser):
    first = (await console.submit(input={"prompt": "one\ntwo <b>", "width": 16}, priority="high")).json["id"]
    page = await browser.follow(await browser.get(f"/console/tasks/{first}"), "Run again with changes …")
    fields = dict(page.form("Run").fields)
    assert (fields["input.prompt"], fields["input.width"], fields["priority"]) == ("one\ntwo <b>", "16", "high")
    await browser.press(page, "Run", **{"input.prompt": "three"})
    newest = (await console.get("/v1/tasks")).json["data"][0]
    assert (newest["input"], newest["priority"]) == ({"prompt": "three", "width": 16}, "high")


async def test_a_button_that_is_pressed_twice_makes_one_task(console, browser):
    page = await browser.get("/console/playground?model=art/easel")
    for prompt in ("a hare", "a hare", "a dog"):
        await browser.press(page, "Run", **{"input.prompt": prompt})
    tasks = (await console.get("/v1/tasks")).json["data"]
    assert [task["input"]["prompt"] for task in tasks] == ["a dog", "a hare"]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"input.prompt": "x", "input.width": "0"}, "greater than or equal to 1"),
        ({"input.prompt": "x", "input.width": "wide"}, "It has to be a whole number"),
        ({"input.prompt": ""}, "prompt"),
        ({"input": "{"}, "It is no JSON"),
        ({"input": "[1]"}, "It has to be an object"),
        ({"input": '{"prompt": "x", "odd": 1}'}, "/odd"),
    ],
)
async def test_what_does_not_fit_is_told_where_it_stands_and_nothing_is_lost(console, browser, fields, said):
    page = await browser.get("/console/playground?model=art/easel")
    refused = await browser.press(page, "Run", **fields)
    assert refused.status == 422
    assert said in refused.text
    form = dict(refused.form("Run").fields)
    for name, value in fields.items():
        assert form[name] == value
    assert (await console.get("/v1/tasks")).json["data"] == []


async def test_an_input_that_no_form_can_say_is_written_as_json(console, browser):
    page = await browser.get("/console/playground?model=art/easel")
    await browser.press(page, "Run", input=json.dumps({"prompt": "as json", "width": 8}))
    assert (await only_task(console))["input"] == {"prompt": "as json", "width": 8}


async def test_a_model_that_is_gone_is_told(console, browser):
    page = await browser.get("/console/playground?model=art/none")
    assert "There is no model art/none here." in page.text
    empty = await browser.get("/console/playground")
    assert "Choose a model" in empty.text
    refused = await browser.press(
        await browser.get("/console/playground?model=art/easel"), "Run", model="art/none"
    )
    assert refused.status == 422
    assert "art/none" in refused.text


async def test_in_main_the_name_is_asked_for(served_console):
    served = await served_console(ConsoleOptions(asks_for_name=True))
    browser = Browser(served.url)
    page = await browser.get("/console/playground?model=art/easel")
    assert (await browser.press(page, "What does it cost?", **{"input.prompt": "x"})).status == 200
    assert (await browser.press(page, "Run", **{"input.prompt": "x"})).status == 422
    assert (await served.get("/v1/tasks")).json["data"] == []
    await browser.press(page, "Run", environment="dev", **{"input.prompt": "x"})
    assert len((await served.get("/v1/tasks")).json["data"]) == 1


async def test_who_may_only_read_has_no_playground(console):
    _, headers = await added(console.services.keys, scopes=frozenset({Scope.READ}))
    browser = Browser(console.url)
    await browser.post("/console/log-in", ("key", headers["Authorization"].removeprefix("Bearer ")))
    assert (await browser.get("/console/playground")).status == 403
    assert "Playground" not in (await browser.get("/console")).text
