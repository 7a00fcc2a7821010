"""The wheel of the client, in an environment with nothing but what it says it needs."""

import asyncio
import re
import tarfile
import venv
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import pytest
from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[4]
PACKAGE = ROOT / "packages/genpulse-client"
MOST_DEPENDENCIES = 5
PROGRAM = """
import importlib.util, sys
from genpulse_client import GenPulse
assert importlib.util.find_spec("genpulse") is None
genpulse = GenPulse(sys.argv[1])
task = genpulse.generate("art/easel", {"prompt": "a fox"})
print(genpulse.download(task.outputs[0], "fox.txt").read_text())
"""


def required(name, found=None):
    """The names of all distributions that one needs here, itself among them."""
    found = {} if found is None else found
    if name not in found:
        found[name] = distribution(name)
        for line in found[name].requires or ():
            needed = Requirement(line)
            if needed.marker is None or needed.marker.evaluate({"extra": ""}):
                required(re.sub(r"[-_.]+", "-", needed.name).lower(), found)
    return found


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    (built,) = WheelBuilder(str(PACKAGE)).build(
        directory=str(tmp_path_factory.mktemp("dist")), versions=["standard"]
    )
    return Path(built)


@pytest.fixture(scope="module")
def python(wheel, tmp_path_factory):
    """The interpreter of an environment in which the wheel is installed."""
    home = tmp_path_factory.mktemp("environment")
    venv.create(home, symlinks=True)
    (site,) = home.glob("lib/python*/site-packages")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
        (metadata,) = [name for name in archive.namelist() if name.endswith("/METADATA")]
        lines = archive.read(metadata).decode().splitlines()
    needs = [Requirement(line.partition(": ")[2]) for line in lines if line.startswith("Requires-Dist: ")]
    assert len(needs) <= MOST_DEPENDENCIES
    for need in needs:
        for each in required(need.name).values():
            for top in {path.parts[0] for path in each.files if ".." not in path.parts}:
                if not (site / top).exists():
                    (site / top).symlink_to(each.locate_file(top))
    return home / "bin/python"


async def test_it_runs_a_task(api, python, tmp_path):
    async with api.worker():
        process = await asyncio.create_subprocess_exec(
            *(python, "-I", "-c", PROGRAM, api.url),
            cwd=tmp_path,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
    assert (process.returncode, said.decode()) == (0, "drawing of a fox\n")


def test_nothing_but_the_package_is_in_it(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert {name.split("/")[0].partition("-")[0] for name in names} == {"genpulse_client"}
    assert "genpulse_client/py.typed" in names
    assert not [name for name in names if "__pycache__" in name]


def test_the_sdist_builds_the_same_wheel(tmp_path, wheel):
    (built,) = SdistBuilder(str(PACKAGE)).build(directory=str(tmp_path), versions=["standard"])
    with tarfile.open(built) as archive:
        archive.extraction_filter = getattr(tarfile, "data_filter", None)  # Python before 3.11.4 has none
        archive.extractall(tmp_path)
    (folder,) = [path for path in tmp_path.iterdir() if path.is_dir()]
    (again,) = WheelBuilder(str(folder)).build(directory=str(tmp_path), versions=["standard"])
    with zipfile.ZipFile(again) as one, zipfile.ZipFile(wheel) as other:
        assert sorted(one.namelist()) == sorted(other.namelist())
