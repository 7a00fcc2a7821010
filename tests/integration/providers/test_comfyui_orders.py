"""What a ComfyUI answers to a prompt, and what is made of it."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from genpulse.provider import (
    Charged,
    InvalidInput,
    ProviderUnavailable,
    UnknownOutcome,
)
from genpulse.provider.http import AnswerUnusable
from genpulse.providers.comfyui import provider
from genpulse.providers.comfyui.workflow import AnyWorkflow
from tests.integration.providers.prompts import PROMPT, ComfyUI
from tests.integration.providers.scripted import (
    Told,
    call_of,
    engine_of,
    job_of,
)


@pytest.fixture
async def comfyui() -> AsyncIterator[ComfyUI]:
    async with ComfyUI().running() as scripted:
        assert isinstance(scripted, ComfyUI)
        yield scripted


@pytest.fixture
async def engine(comfyui) -> AsyncIterator[Any]:
    plug_in = provider(comfyui.settings(api_key=None, options={"workflows": "/nowhere"}))
    yield engine_of(plug_in, "workflow")
    await plug_in.close()


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (400, {"error": {"message": "no prompt"}, "node_errors": {}}, "no prompt"),
        (400, {"error": "no prompt"}, "no prompt"),
        (400, {"error": None, "node_errors": [1]}, "does not take the workflow"),
        (400, {"node_errors": {"2": {"class_type": "A", "errors": [{"message": "m", "details": "d"}, None]},
                               "3": 7}}, r"node 2 \(A\): m: d"),
        (400, {"node_errors": {"2": {"class_type": None, "errors": [{"message": None, "details": ["d"]}]}}},
         "node 2"),
        (400, b"<html>Bad Request</html>", "Bad Request"),
        (400, b"[" * 10_000, "400"),
    ],
)  # fmt: skip
async def test_a_workflow_that_does_not_hold_is_refused(comfyui, engine, status, body, words):
    comfyui.told["/prompt"] = Told(body, status)
    with pytest.raises(InvalidInput, match=words) as caught:
        await engine.submit(comfyui.job.call)
    assert caught.value.charged is Charged.NO


@pytest.mark.parametrize("status", [408, 409, 500, 502, 503, 504])
async def test_any_other_status_leaves_the_order_to_be_looked_up(comfyui, engine, status):
    comfyui.told["/prompt"] = Told({"error": {"message": "no prompt"}}, status)
    with pytest.raises(UnknownOutcome):
        await engine.submit(comfyui.job.call)


@pytest.mark.parametrize(
    "answer",
    [
        {"prompt_id": PROMPT, "error": {"message": "a part does not hold"}},
        {"prompt_id": PROMPT, "node_errors": {"2": {"errors": [{"message": "a part does not hold"}]}}},
        {"error": "a part does not hold"},
    ],
)
@pytest.mark.parametrize("stops", [200, 500])
async def test_what_is_taken_in_part_is_stopped_and_refused(comfyui, engine, answer, stops):
    comfyui.told = {"/prompt": Told(answer), "POST /queue": Told({}, stops)}
    with pytest.raises(InvalidInput, match="a part does not hold"):
        await engine.submit(comfyui.job.call)
    assert json.loads(next(one.body for one in comfyui.asked if one.path == "/queue" and one.body)) == {
        "delete": [PROMPT]
    }


@pytest.mark.parametrize("prompt_id", [None, "", " ", True, [PROMPT]])
async def test_a_prompt_without_an_id_is_looked_up(comfyui, engine, prompt_id):
    comfyui.told["/prompt"] = Told({"prompt_id": prompt_id, "node_errors": None})
    with pytest.raises(AnswerUnusable, match="names no job"):
        await engine.submit(comfyui.job.call)


async def test_a_prompt_under_an_id_of_the_servers_own_is_asked_for_by_that(comfyui, engine):
    comfyui.told["/prompt"] = Told({"prompt_id": "a|b#c", "number": 1})
    comfyui.told["/history/a%7Cb%23c"] = Told({"a|b#c": comfyui.entry})
    job = job_of((await engine.submit(comfyui.job.call)).job_id, comfyui.job.call.input)
    assert (await engine.poll(job)).done
    assert len((await engine.collect(job)).outputs) == 1


async def test_an_id_that_the_server_does_not_know_itself_is_none(comfyui, engine):
    comfyui.entry = None
    comfyui.told["/prompt"] = Told({"prompt_id": "another", "number": 1})
    with pytest.raises(AnswerUnusable, match="does not know"):
        await engine.submit(comfyui.job.call)


async def test_what_is_taken_in_part_under_such_an_id_is_stopped_by_that(comfyui, engine):
    comfyui.told["/prompt"] = Told({"prompt_id": "theirs", "error": "a part does not hold"})
    with pytest.raises(InvalidInput):
        await engine.submit(comfyui.job.call)
    (delete,) = (one for one in comfyui.asked if one.path == "/queue" and one.method == "POST")
    assert delete.json() == {"delete": ["theirs"]}


@pytest.mark.parametrize("kept", [[], {}, {"name": None}, {"name": ["a"]}, b"no JSON"])
async def test_a_picture_that_is_kept_nowhere_orders_nothing(comfyui, engine, kept):
    graph = {"2": {"class_type": "LoadImage", "inputs": {"image": "x"}, "_meta": {"title": "INPUT_p"}}}
    wanted = AnyWorkflow(workflow=graph, inputs={"p": "data:image/png;base64,aGk="})
    comfyui.told["/upload/image"] = Told(kept)
    with pytest.raises(ProviderUnavailable, match="where it keeps a picture"):
        await engine.submit(call_of(wanted))
    assert "/prompt" not in [one.path for one in comfyui.asked]


@pytest.mark.parametrize(
    "node",
    [
        {"class_type": "A", "_meta": None},
        {"class_type": "A", "_meta": "INPUT_x"},
        {"class_type": "A", "_meta": {"title": ["INPUT_x"]}, "inputs": {"a": 1}},
        {"class_type": "A", "inputs": None},
        {"class_type": "A", "inputs": [1]},
        {"class_type": "A", "inputs": "x", "_meta": {"title": "INPUT_x"}},
    ],
)
async def test_a_callers_workflow_may_be_as_odd_as_any(comfyui, engine, node):
    with pytest.raises(InvalidInput) as caught:
        await engine.submit(call_of(AnyWorkflow(workflow={"1": node}, inputs={"x": 1})))
    assert caught.value.charged is Charged.NO
