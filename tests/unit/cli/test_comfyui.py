"""`genpulse comfyui`: workflows as models of their own."""

import asyncio
import json
import os
import pty
from contextlib import closing

import pytest

from genpulse.dev.processes.ports import free_port
from tests import command
from tests.fakes.comfyui import FakeComfyUI
from tests.unit.providers.comfyui.workflows import PICTURE


@pytest.fixture
def project(tmp_path):
    (tmp_path / "foxes.json").write_text(json.dumps(PICTURE))
    return tmp_path


@pytest.fixture
def genpulse(project):
    """Runs a command in the project, with no ComfyUI unless one is named."""

    def run(*words, comfyui=None, **more):
        url = comfyui or f"http://127.0.0.1:{free_port()}"
        environment = {
            "ENV": "dev",
            "GENPULSE_PROVIDERS__COMFYUI__BASE_URL": url,
            "GENPULSE_API__PORT": str(free_port()),
        }
        return command.run(*words, folder=project, environment=environment, **more)

    return run


def test_what_is_named_becomes_inputs_without_a_question(project, genpulse):
    words = ("--input", "words=6.text", "--input", "seed=3.seed", "--kind", "text-to-image")
    done = genpulse("comfyui", "add", "foxes.json", *words)
    assert done.returncode == 0, done.stderr
    assert "comfyui/foxes takes words, seed" in done.stdout
    assert "Types are guessed until" in done.stderr
    assert (project / "workflows/foxes.json").read_text() == (project / "foxes.json").read_text()
    again = genpulse("comfyui", "add", "foxes.json", "--yes")
    assert (again.returncode, "--replace" in again.stderr) == (1, True)
    assert "prompt" in genpulse("comfyui", "add", "foxes.json", "--yes", "--replace").stdout


def test_where_nobody_can_be_asked_it_says_what_to_type(project, genpulse):
    done = genpulse("comfyui", "add", "foxes.json")
    assert done.returncode == 1
    assert "--yes (prompt=6.text negative_prompt=7.text seed=3.seed" in done.stderr
    assert not (project / "workflows").exists()


def test_a_person_is_asked_until_the_answer_can_be_used(project, genpulse):
    ours, theirs = pty.openpty()
    os.write(ours, b"words=nowhere.text\nwords=6.text luck=3.seed\n")
    with closing(os.fdopen(ours, "rb", 0)), closing(os.fdopen(theirs, "rb", 0)):
        done = genpulse("comfyui", "add", "foxes.json", stdin=theirs)
    assert done.returncode == 0, done.stderr
    assert "EmptyLatentImage" in done.stdout
    assert "0 nodes named 'nowhere'" in done.stderr
    assert "luck: {node: '3', field: seed}" in (project / "workflows/foxes.yaml").read_text()


async def test_a_comfyui_that_answers_is_asked_for_types_at_once(project, genpulse):
    fake = FakeComfyUI()
    async with fake.running():
        done = await asyncio.to_thread(genpulse, "comfyui", "add", "foxes.json", "--yes", comfyui=fake.base_url)
    assert "are described in workflows/object_info.json now" in done.stdout, done.stderr
    assert "KSampler" in json.loads((project / "workflows/object_info.json").read_text())


def test_check_names_each_fault_and_lists_the_others(project, genpulse):
    assert genpulse("comfyui", "check").returncode == 0
    genpulse("comfyui", "add", "foxes.json", "--yes")
    (project / "workflows/bad.json").write_text("")
    done = genpulse("comfyui", "check")
    assert (done.returncode, "comfyui/foxes" in done.stdout) == (1, True)
    assert "bad.json: the file is empty" in done.stderr
    told = json.loads(genpulse("comfyui", "check", "--json").stdout)
    assert (set(told["models"]), set(told["faults"])) == ({"comfyui/foxes"}, {"bad.json"})


def test_models_and_doctor_name_it_too(project, genpulse):
    (project / "workflows").mkdir()
    (project / "workflows/bad.json").write_text("")
    models = genpulse("models")
    assert "comfyui/workflow" in models.stdout
    assert "bad.json" in models.stderr
    findings = json.loads(genpulse("doctor", "--json").stdout)
    (finding,) = (one for one in findings if "bad.json" in one["detail"])
    assert (finding["name"], finding["level"]) == ("provider comfyui", "warning")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "the file is empty"),
        ('{"nodes": [], "links": []}', "Workflow > Export (API)"),
        ('{"name": "package.json"}', "no workflow in API format"),
    ],
)
def test_what_is_no_workflow_is_refused_in_a_line(project, genpulse, content, words):
    (project / "foxes.json").write_text(content)
    done = genpulse("comfyui", "add", "foxes.json", "--yes")
    assert done.returncode == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr
