"""What a ComfyUI answers, and what is made of it."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest

from genpulse.dev.ports import free_port
from genpulse.provider import (
    Charged,
    FailureCode,
    InvalidInput,
    OutputUnavailable,
    ProviderRejected,
    ProviderUnavailable,
    ProviderUnreachable,
    QuestionRefused,
    UnknownOutcome,
)
from genpulse.providers.comfyui import provider
from genpulse.providers.comfyui.workflow import AnyWorkflow
from genpulse.testing.server import PNG
from genpulse.wire import AnswerUnusable
from tests.integration.providers.scripted import (
    TASK,
    Asked,
    Scripted,
    Told,
    call_of,
    content_of,
    engine_of,
    job_of,
)

GRAPH = {"1": {"class_type": "SaveImage", "inputs": {"filename_prefix": "x"}}}
WANTED = AnyWorkflow(workflow=GRAPH)
PROMPT = str(UUID(TASK.hex))
GOOD = {"images": [{"filename": "good.png", "subfolder": "a b", "type": "output"}]}


class ComfyUI(Scripted):
    """Answers everything well; `told` replaces the answer of a path, `entry` is what the history holds."""

    def __init__(self) -> None:
        super().__init__()
        self.told: dict[str, Told] = {}
        self.entry: Any = {"outputs": {"4": GOOD}, "status": {"status_str": "success", "completed": True}}
        self.queue: Any = {"queue_running": [], "queue_pending": []}
        self.answer = self._answer

    def _answer(self, asked: Asked) -> Told:
        place = asked.path.partition("?")[0]
        if found := self.told.get(f"{asked.method} {place}") or self.told.get(place):
            return found
        if place.startswith("/history/"):
            return Told({} if self.entry is None else {place.rpartition("/")[2]: self.entry})
        answers = {"/queue": self.queue, "/prompt": {"prompt_id": PROMPT, "number": 1, "node_errors": {}}}
        return Told(PNG) if place == "/view" else Told(answers.get(place, {}))

    @property
    def job(self) -> Any:
        return job_of(f"{self.base_url}|{PROMPT}", WANTED)


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


@pytest.mark.parametrize("prompt_id", [None, "", "another", 7, [PROMPT]])
async def test_a_prompt_under_another_id_is_looked_up(comfyui, engine, prompt_id):
    comfyui.told["/prompt"] = Told({"prompt_id": prompt_id, "node_errors": None})
    with pytest.raises(AnswerUnusable, match="another id"):
        await engine.submit(comfyui.job.call)


@pytest.mark.parametrize("question", ["poll", "collect", "cancel"])
async def test_a_server_that_is_configured_no_more_cannot_be_asked(comfyui, engine, question):
    with pytest.raises(QuestionRefused, match="no longer names") as caught:
        await getattr(engine, question)(job_of(f"http://gone:8188|{PROMPT}", WANTED))
    assert caught.value.because is FailureCode.PROVIDER_REJECTED


@pytest.mark.parametrize("kept", [[], {}, {"name": None}, {"name": ["a"]}, b"no JSON"])
async def test_a_picture_that_is_kept_nowhere_orders_nothing(comfyui, engine, kept):
    graph = {"2": {"class_type": "LoadImage", "inputs": {"image": "x"}, "_meta": {"title": "INPUT_p"}}}
    wanted = AnyWorkflow(workflow=graph, inputs={"p": "data:image/png;base64,aGk="})
    comfyui.told["/upload/image"] = Told(kept)
    with pytest.raises(ProviderUnavailable, match="where it keeps a picture"):
        await engine.submit(call_of(wanted))
    assert "/prompt" not in [one.path for one in comfyui.asked]


@pytest.mark.parametrize(
    "value", ["http://127.0.0.1/x", "https://127.0.0.1/x", "file:///etc/passwd", "x.png", "data:,"]
)
async def test_a_picture_that_a_caller_names_is_nobodys_inside(comfyui, engine, value):
    graph = {"2": {"class_type": "LoadImage", "inputs": {"image": "x"}, "_meta": {"title": "INPUT_p"}}}
    with pytest.raises(InvalidInput):
        await engine.submit(call_of(AnyWorkflow(workflow=graph, inputs={"p": value})))
    assert {one.path for one in comfyui.asked} <= {"/queue"}


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
    async with asyncio.timeout(10):
        while (fraction := (await engine.poll(comfyui.job)).fraction) != 0.5:
            assert fraction in {None, 0.0}
            await asyncio.sleep(0.01)
