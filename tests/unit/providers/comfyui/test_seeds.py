"""Seeds: random unless given."""

import json
from uuid import uuid4

import pytest

from genpulse.domain.errors import BadInput
from genpulse.provider import ProviderSettings
from genpulse.providers.comfyui import provider
from genpulse.providers.comfyui.folder import read_folder
from genpulse.providers.comfyui.seeds import LARGEST, drawn_seed
from genpulse.providers.comfyui.workflow import Socket
from tests.unit.providers.comfyui.workflows import PICTURE


def socket_of(folder, sheet):
    (folder / "foxes.json").write_text(json.dumps(PICTURE))
    (folder / "foxes.yaml").write_text(f"inputs: {{{sheet}}}")
    ((socket,),) = (one.sockets for one in read_folder(folder).workflows)
    return socket


@pytest.mark.parametrize(
    ("sheet", "kind", "default"),
    [
        ("seed: {node: '3', field: seed}", "seed", None),
        ("luck: {node: '3', field: seed}", "seed", None),
        ("luck: {node: '3', field: steps, type: seed}", "seed", None),
        ("seed: {node: '3', field: seed, default: 7}", "integer", 7),
        ("seed: {node: '3', field: seed, type: integer}", "integer", 1),
    ],
)
def test_a_seed_is_drawn_unless_the_sheet_says_otherwise(tmp_path, sheet, kind, default):
    socket = socket_of(tmp_path, sheet)
    assert (socket.kind, socket.default) == (kind, default)


def test_a_model_says_so_and_takes_null_and_no_fraction(tmp_path):
    socket_of(tmp_path, "seed: {node: '3', field: seed, min: 1}")
    model, _ = provider(ProviderSettings(options={"workflows": str(tmp_path)})).models
    schema = model.input.model_json_schema()
    assert "Random unless given." in schema["properties"]["seed"]["description"]
    assert "seed" not in schema.get("required", ())
    assert model.parse({"seed": None}).seed is None
    for wrong in (0, 4.5, "x"):
        with pytest.raises(BadInput):
            model.parse({"seed": wrong})


def test_one_task_draws_one_and_others_draw_others():
    socket, task = Socket("seed", "3", "seed", "seed", None), uuid4()
    assert drawn_seed(socket, task) == drawn_seed(socket, task)
    drawn = {drawn_seed(socket, uuid4()) for _ in range(100)}
    assert len(drawn) > 90
    assert all(0 <= one <= LARGEST for one in drawn)


@pytest.mark.parametrize(("low", "high"), [(5, 9), (0, 2**64), (3, 3), (7, 1)])
def test_it_lies_within_the_range_that_the_node_takes(low, high):
    socket = Socket("seed", "3", "seed", "seed", None, minimum=low, maximum=high)
    for _ in range(50):
        assert low <= drawn_seed(socket, uuid4()) <= max(low, min(high, 2**64 - 1))
