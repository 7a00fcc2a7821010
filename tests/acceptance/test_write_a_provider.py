"""The plug-in that the how-to begins with: copied from there, found, described and run."""

import asyncio
import importlib.util
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from uuid import uuid4

import pytest

from genpulse.provider import Call, ProviderSettings

PAGE = (Path(__file__).parents[2] / "docs/how-to/write-a-provider.md").read_text()


def block(language: str) -> str:
    """The first block of code in this language."""
    found = re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert found
    return found[1]


@pytest.fixture
def installed(tmp_path):
    """What an installer leaves behind for the page's two files."""
    (tmp_path / "shout.py").write_text(block("python"))
    project = tomllib.loads(block("toml"))["project"]
    metadata = tmp_path / "genpulse_shout-0.1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    for group, entries in project["entry-points"].items():
        lines = "\n".join(f"{name} = {target}" for name, target in entries.items())
        (metadata / "entry_points.txt").write_text(f"[{group}]\n{lines}\n")
    return tmp_path


def test_it_is_about_ten_lines():
    assert len([line for line in block("python").splitlines() if line.strip()]) <= 11


def test_it_is_found_and_described(installed):
    done = subprocess.run(
        [sys.executable, "-m", "genpulse", "models", "shout/loud", "--json"],
        cwd=installed,
        env={"PATH": os.defpath, "PYTHONPATH": str(installed), "GENPULSE_API__PORT": "9"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["kinds"] == ["text-to-text"]
    assert document["input_schema"]["required"] == ["text"]


def test_it_runs(installed):
    spec = importlib.util.spec_from_file_location("shout", installed / "shout.py")
    shout = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(shout)
    (model,) = shout.provider(ProviderSettings()).models
    call = Call("loud", "text-to-text", model.parse({"text": "hi"}), uuid4(), "gp-1", 1)
    result = asyncio.run(model.engine.run(call, lambda fraction, message=None: None))
    assert result.outputs[0].content == b"HI"
