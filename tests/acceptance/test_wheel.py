"""The wheel alone, in an empty folder: everything that it needs is in it."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

from genpulse.environment.build_info import BUILD_FILE, Build, write_build_info

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    (built,) = WheelBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"])
    return Path(built)


@pytest.fixture(scope="module")
def installed(wheel):
    """The unpacked wheel. What it depends on comes from the environment of the tests, and is compiled there."""
    with zipfile.ZipFile(wheel) as content:
        content.extractall(wheel.parent / "site")
    return wheel.parent / "site"


def run(installed, folder, *arguments, **environment):
    return subprocess.run(
        [sys.executable, "-P", "-m", "genpulse", *arguments],
        cwd=folder,
        env={"PATH": os.defpath, "PYTHONPATH": str(installed), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_packaged_defaults_are_used(installed, tmp_path):
    where = subprocess.run(
        [sys.executable, "-P", "-c", "import genpulse; print(genpulse.__file__)"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(installed)},
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


@pytest.fixture(scope="module")
def image(installed, tmp_path_factory):
    site = tmp_path_factory.mktemp("image") / "site"
    shutil.copytree(installed, site)
    return site


@pytest.fixture
def stamped(image):
    """It as an image has it: with the stamp of the tag that is given."""

    def stamping(tag):
        write_build_info(Build("1.0.0", "a" * 40, "b" * 40, tag), image / "genpulse" / BUILD_FILE.name)
        return image

    return stamping


def test_the_version_of_an_image_is_that_of_its_tag(installed, stamped, tmp_path):
    assert run(installed, tmp_path, "--version").stdout.startswith("genpulse 0.")
    site = stamped("v1.0.0")
    assert run(site, tmp_path, "--version").stdout == "genpulse 1.0.0\n"
    (site / "genpulse" / BUILD_FILE.name).write_text("{}")
    broken = run(site, tmp_path, "--version")
    assert (broken.returncode, "build the image again" in broken.stderr) == (1, True)


def test_the_gate_is_packed_from_an_installed_package(installed, tmp_path):
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    done = run(installed, tmp_path, "flow", "install", "--yes")
    assert done.returncode == 0, done.stderr
    gate = [sys.executable, "-I", "-S", ".github/flow.pyz", "check", "--names-only", "--head", "feature/x"]
    assert subprocess.run(gate, cwd=tmp_path, env={}, check=False, capture_output=True).returncode == 0


def test_an_image_assumes_no_environment(stamped, tmp_path):
    done = run(stamped("v1.0.0"), tmp_path, "env", "show")
    assert done.returncode == 78
    assert "No environment is named, and a built image assumes none. Set ENV=dev|test|main." in done.stderr


@pytest.mark.parametrize(("tag", "code"), [("v1.0.0", 0), ("v1.0.0-rc.1", 78), ("", 78)])
def test_production_starts_the_image_of_a_final_tag_alone(stamped, tmp_path, tag, code):
    production = {
        "ENV": "main",
        "GENPULSE_DATABASE_URL": "postgresql://u@db.example.com/d?sslmode=verify-full",
        "GENPULSE_REDIS__URL": "rediss://redis.example.com/0",
        "GENPULSE_STORAGE__URL": "s3://bucket/prefix",
        "GENPULSE_API__PUBLIC_URL": "https://media.example.com",
        "GENPULSE_WEBHOOKS__SECRET": "whsec_c2lnbnMgd2l0aCB0aGlz",
    }
    done = run(stamped(tag), tmp_path, "config", "check", **production)
    assert done.returncode == code, done.stderr
    assert ("starts only the build of a final tag (vX.Y.Z), and this is" in done.stderr) == bool(code)


def test_nothing_but_the_package_is_in_it(wheel):
    with zipfile.ZipFile(wheel) as content:
        names = [Path(name) for name in content.namelist()]
    assert {name.parts[0].partition("-")[0] for name in names} == {"genpulse"}
    assert not [name for name in names if "__pycache__" in name.parts or name.name == "build.json"]
