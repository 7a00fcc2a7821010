"""ComfyUI passes the conformance kit, and does what only ComfyUI has."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator

import pytest

from genpulse.dev.ports import free_port
from genpulse.domain.task import TaskStatus
from genpulse.lifecycle.cancel import cancel
from genpulse.provider import InvalidInput, ProviderSettings
from genpulse.providers.comfyui import provider
from genpulse.providers.comfyui.workflow import checked, filled, registered, titled
from genpulse.testing import CHECKS, Check, Situation, Subject
from genpulse.testing.rig import rig
from tests.conformance.conftest import Note
from tests.fakes.comfyui import CAPTURES, FakeComfyUI, captured
from tests.fakes.server import PNG

GRAPH = captured("post_prompt_partly_invalid_200")["request"]["json"]["prompt"]
WORKFLOW = {
    "1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64}, "_meta": {"title": "INPUT_width"}},
    "2": {"class_type": "LoadImage", "inputs": {"image": "x.png"}, "_meta": {"title": "INPUT_picture"}},
    "3": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "x"}},
}
PLAIN = {name: node for name, node in WORKFLOW.items() if name != "2"}
LACKS = {
    **dict.fromkeys(("bad_key", "no_credit", "busy", "busy_silently"), "it has no accounts"),
    "moderated": "it judges nothing",
    "odd_status": "it has no status words: a prompt is in the queue or in the history",
    "inside_output": "its files are its own",
    "notices": "it tells nothing",
}


@pytest.fixture
async def fake() -> AsyncIterator[FakeComfyUI]:
    fake = FakeComfyUI()
    async with fake.running():
        yield fake


def subject_of(fake: FakeComfyUI, **changes: object) -> Subject:
    wanted = {"workflow": PLAIN, **changes}
    return Subject(provider, fake, "comfyui/workflow", wanted, key=None, lacks=LACKS)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
async def test_comfyui(check: Check, fake: FakeComfyUI, note: Note) -> None:
    await note("comfyui", check, subject_of(fake))


async def run(subject: Subject):
    async with rig(subject) as bench:
        async with bench.worker():
            ended = await bench.ended(await bench.submit())
        return ended, await bench.content(ended)


async def test_a_workflow_is_filled_at_its_titles_and_its_pictures_are_brought_first(fake):
    uri = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
    ended, contents = await run(subject_of(fake, workflow=WORKFLOW, inputs={"width": 128, "picture": uri}))
    assert contents == (PNG,), ended.error
    (body,) = fake.prompts.values()
    (folder,) = fake.uploads
    assert body["prompt"]["1"]["inputs"]["width"] == 128
    assert body["prompt"]["2"]["inputs"]["image"] == f"{folder}/up.png"
    assert fake.uploads[folder] == PNG


async def test_a_workflow_that_is_taken_in_part_is_refused_and_stopped(fake):
    ended, _ = await run(subject_of(fake, workflow=GRAPH))
    assert ended.error.code == "invalid_input"
    assert "node 2 (EmptyImage): Value -1 smaller than min of 1: width" in ended.error.message
    assert set(fake.interrupted) == set(fake.prompts)


async def test_a_missing_model_is_named(fake):
    fake.be(Situation.INVALID)
    ended, _ = await run(subject_of(fake))
    assert "sd15.safetensors" in ended.error.message


async def test_a_failure_names_its_node_and_shows_no_path_of_the_server(fake):
    fake.be(Situation.JOB_FAILED)
    ended, _ = await run(subject_of(fake))
    assert "node 1 (LoadImage)" in ended.error.message
    assert "server path" not in ended.error.message


async def test_nobody_elses_prompt_is_stopped(fake):
    fake.be(Situation.SLOW)
    fake.others = ["somebody-elses"]
    async with rig(subject_of(fake)) as bench, bench.worker():
        task = await bench.submit()
        async with asyncio.timeout(5):
            while not fake.prompts:
                await asyncio.sleep(0.01)
        await cancel(bench.services, task.id)
        assert (await bench.ended(task)).status is TaskStatus.CANCELED
    assert fake.deleted == list(fake.prompts)
    assert fake.interrupted == []


async def test_pictures_that_come_over_the_socket_alone_are_kept(fake):
    fake.sends_frames = True
    graph = {"4": {"class_type": "SaveImageWebsocket", "inputs": {"images": ["1", 0]}}, **PLAIN}
    _, contents = await run(subject_of(fake, workflow=graph))
    assert contents == ((CAPTURES / "ws_binary_frame.bin").read_bytes()[8:],)


async def test_a_socket_that_breaks_loses_nothing(fake):
    fake.cut_sockets = True
    ended, contents = await run(subject_of(fake))
    assert contents == (PNG,), ended.error


async def test_a_dead_server_is_left_out_and_the_least_busy_is_taken(fake):
    busy = FakeComfyUI()
    busy.others = ["one", "two"]
    async with busy.running():
        urls = f"http://127.0.0.1:{free_port()}, {busy.base_url}, {fake.base_url}"

        def build(settings: ProviderSettings):
            return provider(ProviderSettings(None, urls, {}, settings.http))

        ended, contents = await run(Subject(build, fake, "comfyui/workflow", {"workflow": PLAIN}))
    assert contents == (PNG,), ended.error
    assert (fake.submits, busy.submits) == (1, 0)


async def test_where_none_answers_it_is_said(fake):
    def build(settings: ProviderSettings):
        return provider(ProviderSettings(None, f"http://127.0.0.1:{free_port()}", {}, settings.http))

    ended, _ = await run(Subject(build, fake, "comfyui/workflow", {"workflow": PLAIN}))
    assert ended.error.code == "provider_unavailable"
    assert "No ComfyUI answers" in ended.error.message


async def test_a_registered_workflow_is_a_model_with_a_schema_of_its_own(fake, tmp_path):
    (tmp_path / "Foxes.json").write_text(json.dumps(WORKFLOW))
    (tmp_path / "Foxes.yaml").write_text(
        "title: Foxes\nkind: text-to-image\noutputs: ['3']\n"
        "inputs:\n  prefix: {node: '3', field: filename_prefix, choices: [x, y]}\n"
        "  width: {node: INPUT_width, field: width, min: 16, max: 512}\n  picture: {node: '2', type: string}\n"
    )
    options = {"workflows": str(tmp_path), "any_workflow": False}

    def build(settings: ProviderSettings):
        return provider(ProviderSettings(None, settings.base_url, options, settings.http))

    (model,) = build(ProviderSettings(base_url=fake.base_url)).models
    schema = model.input.model_json_schema()["properties"]
    assert (schema["width"]["minimum"], schema["width"]["maximum"], schema["width"]["default"]) == (16, 512, 64)
    assert schema["prefix"]["enum"] == ["x", "y"]
    ended, _ = await run(Subject(build, fake, "comfyui/foxes", {"width": 32, "picture": "p.png"}))
    assert ended.kind == "text-to-image"
    (body,) = fake.prompts.values()
    assert body["prompt"]["1"]["inputs"]["width"] == 32
    with pytest.raises(Exception, match="does not fit"):
        await run(Subject(build, fake, "comfyui/foxes", {"width": 8, "picture": "p.png"}))


@pytest.mark.parametrize(
    ("graph", "sheet"),
    [("{}", ""), ("not json", ""), ('{"nodes": []}', ""), (json.dumps(PLAIN), "inputs: {a: {node: 'nowhere'}}"),
     (json.dumps(PLAIN), "colour: red"), (json.dumps(PLAIN), "[")],
)  # fmt: skip
def test_a_workflow_that_cannot_be_used_is_told_with_its_file(tmp_path, graph, sheet):
    (tmp_path / "w.json").write_text(graph)
    (tmp_path / "w.yaml").write_text(sheet)
    with pytest.raises(ValueError, match=r"w\.json cannot be used"):
        registered(tmp_path)


def test_a_name_that_a_workflow_does_not_have_is_refused_with_those_that_it_has():
    graph = checked(WORKFLOW)
    with pytest.raises(InvalidInput, match="has no input height; it has width, picture"):
        filled(graph, titled(graph), {"height": 1})
