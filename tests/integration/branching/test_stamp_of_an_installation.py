"""A stamp goes into an installed GenPulse when somebody says so, for its files as they are, and is taken back."""

import json
import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from genpulse.branching.git.repository import Repository
from genpulse.branching.releases.installed_package import is_of, package_in
from genpulse.cli.app import genpulse
from genpulse.environment.build_info import (
    BUILD_FILE,
    PACKAGE,
    BrokenBuildInfo,
    Build,
    package_digest,
    read_build_info,
    write_into_package,
)
from tests.integration.branching.clones import ENVIRONMENT

FILES = {"__init__.py": "", "environment/build_info.py": "x = 1\n", "deep/module.py": "y = 2\n"}
FINAL = Build("1.2.3", "a" * 40, "b" * 40, "v1.2.3", repository="https://example.com/acme/shop.git")


def laid(folder):
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def package(tmp_path):
    return laid(tmp_path / "venv/lib/python3.12/site-packages/genpulse")


@pytest.fixture
def flow(done, monkeypatch):
    """The command in the clone of a product that is out at its release v0.1.0."""
    monkeypatch.chdir(done.folder)
    done.git("checkout", "--quiet", "v0.1.0")

    def run(*arguments):
        return CliRunner().invoke(genpulse, ["flow", "stamp", *map(str, arguments)], env=ENVIRONMENT)

    return run


def test_this_genpulse_is_found_by_what_reads_its_stamp():
    assert package_in(PACKAGE) == PACKAGE
    assert is_of(Repository(PACKAGE.parent, ENVIRONMENT))


def refusals(result):
    return [refusal["code"] for refusal in json.loads(result.stdout)["refusals"]]


def test_nobody_is_asked_and_nothing_is_written(flow):
    assert not BUILD_FILE.exists()
    result = flow("--json")
    assert (result.exit_code, refusals(result)) == (1, ["stamp_not_confirmed"])
    assert str(PACKAGE) in result.stderr
    assert "v0.1.0, commit" in result.stderr
    assert not BUILD_FILE.exists()


@pytest.mark.parametrize("below", [".", "lib/python3.12/site-packages", "lib/python3.12/site-packages/genpulse"])
def test_an_installation_that_is_named_is_stamped_and_unstamped(flow, done, tmp_path, package, below):
    into = tmp_path / "venv" / below
    result = flow("--into", into, "--json")
    assert result.exit_code == 0, result.output
    stamp = read_build_info(package / BUILD_FILE.name)
    assert (stamp.tag, stamp.repository, stamp.is_final) == (
        "v0.1.0",
        done.git("remote", "get-url", "origin"),
        True,
    )
    assert json.loads(result.stdout)["repository"] == done.git("remote", "get-url", "origin")
    assert f"of {stamp.repository}" in str(stamp)
    back = flow("--into", into, "--remove", "--json")
    assert json.loads(back.stdout) == {"path": str(package / BUILD_FILE.name), "removed": True}
    assert "There is no stamp" in flow("--into", into, "--remove").stdout
    assert sorted(path.name for path in package.iterdir()) == ["__init__.py", "deep", "environment"]


def test_a_stamp_file_is_taken_back(flow, tmp_path):
    file = tmp_path / "build.json"
    assert flow("--output", file).exit_code == 0
    assert "is taken back" in flow("--output", file, "--remove").stdout
    assert not file.exists()


@pytest.mark.parametrize("content", [b"[project]\n", b"{}", b"\xff\xfe", b""])
def test_no_other_file_is_taken_back(flow, tmp_path, content):
    file = tmp_path / "pyproject.toml"
    file.write_bytes(content)
    result = flow("--output", file, "--remove", "--json")
    assert (result.exit_code, refusals(result)) == (1, ["file_in_the_way"])
    assert file.read_bytes() == content


def test_a_stamp_that_is_broken_is_taken_back(flow, package):
    (package / BUILD_FILE.name).write_text("{")
    assert "is taken back" in flow("--into", package, "--remove").stdout
    assert not (package / BUILD_FILE.name).exists()


def test_where_no_genpulse_is_or_two_are(flow, tmp_path, package):
    empty = tmp_path / "empty"
    empty.mkdir()
    result = flow("--into", empty, "--json")
    assert (result.exit_code, refusals(result)) == (1, ["path_in_the_way"])
    laid(tmp_path / "venv/lib/python3.13/site-packages/genpulse")
    result = flow("--into", tmp_path / "venv", "--json")
    assert (result.exit_code, refusals(result)) == (1, ["path_in_the_way"])
    assert "more than one" in result.stderr


def test_options_that_exclude_each_other(flow, tmp_path):
    result = flow("--into", tmp_path, "--output", tmp_path / "x", "--json")
    assert (result.exit_code, refusals(result)) == (2, ["usage_wrong"])


@pytest.fixture
def own(done):
    """A clone of GenPulse itself."""
    laid(done.folder / "genpulse")
    done.git("add", "--all")
    done.git("commit", "-qm", "The package")
    done.git("tag", "here")


def changed(path):
    path.write_text("z = 3\n")


@pytest.mark.parametrize(
    "change",
    [
        lambda package: changed(package / "environment/build_info.py"),
        lambda package: changed(package / "deep" / "more.py"),
        lambda package: (package / "deep" / "module.py").unlink(),
    ],
)
def test_of_genpulse_itself_only_the_commit_that_is_installed(own, flow, done, tmp_path, package, change):
    done.git("checkout", "--quiet", "here")
    assert flow("--into", tmp_path / "venv", "--offline").exit_code == 0
    (package / BUILD_FILE.name).unlink()
    change(package)
    result = flow("--into", tmp_path / "venv", "--offline", "--json")
    assert (result.exit_code, refusals(result)) == (1, ["stamp_of_another_build"])
    assert "1 of its files differ" in result.stderr
    assert not (package / BUILD_FILE.name).exists()


def test_a_stamp_does_not_outlive_the_files_that_it_was_written_for(package):
    stamped = write_into_package(FINAL, package)
    assert read_build_info(package / BUILD_FILE.name) == stamped
    assert stamped.package == package_digest(package)
    (package / "__pycache__").mkdir()
    (package / "__pycache__" / "build_info.pyc").write_bytes(b"made by Python")
    assert stamped.package == package_digest(package)
    upgraded = shutil.copytree(package, package.parent.parent / "upgraded" / "genpulse")
    changed(upgraded / "deep" / "module.py")
    with pytest.raises(BrokenBuildInfo, match="flow stamp --remove"):
        read_build_info(upgraded / BUILD_FILE.name)


@pytest.mark.parametrize("login", ["robot:s3cret", "s3cret", "robot:p@s3cret", "robot@acme.com:@s3cret@"])
def test_no_login_is_in_a_stamp(flow, done, tmp_path, login):
    done.git("remote", "set-url", "origin", f"https://{login}@example.com/acme/shop.git")
    result = flow("--output", tmp_path / "build.json", "--offline")
    assert result.exit_code == 0, result.output
    assert read_build_info(tmp_path / "build.json").repository == "https://example.com/acme/shop.git"
    assert "s3cret" not in (tmp_path / "build.json").read_text()


@pytest.fixture
def installed(tmp_path):
    """A copy of this GenPulse, as it would be installed."""
    site = tmp_path / "site"
    shutil.copytree(PACKAGE, site / "genpulse", ignore=shutil.ignore_patterns("__pycache__"))
    (site / "genpulse" / "defaults").mkdir()
    shutil.copy(PACKAGE.parent / "config" / "config.yaml", site / "genpulse" / "defaults")
    return site


def at_terminal(site: Path, folder: Path, typed: str, *arguments: str):
    ours, theirs = pty.openpty()
    try:
        os.write(ours, f"{typed}\n".encode())
        return subprocess.run(
            [sys.executable, "-m", "genpulse", *arguments],
            cwd=folder,
            env={**ENVIRONMENT, "PYTHONPATH": str(site), "PYTHONDONTWRITEBYTECODE": "1", "ENV": "dev"},
            stdin=theirs,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    finally:
        os.close(ours)
        os.close(theirs)


def test_a_person_is_asked_whose_tag_it_is(installed, done):
    done.git("checkout", "--quiet", "v0.1.0")
    stamp = installed / "genpulse" / BUILD_FILE.name
    asked = at_terminal(installed, done.folder, "n", "flow", "stamp")
    assert (asked.returncode, stamp.exists()) == (130, False)
    assert f"To be stamped: {installed / 'genpulse'}" in asked.stderr
    assert "it is the product's tag that counts then" in asked.stderr
    assert at_terminal(installed, done.folder, "y", "flow", "stamp").returncode == 0
    shown = at_terminal(installed, done.folder, "", "env", "show", "--json")
    assert json.loads(shown.stdout)["build"]["repository"] == done.git("remote", "get-url", "origin")
    assert json.loads(shown.stdout)["build"]["tag"] == "v0.1.0"
