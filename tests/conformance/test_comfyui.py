"""ComfyUI passes the conformance kit, and does what only ComfyUI has."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator

import pytest

from genpulse.adapters.http.http_client import HttpClient
from genpulse.dev.processes.ports import free_port
from genpulse.domain.errors import BadInput
from genpulse.domain.task import TaskStatus
from genpulse.lifecycle.cancel import cancel
from genpulse.provider import InvalidInput, ProviderSettings, ProviderUnavailable
from genpulse.providers.comfyui import provider
from genpulse.providers.comfyui.nodes import Nodes, Widget
from genpulse.providers.comfyui.workflow import checked, filled, titled
from genpulse.testing import CHECKS, Check, Situation, Subject
from genpulse.testing.rig import rig
from genpulse.testing.server import PNG
from tests.conformance.conftest import Note
from tests.conformance.subjects import PLAIN, WORKFLOW, of_comfyui
from tests.fakes.comfyui import CAPTURES, FakeComfyUI, captured

GRAPH = captured("post_prompt_partly_invalid_200")["request"]["json"]["prompt"]


@pytest.fixture
async def fake() -> AsyncIterator[FakeComfyUI]:
    fake = FakeComfyUI()
    async with fake.running():
        yield fake


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
async def test_comfyui(check: Check, fake: FakeComfyUI, note: Note) -> None:
    await note("comfyui", check, of_comfyui(fake))


async def run(subject: Subject):
    async with rig(subject) as bench:
        async with bench.worker():
            ended = await bench.ended(await bench.submit())
        return ended, await bench.content(ended)


async def test_a_workflow_is_filled_at_its_titles_and_its_pictures_are_brought_first(fake):
    uri = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
    ended, contents = await run(of_comfyui(fake, workflow=WORKFLOW, inputs={"width": 128, "picture": uri}))
    assert contents == (PNG,), ended.error
    (body,) = fake.prompts.values()
    (folder,) = fake.uploads
    assert body["prompt"]["1"]["inputs"]["width"] == 128
    assert body["prompt"]["2"]["inputs"]["image"] == f"{folder}/up.png"
    assert fake.uploads[folder] == PNG


async def test_a_workflow_that_is_taken_in_part_is_refused_and_stopped(fake):
    ended, _ = await run(of_comfyui(fake, workflow=GRAPH))
    assert ended.error.code == "invalid_input"
    assert "node 2 (EmptyImage): Value -1 smaller than min of 1: width" in ended.error.message
    assert set(fake.interrupted) == set(fake.prompts)


async def test_a_missing_model_is_named(fake):
    fake.be(Situation.INVALID)
    ended, _ = await run(of_comfyui(fake))
    assert "sd15.safetensors" in ended.error.message


async def test_a_failure_names_its_node_and_shows_no_path_of_the_server(fake):
    fake.be(Situation.JOB_FAILED)
    ended, _ = await run(of_comfyui(fake))
    assert "node 1 (LoadImage)" in ended.error.message
    assert "server path" not in ended.error.message


async def test_nobody_elses_prompt_is_stopped(fake):
    fake.be(Situation.SLOW)
    fake.others = ["somebody-elses"]
    async with rig(of_comfyui(fake)) as bench, bench.worker():
        task = await bench.submit()
        async with asyncio.timeout(60):
            while not fake.prompts:
                await asyncio.sleep(0.01)
        await cancel(bench.services, task.id)
        assert (await bench.ended(task)).status is TaskStatus.CANCELED
    assert fake.deleted == list(fake.prompts)
    assert fake.interrupted == []


async def test_pictures_that_come_over_the_socket_alone_are_kept(fake):
    fake.sends_frames = True
    graph = {"4": {"class_type": "SaveImageWebsocket", "inputs": {"images": ["1", 0]}}, **PLAIN}
    _, contents = await run(of_comfyui(fake, workflow=graph))
    assert contents == ((CAPTURES / "ws_binary_frame.bin").read_bytes()[8:],)


async def test_a_text_that_a_node_shows_is_one_output_beside_the_picture(fake):
    fake.be(Situation.ODD_SHAPES)
    ended, contents = await run(of_comfyui(fake))
    assert sorted(contents) == sorted((PNG, b"a red fox")), ended.error


async def test_a_socket_that_breaks_loses_nothing(fake):
    fake.cut_sockets = True
    ended, contents = await run(of_comfyui(fake))
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


SAMPLED = {
    "1": {"class_type": "EmptyImage", "inputs": {"width": 64}, "_meta": {"title": "INPUT_width"}},
    "3": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "x"}},
    "5": {
        "class_type": "KSampler",
        "inputs": {"cfg": 7, "seed": 1, "sampler_name": "euler", "scheduler": "of another machine"},
    },
}
SHEET = """
inputs:
  cfg: {node: '5', field: cfg, max: 20}
  seed: {node: '5', field: seed}
  sampler: {node: '5', field: sampler_name}
  scheduler: {node: '5', field: scheduler}
"""


def learning(fake: FakeComfyUI, folder, http=None):
    options = {"workflows": str(folder), "any_workflow": False}
    return provider(ProviderSettings(None, fake.base_url, options, *([http] if http else [])))


@pytest.fixture
async def http() -> AsyncIterator[HttpClient]:
    client = HttpClient("test")
    yield client
    await client.close()


async def test_types_ranges_and_choices_are_those_that_the_server_tells(fake, tmp_path, http):
    (tmp_path / "sampled.json").write_text(json.dumps(SAMPLED))
    (tmp_path / "sampled.yaml").write_text(SHEET)
    unlearnt = learning(fake, tmp_path).models[0].input.model_json_schema()["properties"]
    assert unlearnt["cfg"]["type"] == "number", "the workflow says 7"
    assert "2 classes of nodes are described in" in await learning(fake, tmp_path, http).learn()

    (model,) = learning(fake, tmp_path).models
    schema = model.input.model_json_schema()["properties"]
    assert (schema["cfg"]["type"], schema["cfg"]["minimum"], schema["cfg"]["maximum"]) == ("number", 0, 20)
    assert (schema["width"]["default"], schema["width"]["maximum"]) == (64, 16_384)
    seed, nothing = schema["seed"]["anyOf"]
    assert (seed["minimum"], seed["maximum"], nothing, schema["seed"]["default"]) == (
        0,
        2**64 - 1,
        {"type": "null"},
        None,
    )
    assert "noise" in schema["seed"]["description"]
    assert {"euler", "ddpm"} <= set(schema["sampler"]["enum"])
    assert schema["scheduler"]["enum"][-1] == "of another machine"
    assert model.input(cfg=6.5, sampler="ddpm").cfg == 6.5
    with pytest.raises(BadInput, match="does not fit"):
        model.parse({"width": 20_000})
    kept = json.loads((tmp_path / "object_info.json").read_text())
    assert set(kept) == {"EmptyImage", "KSampler"}, "a file of those nodes alone whose values can be set"


async def test_a_seed_that_nobody_gives_is_drawn_for_each_task_and_whole_numbers_arrive_whole(fake, tmp_path):
    (tmp_path / "sampled.json").write_text(json.dumps(SAMPLED))
    (tmp_path / "sampled.yaml").write_text(
        "inputs: {seed: {node: '5', field: seed}, width: {node: '1', field: width}}"
    )

    def build(settings: ProviderSettings):
        return provider(ProviderSettings(None, settings.base_url, {"workflows": str(tmp_path)}, settings.http))

    for given in ({"width": 64.0}, {}, {"seed": 7.0}):
        ended, _ = await run(Subject(build, fake, "comfyui/sampled", given))
        assert ended.status is TaskStatus.SUCCEEDED, ended.error
    graphs = [body["prompt"] for body in fake.prompts.values()]
    first, second, third = (graph["5"]["inputs"]["seed"] for graph in graphs)
    assert len({first, second, 1}) == 3
    assert [repr(value) for value in (third, graphs[0]["1"]["inputs"]["width"])] == ["7", "64"]


async def test_learning_without_a_server_says_so_and_keeps_what_was_known(fake, tmp_path, http):
    (tmp_path / "sampled.json").write_text(json.dumps(SAMPLED))
    (tmp_path / "object_info.json").write_text("{}")
    fake.base_url = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(ProviderUnavailable, match="No ComfyUI answers"):
        await learning(fake, tmp_path, http).learn()
    assert (tmp_path / "object_info.json").read_text() == "{}"


async def test_with_nothing_to_learn_nothing_is_written(fake, tmp_path, http):
    assert "nothing to learn" in await learning(fake, tmp_path, http).learn()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("told", ["[]", "no json", '{"KSampler": 1}'])
async def test_what_is_no_description_of_nodes_is_told_and_learnt_anew(fake, tmp_path, http, told):
    (tmp_path / "object_info.json").write_text(told)
    (tmp_path / "sampled.json").write_text(json.dumps(SAMPLED))
    found = learning(fake, tmp_path, http)
    assert [model.name for model in found.models] == ["sampled"]
    assert "is not what a ComfyUI answers" in found.left_out["object_info.json"]
    await found.learn()
    assert not learning(fake, tmp_path).left_out


@pytest.mark.parametrize(
    ("told", "widget"),
    [
        (["COMBO", {"options": ["a", "b"]}], Widget("string", choices=("a", "b"))),
        ([[1, 2]], None),
        ([[]], None),
        (["IMAGE"], None),
        ([], None),
        ("INT", None),
        (["BOOLEAN", {"default": True}], Widget("boolean")),
        ([["x.png"], {"image_upload": True}], Widget("image")),
    ],
)
def test_what_a_server_says_of_a_value(told, widget):
    nodes = Nodes({"N": {"input": {"required": {"v": told}}}})
    assert nodes.widget("N", "v") == widget
    assert nodes.widget("Other", "v") is None


def test_a_name_that_a_workflow_does_not_have_is_refused_with_those_that_it_has():
    graph = checked(WORKFLOW)
    with pytest.raises(InvalidInput, match="has no input height; it has width, picture"):
        filled(graph, titled(graph), {"height": 1})
