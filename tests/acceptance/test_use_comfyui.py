"""Every piece of code of the how-to about ComfyUI: copied from there, and run."""

import json

import pytest
import yaml

from genpulse.provider import ProviderSettings
from genpulse.providers.comfyui import provider
from genpulse.providers.comfyui.folder import read_folder
from genpulse.providers.comfyui.workflow import AnyWorkflow, checked, filled, titled
from tests.acceptance.snippets import Page, catalogue_of, understood
from tests.unit.providers.comfyui.workflows import changed

PAGE = Page("how-to/use-comfyui.md")
GRAPH = changed(
    **{"10": {"class_type": "LoadImage", "inputs": {"image": "x.png"}}},
    STYLE={"class_type": "PrimitiveString", "inputs": {"value": "ink"}, "_meta": {"title": "STYLE"}},
)


@pytest.mark.parametrize("number", range(2))
def test_each_configuration_opens_the_provider(tmp_path, number):
    text = [one for one in PAGE.blocks("yaml") if "development:" in one][number]
    catalogue = catalogue_of(yaml.safe_load(text)["development"]["providers"], tmp_path)
    assert "comfyui" in catalogue.providers()
    assert not catalogue.broken


def test_the_sheet_makes_a_model_with_those_inputs(tmp_path):
    (tmp_path / "foxes.json").write_text(json.dumps(GRAPH))
    (tmp_path / "foxes.yaml").write_text(PAGE.block("title: Foxes"))
    found = read_folder(tmp_path)
    assert not found.faults
    (model, _) = provider(ProviderSettings(options={"workflows": str(tmp_path)})).models
    schema = model.input.model_json_schema()
    assert set(schema["properties"]) == {"prompt", "seed", "width", "style", "image"}
    assert schema["properties"]["style"]["enum"] == ["ink", "oil"]


def test_an_order_with_any_workflow_is_taken():
    line = next(line for line in PAGE.text.splitlines() if '"workflow": { … }' in line)
    graph = {"1": {"class_type": "A", "inputs": {"text": "x"}, "_meta": {"title": "INPUT_prompt"}}}
    order = json.loads(line.replace("{ … }", json.dumps(graph)))
    wanted = AnyWorkflow.model_validate(order["input"])
    assert filled(checked(wanted.workflow), titled(graph), wanted.inputs)["1"]["inputs"]["text"] == "a red fox"


@pytest.mark.parametrize("words", PAGE.commands(), ids=" ".join)
def test_each_command_is_one(words):
    assert understood(words)
