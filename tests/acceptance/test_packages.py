"""What `make packages` makes can be installed where there is no checkout."""

import email
import json
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from packages import build

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def dist(tmp_path_factory):
    """The folder with the packages for Python."""
    folder = tmp_path_factory.mktemp("dist")
    build.build_server(folder)
    build.build_client(folder)
    return folder


def needs(metadata):
    """What metadata say that is needed of the client."""
    lines = email.message_from_string(metadata).get_all("Requires-Dist")
    (line,) = [line for line in lines if line.startswith("genpulse-client")]
    return Requirement(line)


def texts(path):
    """Each file of a package, where it is text."""
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as archive:
            return {name: archive.read(name).decode(errors="replace") for name in archive.namelist()}
    with tarfile.open(path) as archive:
        files = [member for member in archive if member.isfile()]
        return {each.name: archive.extractfile(each).read().decode(errors="replace") for each in files}


def test_they_name_the_client_by_its_versions_and_no_path_of_this_machine(dist):
    packages = sorted(dist.iterdir())
    assert [path.name.partition("-0")[0] for path in packages] == [
        "genpulse",
        "genpulse",
        *["genpulse_client"] * 2,
    ]
    for path in packages:
        for name, text in texts(path).items():
            assert "{root:uri}" not in text, (path.name, name)
            assert str(ROOT) not in text, (path.name, name)
            if path.name.startswith("genpulse-") and name.endswith(("METADATA", "PKG-INFO")):
                need = needs(text)
                assert need.url is None
                assert need.specifier.contains(f"{path.name.split('-')[1].removesuffix('.tar.gz')}")


def test_the_sdist_of_the_server_holds_the_server_alone(dist):
    (path,) = dist.glob("genpulse-*.tar.gz")
    tops = {name.split("/")[1] for name in texts(path)}
    assert tops >= {"genpulse", "config", "compose.yaml", "pyproject.toml", "README.md", "CHANGELOG.md"}
    assert not tops & {"docs", "examples", "packages", "tests", "bench"}


def test_a_source_tree_names_the_client_beside_it(tmp_path):
    words = (sys.executable, "-m", "hatchling", "metadata", "dependencies")
    made = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    (line,) = [line for line in json.loads(made.stdout) if line.startswith("genpulse-client")]
    assert Requirement(line).url == (ROOT / "packages/genpulse-client").as_uri()
