"""The wheel alone, in an empty folder: everything that it needs is in it."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The unpacked wheel. What it depends on comes from the environment of the tests."""
    folder = tmp_path_factory.mktemp("wheel")
    (built,) = WheelBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"])
    with zipfile.ZipFile(built) as wheel:
        wheel.extractall(folder / "site")
    return folder / "site"


def run(installed, folder, *arguments, **environment):
    return subprocess.run(
        [sys.executable, "-P", "-m", "genpulse", *arguments],
        cwd=folder,
        env={"PATH": os.defpath, "PYTHONPATH": str(installed), "PYTHONDONTWRITEBYTECODE": "1", **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_packaged_defaults_are_used(installed, tmp_path):
    where = subprocess.run(
        [sys.executable, "-P", "-c", "import genpulse; print(genpulse.__file__)"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(installed), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert where.stdout.startswith(str(installed))
    done = run(installed, tmp_path, "config", "explain", "api.port")
    assert (done.returncode, done.stderr) == (0, "")
    assert "→ default     8000   (the packaged defaults [default] line" in done.stdout


def test_the_database_is_upgraded_from_the_wheel(installed, tmp_path, database_url):
    done = run(installed, tmp_path, "db", "upgrade", GENPULSE_DATABASE_URL=database_url)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Applied 0001" in done.stdout


def test_the_typing_of_the_package_is_shipped(installed):
    assert (installed / "genpulse/py.typed").is_file()


def test_nothing_but_the_package_is_in_it(installed):
    assert {path.name.partition("-")[0] for path in installed.iterdir()} == {"genpulse"}
    assert not list(installed.rglob("__pycache__"))
    assert not list(installed.rglob("build.json"))
