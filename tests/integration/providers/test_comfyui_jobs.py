"""What a ComfyUI says of a prompt, and what is made of it."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from genpulse.dev.processes.ports import free_port
from genpulse.provider import (
    Charged,
    FailureCode,
    OutputUnavailable,
    ProviderRejected,
    ProviderUnavailable,
    ProviderUnreachable,
    QuestionRefused,
)
from genpulse.provider.http import AnswerUnusable
from genpulse.providers.comfyui import provider
from genpulse.testing.server import PNG
from tests.integration.providers.prompts import GOOD, PROMPT, WANTED, ComfyUI
from tests.integration.providers.scripted import (
    content_of,
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


async def contents(engine: Any, comfyui: ComfyUI) -> list[tuple[bytes, bool]]:
    outputs = (await engine.collect(comfyui.job)).outputs
    return [(await content_of(output), output.is_text) for output in outputs]


PICTURE = (PNG, False)


@pytest.mark.parametrize(
    ("outputs", "texts"),
    [
        ({"4": GOOD}, []),
        ({"4": GOOD, "5": {"text": "a red fox"}}, ["a red fox"]),
        ({"4": GOOD, "5": {"text": ["a red fox", "at dawn"]}}, ["a red fox", "at dawn"]),
        ({"4": GOOD, "5": {"text": None}}, []),
        ({"4": GOOD, "5": {"text": ""}}, []),
        (
            {"4": GOOD, "5": {"text": [None, "", " ", [["deep"]], 7, 0.5, True, {"a": "b"}]}},
            ["deep", "7", "0.5", "b"],
        ),
        ({"4": GOOD, "5": {"text": 7}}, ["7"]),
        ({"4": GOOD, "5": {"text": {"0": "a red fox"}}}, ["a red fox"]),
        ({"4": GOOD, "5": {"string": "a red fox", "text": None}}, ["a red fox"]),
        ({"4": GOOD, "5": None}, []),
        ({"4": GOOD, "5": 7, "6": True, "7": "text", "8": []}, []),
        ({"4": GOOD, "5": {"images": None}}, []),
        ({"4": GOOD, "5": {"images": [None, 7, "x.png", {}, {"filename": None}, {"filename": ""}]}}, []),
        ({"4": GOOD, "5": {"images": {"filename": 7}}}, []),
        ({"4": {"images": GOOD["images"][0]}}, []),
        ({"4": {"images": {"0": GOOD["images"][0]}}}, []),
        ({"4": {"images": [GOOD["images"]]}}, []),
        ({"4": GOOD["images"]}, []),
        ({"4": GOOD["images"][0]}, []),
        ([GOOD], []),
        ([None, GOOD, 7], []),
        ({"4": {**GOOD, "animated": [False], "text": "a red fox"}}, ["a red fox"]),
        ({"4": {"gifs": GOOD["images"], "images": GOOD["images"]}}, []),
        ({"4": GOOD, "5": {"text": "half \ud83d"}}, ["half ?"]),
        ({"4": GOOD, "5": {"images": [{"filename": "p.png", "type": "temp"}]}}, []),
    ],
)
async def test_what_is_odd_costs_no_good_picture(comfyui, engine, outputs, texts):
    comfyui.entry = {"outputs": outputs, "status": {"status_str": "success"}}
    assert (await engine.poll(comfyui.job)).done
    assert await contents(engine, comfyui) == [PICTURE, *((text.encode(), True) for text in texts)]


@pytest.mark.parametrize(
    "status",
    [
        None,
        7,
        "success",
        [],
        {},
        {"status_str": None},
        {"status_str": ["error"]},
        {"status_str": "success", "messages": None},
        {"status_str": "success", "messages": {"execution_error": {}}},
        {"status_str": "success", "messages": [None, 7, [], ["x"], [{}, {}], "execution_error"]},
        {"status_str": "of another time", "completed": False},
    ],
)
async def test_an_odd_status_costs_no_good_picture(comfyui, engine, status):
    comfyui.entry = {"outputs": {"4": GOOD}, "status": status}
    assert (await engine.poll(comfyui.job)).done
    assert await contents(engine, comfyui) == [PICTURE]


async def test_texts_alone_are_an_output(comfyui, engine):
    comfyui.entry = {"outputs": {"5": {"text": "a red fox"}}}
    assert await contents(engine, comfyui) == [(b"a red fox", True)]


@pytest.mark.parametrize(
    "outputs", [None, {}, [], 7, "x", {"4": None}, {"4": {"images": [None]}}, {"4": {"text": None}}]
)
async def test_a_workflow_that_made_nothing_says_so(comfyui, engine, outputs):
    comfyui.entry = {"outputs": outputs}
    with pytest.raises(OutputUnavailable, match="has made no file"):
        await engine.collect(comfyui.job)


@pytest.mark.parametrize(
    ("type_", "subfolder", "query"),
    [
        ("output", "a b", "filename=%2B%26%23%25+%C3%BC.png&subfolder=a+b&type=output"),
        (None, None, "filename=%2B%26%23%25+%C3%BC.png&subfolder=&type=output"),
        (7, ["a"], "filename=%2B%26%23%25+%C3%BC.png&subfolder=&type=output"),
        ("temp", "", "filename=%2B%26%23%25+%C3%BC.png&subfolder=&type=temp"),
    ],
)
async def test_a_file_is_asked_for_by_its_own_name(comfyui, engine, type_, subfolder, query):
    file = {"filename": "+&#% ü.png", "subfolder": subfolder, "type": type_}
    comfyui.entry = {"outputs": {"4": {"images": [file]}}}
    assert await contents(engine, comfyui) == [PICTURE]
    assert comfyui.asked[-1].path == f"/view?{query}"


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        ({"status_str": "error", "messages": [["execution_error", {"node_id": "1", "node_type": "LoadImage",
          "exception_message": "no such file", "exception_type": "OSError"}]]}, ProviderRejected,
         r"node 1 \(LoadImage\): no such file"),
        ({"status_str": "ERROR", "messages": [["execution_error", {"node_id": 1}]]}, ProviderRejected, "node 1"),
        ({"status_str": "error", "messages": None}, ProviderRejected, "The workflow failed"),
        ({"status_str": "error", "messages": {"a": 1}}, ProviderRejected, "The workflow failed"),
        ({"status_str": "error", "messages": [["execution_error", None], ["execution_error"], None, 7, "ab"]},
         ProviderRejected, "The workflow failed"),
        ({"status_str": "error", "messages": [["execution_error", {"exception_message": ["a"], "node_id": {}}]]},
         ProviderRejected, "The workflow failed"),
        ({"status_str": "error", "messages": [["execution_interrupted", {}]]}, ProviderRejected, "interrupted"),
        ({"status_str": "error", "messages": [["execution_error", {"exception_type": "torch.OutOfMemoryError"}]]},
         ProviderUnavailable, "out of memory"),
        ("error", ProviderRejected, "The workflow failed"),
    ],
)  # fmt: skip
async def test_why_a_workflow_failed(comfyui, engine, status, error, words):
    comfyui.entry = {"outputs": {}, "status": status}
    failed = (await engine.poll(comfyui.job)).failed
    assert type(failed) is error
    with pytest.raises(error, match=words):
        raise failed


@pytest.mark.parametrize(
    ("queue", "message"),
    [
        ({"queue_running": [], "queue_pending": [[2, "b"], [1, "a"], [3, PROMPT]]}, "2 before it"),
        ({"queue_running": [[1, "a"]], "queue_pending": [["x", PROMPT], None, 7, [], [3], [2, 7], [2, "b"]]},
         "2 before it"),
        ({"queue_running": [], "queue_pending": [[float("nan"), PROMPT], [10**400, "b"], [None, "c"], [True, "d"],
                                                 [-(10**400), "e"]]}, "2 before it"),
    ],
)  # fmt: skip
async def test_the_place_in_the_queue(comfyui, engine, queue, message):
    comfyui.entry, comfyui.queue = None, queue
    assert (await engine.poll(comfyui.job)).message == f"{message} in ComfyUI's queue"


async def test_a_prompt_of_which_no_trace_is_left_was_lost_with_its_server(comfyui, engine):
    comfyui.entry = None
    failed = (await engine.poll(comfyui.job)).failed
    assert type(failed) is ProviderUnavailable
    assert failed.charged is Charged.NO
    assert await engine.find(comfyui.job.call) is None
    with pytest.raises(QuestionRefused) as caught:
        await engine.collect(comfyui.job)
    assert caught.value.missing


@pytest.mark.parametrize(
    "queue",
    [
        {},
        {"message": "ok"},
        {"queue_running": None, "queue_pending": []},
        {"queue_running": [], "queue_pending": {}},
        7,
    ],
)
async def test_an_answer_that_is_no_queue_does_not_say_that_a_prompt_was_lost(comfyui, engine, queue):
    comfyui.entry, comfyui.queue = None, queue
    for question, about in ((engine.poll, comfyui.job), (engine.find, comfyui.job.call)):
        with pytest.raises(AnswerUnusable):
            await question(about)


@pytest.mark.parametrize("entry", [7, [], "x", False])
async def test_an_entry_that_is_none_does_not_say_so_either(comfyui, engine, entry):
    comfyui.entry = entry
    for question, about in ((engine.poll, comfyui.job), (engine.find, comfyui.job.call)):
        with pytest.raises(AnswerUnusable):
            await question(about)


async def test_a_prompt_is_looked_for_at_every_server_that_answers(comfyui):
    comfyui.entry, comfyui.queue = None, {"queue_running": [[1, PROMPT]], "queue_pending": []}
    dead = f"http://127.0.0.1:{free_port()}"
    for urls in (f"{dead}, {comfyui.base_url}", f"{comfyui.base_url}, {dead}"):
        engine = engine_of(provider(comfyui.settings(base_url=urls)), "workflow")
        assert (await engine.find(comfyui.job.call)).job_id == comfyui.job.id
    comfyui.queue = {"queue_running": [], "queue_pending": []}
    with pytest.raises(ProviderUnreachable):
        await engine.find(comfyui.job.call)


async def test_what_is_in_the_history_was_taken_however_little_it_says(comfyui, engine):
    comfyui.entry = {}
    assert (await engine.find(comfyui.job.call)).job_id == comfyui.job.id


@pytest.mark.parametrize("question", ["poll", "collect", "cancel"])
async def test_a_server_that_is_configured_no_more_cannot_be_asked(comfyui, engine, question):
    with pytest.raises(QuestionRefused, match="no longer names") as caught:
        await getattr(engine, question)(job_of(f"http://gone:8188|{PROMPT}", WANTED))
    assert caught.value.because is FailureCode.PROVIDER_REJECTED


def event(kind: Any, **data: Any) -> str:
    return json.dumps({"type": kind, "data": {"prompt_id": PROMPT, **data}})


ODD_NODES = [
    None,
    7,
    [],
    "x",
    {"1": None},
    {"1": 7},
    {"1": {"value": None, "max": 2}},
    {"1": {"value": "1", "max": 2}},
    {"1": {"value": 1}},
    {"1": {"value": 1, "max": 0}},
    {"1": {"value": float("nan"), "max": float("nan")}},
    {"1": {"value": -1, "max": 2}},
    {"1": {"value": 10**400, "max": 10**401}},
    {"1": {"value": float("inf"), "max": -1}},
]


async def test_no_message_over_the_socket_is_too_odd_for_the_next(comfyui, engine):
    comfyui.says = [
        *("null", "7", "[]", "{}", '"x"', "", "no JSON", "[" * 10_000, '{"type": 7, "data": 7}'),
        *(b"", b"\x00", b"\x00\x00\x00\x01"),
        *(event(kind) for kind in (None, 7, ["executing"], {}, "executing", "progress_state", "of another time")),
        event("executing", node={"a": 1}),
        *(event("progress_state", nodes=nodes) for nodes in ODD_NODES),
        json.dumps({"type": "progress_state", "data": {"prompt_id": [PROMPT], "nodes": {}}}),
        event("progress_state", nodes={"1": {"value": 1, "max": 2}}),
    ]
    comfyui.entry, comfyui.queue = None, {"queue_running": [[1, PROMPT]], "queue_pending": []}
    await engine.submit(comfyui.job.call)
    async with asyncio.timeout(60):
        while (fraction := (await engine.poll(comfyui.job)).fraction) != 0.5:
            assert fraction in {None, 0.0}
            await asyncio.sleep(0.01)
