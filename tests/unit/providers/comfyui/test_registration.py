"""Registering a workflow: what is written, and what is refused."""

import json

import pytest

from genpulse.provider import ProviderSettings
from genpulse.providers.catalog import LoadedCatalogue
from genpulse.providers.comfyui import provider
from genpulse.providers.comfyui.registration import WorkflowRefused, read_draft, register, sheet_for
from tests.unit.providers.comfyui.workflows import PICTURE, changed

VIDEO = {"class_type": "SaveVideo", "inputs": {"video": ["8", 0]}}
LOAD = {"class_type": "LoadImage", "inputs": {"image": "a.png"}}


@pytest.fixture
def draft(tmp_path):
    """The draft of a workflow, which lies in a file."""

    def make(graph=PICTURE, name="Red Foxes.json"):
        path = tmp_path / name
        path.write_text(graph if isinstance(graph, str) else json.dumps(graph))
        return read_draft(path)

    return make


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "deep/workflows"


def test_it_is_written_with_its_sheet_and_is_a_model(draft, folder):
    one = draft()
    sheet = sheet_for(one, one.proposed, ["9"], title="Füchse")
    workflow, beside = register(one, one.name, sheet, folder)
    assert workflow.read_bytes() == one.source.read_bytes()
    assert "seed: {node: '3', field: seed}" in beside.read_text()
    assert sorted(path.name for path in folder.iterdir()) == ["red-foxes.json", "red-foxes.yaml"]
    plug_in = provider(ProviderSettings(options={"workflows": str(folder)}))
    model = LoadedCatalogue([plug_in]).model("comfyui/red-foxes")
    assert (model.title, model.kinds) == ("Füchse", ("text-to-image",))
    fields = {"prompt", "negative_prompt", "seed", "width", "height", "steps"}
    assert set(model.input.model_fields) == fields
    assert model.input.model_json_schema().get("required", []) == []


@pytest.mark.parametrize(
    ("graph", "kind"),
    [
        (PICTURE, "text-to-image"),
        (changed(n9=VIDEO), "text-to-video"),
        (changed(n9=VIDEO, n11=LOAD), "image-to-video"),
        (changed(n9={"class_type": "SaveAudio", "inputs": {"audio": ["8", 0]}}), "any"),
    ],
)
def test_its_kind_is_what_it_looks_like(draft, graph, kind):
    assert sheet_for(draft(graph), ()).kind == kind
    assert sheet_for(draft(graph), (), kinds=["text-to-music", "noop"]).kind == ["text-to-music", "noop"]


def test_a_node_is_named_by_its_id_or_its_title_with_dots_in_it_or_without_a_field(draft, folder):
    graph = changed(**{"12:5": LOAD}, n11={**LOAD, "_meta": {"title": "v1.5"}})
    one = draft(graph)
    sheet = sheet_for(one, ["a=12:5.image", "b=v1.5", "c= 6.text "])
    register(one, "dots", sheet, folder)
    model = LoadedCatalogue([provider(ProviderSettings(options={"workflows": str(folder)}))]).model("comfyui/dots")
    assert model.input.model_json_schema()["required"] == ["a", "b"]


@pytest.mark.parametrize(
    ("graph", "words"),
    [
        ("", "the file is empty"),
        ('{"a": 1}', "no workflow in API format"),
        ('{"nodes": [], "links": []}', r"Workflow > Export \(API\)"),
        (changed(n4=None), "takes something from the node 4, which is not there"),
        (changed(n8={"class_type": "V", "inputs": {"a": ["9", 0]}}), "nodes 8, 9 wait for each other in a circle"),
        ({"1": {"class_type": "A", "inputs": {"x": ["1", 0]}}}, "nodes 1 wait for each other"),
        ({"1": {"class_type": "A", "inputs": {}, "_meta": {"title": "INPUT_x"}}}, "has no value"),
    ],
)
def test_what_is_no_whole_workflow_is_refused(draft, graph, words):
    with pytest.raises(WorkflowRefused, match=words):
        draft(graph)


def test_a_file_that_is_not_there_or_a_folder_is_refused(tmp_path):
    with pytest.raises(WorkflowRefused, match="No such file"):
        read_draft(tmp_path / "nowhere.json")
    with pytest.raises(WorkflowRefused, match="directory"):
        read_draft(tmp_path)


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        (["prompt"], "names no input"),
        (["=6.text"], "names no input"),
        (["Prompt=6.text"], "names no input"),
        (["json=6.text"], "names no input"),
        (["a=6.text", "a=7.text"], "Two inputs are named a"),
        (["a=60.text"], "0 nodes named '60'"),
        (["a=6.clip"], "has no value 'clip' to set; it has text"),
    ],
)
def test_an_input_that_cannot_be_is_refused_and_nothing_is_written(draft, folder, inputs, words):
    one = draft()
    with pytest.raises(WorkflowRefused, match=words):
        register(one, "foxes", sheet_for(one, inputs), folder)
    assert not folder.exists()


def test_a_workflow_without_an_output_is_refused_unless_one_is_named(draft):
    one = draft(changed(n9=None))
    with pytest.raises(WorkflowRefused, match=r"saves or shows anything \(its last ones are VAEDecode\)"):
        sheet_for(one, ())
    assert sheet_for(one, (), ["8"]).outputs == ["8"]


@pytest.mark.parametrize("name", ["", "workflow", "object_info", "../foxes", "Foxes", "a b", ".hidden", "a/b"])
def test_a_name_that_no_workflow_can_have_is_refused(draft, folder, name):
    one = draft()
    with pytest.raises(WorkflowRefused, match="--name"):
        register(one, name, sheet_for(one, ()), folder)


def test_what_is_there_stays_unless_it_is_to_be_replaced(draft, folder):
    one = draft()
    register(one, "foxes", sheet_for(one, ()), folder)
    with pytest.raises(WorkflowRefused, match=r"foxes\.json is there already.*--replace"):
        register(one, "foxes", sheet_for(one, one.proposed), folder)
    register(one, "foxes", sheet_for(one, one.proposed), folder, replaces=True)
    assert "prompt" in (folder / "foxes.yaml").read_text()


def test_another_file_of_the_same_model_is_never_replaced(draft, folder):
    folder.mkdir(parents=True)
    (folder / "Foxes.json").write_text(json.dumps(PICTURE))
    one = draft()
    with pytest.raises(WorkflowRefused, match=r"Foxes\.json is comfyui/foxes already"):
        register(one, "foxes", sheet_for(one, ()), folder, replaces=True)


def test_a_workflow_that_lies_in_the_folder_gets_its_sheet_alone(draft, tmp_path):
    one = draft(name="foxes.json")
    before = one.source.stat().st_mtime_ns
    register(one, "foxes", sheet_for(one, ()), tmp_path)
    assert one.source.stat().st_mtime_ns == before
    with pytest.raises(WorkflowRefused, match=r"foxes\.yaml is there already"):
        register(one, "foxes", sheet_for(one, ()), tmp_path)


def test_a_folder_that_cannot_be_is_named(draft, tmp_path):
    one = draft()
    (tmp_path / "file").write_text("")
    with pytest.raises(WorkflowRefused, match="file cannot be written"):
        register(one, "foxes", sheet_for(one, ()), tmp_path / "file")
