"""The folder of registered workflows: one bad file leaves the others alone."""

import json
import re

import pytest

from genpulse.domain.errors import BadInput
from genpulse.provider import InvalidInput, ProviderSettings
from genpulse.providers.catalog import LoadedCatalogue
from genpulse.providers.comfyui import provider
from genpulse.providers.comfyui.folder import read_folder
from genpulse.providers.comfyui.nodes import Nodes
from genpulse.providers.comfyui.workflow import filled, titled
from tests.unit.providers.comfyui.workflows import PICTURE, changed

GOOD = json.dumps(PICTURE)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "foxes.json").write_text(GOOD)
    return tmp_path


def plug_in(folder):
    return provider(ProviderSettings(options={"workflows": str(folder)}))


def model_of(folder, name="foxes"):
    return LoadedCatalogue([plug_in(folder)]).model(f"comfyui/{name}")


@pytest.mark.parametrize(
    ("graph", "sheet", "words"),
    [
        ("", "", "the file is empty"),
        ("not json", "", "it is no JSON"),
        (b"\xff\xfe\xfa", "", "it is no JSON"),
        ("[" * 100_000, "", "too deep"),
        ("[1]", "", "no workflow in API format"),
        ("{}", "", "no workflow in API format"),
        ('{"nodes": [], "links": [], "definitions": {"subgraphs": []}}', "", r"Workflow > Export \(API\)"),
        (json.dumps({"prompt": PICTURE}), "", "sent to ComfyUI's /prompt"),
        (GOOD, "inputs: {a: {node: 'nowhere'}}", "0 nodes named 'nowhere'"),
        (GOOD, "inputs: {a: {node: '3', field: model}}", "has no value 'model' to set"),
        (GOOD, "inputs: {steps: {node: '3', field: steps, default: 4.5}}", "default of steps is 4.5"),
        (GOOD, "inputs: {model_config: {node: '3', field: steps}}", "cannot be the name of an input"),
        (GOOD, "kind: Text To Image", "has to be like text-to-image"),
        (GOOD, "colour: red", "sheet does not hold: colour"),
        (GOOD, "[", "sheet is no YAML"),
        (GOOD, "just words", "sheet does not hold"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_and_the_others_are_offered(folder, graph, sheet, words):
    (folder / "bad.json").write_bytes(graph if isinstance(graph, bytes) else graph.encode())
    (folder / "bad.yaml").write_text(sheet)
    found = plug_in(folder)
    assert [model.name for model in found.models] == ["foxes", "workflow"]
    (fault,) = found.left_out.items()
    assert fault[0] == "bad.json"
    assert "\n" not in fault[1]
    assert re.search(words, fault[1])


def test_names_that_collide_leave_the_first(folder):
    for name in ("Foxes 2.json", "foxes-2.json", "workflow.json", "a$b.json"):
        (folder / name).write_text(GOOD)
    (folder / "gone.json").symlink_to("nowhere")
    (folder / "folder.json").mkdir()
    found = plug_in(folder)
    assert [model.name for model in found.models] == ["foxes-2", "foxes", "workflow"]
    assert set(found.left_out) == {"foxes-2.json", "workflow.json", "a$b.json", "gone.json", "folder.json"}
    assert "is comfyui/foxes-2 already" in found.left_out["foxes-2.json"]


def test_a_folder_that_is_none_is_told_and_one_that_is_not_there_is_empty(folder):
    assert "cannot be read" in plug_in(folder / "foxes.json").left_out["foxes.json"]
    assert read_folder(folder / "nowhere").faults == {}


def test_the_catalogue_names_what_is_left_out(folder):
    (folder / "bad.json").write_text("")
    catalogue = LoadedCatalogue([plug_in(folder)])
    (sentence,) = catalogue.left_out("comfyui")
    assert sentence.startswith("bad.json: the file is empty")
    assert catalogue.left_out("nobody") == ()


def sheet(folder, text):
    (folder / "foxes.yaml").write_text(f"inputs: {{{text}}}")
    return model_of(folder)


@pytest.mark.parametrize("given", [4.0, 4, "4"])
def test_a_whole_number_stays_whole(folder, given):
    model = sheet(folder, "steps: {node: '3', field: steps}")
    (workflow,) = read_folder(folder).workflows
    value = model.parse({"steps": given}).model_dump(mode="json")
    sent = filled(workflow.graph, workflow.sockets, value)["3"]["inputs"]["steps"]
    assert (sent, type(sent)) == (4, int)


def test_a_fraction_is_refused_where_a_whole_number_is_taken(folder):
    with pytest.raises(BadInput):
        sheet(folder, "steps: {node: '3', field: steps}").parse({"steps": 4.5})


def test_a_default_of_a_sheet_stays_whole_too(folder):
    model = sheet(folder, "steps: {node: '3', field: steps, default: 4.0}")
    (workflow,) = read_folder(folder).workflows
    sent = filled(workflow.graph, workflow.sockets, model.parse({}).model_dump(mode="json"))
    assert repr(sent["3"]["inputs"]["steps"]) == "4"


def test_what_takes_fractions_is_known_although_the_workflow_says_seven(folder):
    assert sheet(folder, "cfg: {node: '3', field: cfg}").parse({"cfg": 7.5}).cfg == 7.5


def test_a_callers_own_workflow_is_held_to_what_comfyui_says_of_its_nodes():
    graph = changed(n3={"class_type": "K", "inputs": {"steps": 20}, "_meta": {"title": "INPUT_steps"}})
    guessed = filled(graph, titled(graph), {"steps": 4.0})
    assert repr(guessed["3"]["inputs"]["steps"]) == "4"
    assert filled(graph, titled(graph), {"steps": 4.5})["3"]["inputs"]["steps"] == 4.5, "nobody knows its type"
    nodes = Nodes({"K": {"input": {"required": {"steps": ["INT", {"min": 1}]}}}})
    with pytest.raises(InvalidInput, match=r"whole number, and 4\.5 is none"):
        filled(graph, titled(graph, nodes), {"steps": 4.5})
