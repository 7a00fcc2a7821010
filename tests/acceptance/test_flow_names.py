"""`genpulse flow` where the lanes have other names, from the day it is adopted to the first release."""

import json
import subprocess

import pytest

from tests.acceptance.flow_team import Team
from tests.integration.branching.clones import ENVIRONMENT

LANES = ("develop", "staging", "master")


@pytest.fixture
def old(tmp_path):
    """A repository that has had its lanes and releases for years, without the flow."""
    bare, folder = tmp_path / "remote.git", tmp_path / "work"
    for place in (["--bare", str(bare)], [str(folder)]):
        subprocess.run(["git", "init", "-q", "-b", "master", *place], env=ENVIRONMENT, check=True)
    team = Team(folder, bare)
    team.commit("readme.md", "Something\n")
    team.git("remote", "add", "origin", str(bare))
    for lane in LANES[:2]:
        team.git("branch", lane)
    team.git("tag", "-a", "v1.2.3", "-m", "From before")
    team.git("push", "-q", "origin", *LANES, "v1.2.3", "HEAD:refs/heads/gh-pages")
    team.git("switch", "-q", "develop")
    return team


def pasted(team, text):
    """What `install` says to do next, word for word, but for a merge in place of a pull request."""
    commands = [line.strip() for line in text.splitlines() if line.startswith("  ")]
    for command in commands:
        if command == "genpulse flow finish":
            team.flow("finish", "--merge")
        else:
            team.shell(command)


def test_from_adoption_to_a_release(old):
    said = old.flow("install", "--yes", "--baseline", "v1.2.3", "--lanes", "develop,staging,master")
    steps = said.partition("Next, so that it counts:")[2]
    assert "git switch -c feature/adopt-the-flow" in steps
    pasted(old, steps)
    state = json.loads(old.flow("status", "--fetch", "--json"))
    assert [*state["lanes"]] == [*LANES]
    assert [violation["code"] for violation in state["violations"]] == ["stranger_branch"]
    assert "staging" in old.flow("promote", "staging", "--dry-run")
    old.flow("promote", "test", "--merge")
    assert "v1.3.0-rc.1" in old.flow("rc", "--version", "1.3.0")
    old.flow("promote", "master", "--merge")
    assert "v1.3.0 is released" in old.flow("release")
    assert "v1.3.0 is a verified release" in old.flow("verify")
    assert "Production" in old.flow("deployable", "--ref", "v1.3.0", "--env", "main")
    assert "Production" in old.flow("deployable", "--ref", "v1.2.3", "--env", "main")
    picture = old.flow("status")
    assert all(lane in picture for lane in LANES)


def test_other_words_are_refused_by_the_names_of_here(old):
    pasted(old, old.flow("install", "--yes", "--lanes", ",".join(LANES)).partition("counts:")[2])
    assert "can only merge into develop" in old.refused("check", "--head", "feature/x", "--base", "master")
    assert "Merges go into develop, staging, master only" in old.refused("check", "--head", "x", "--base", "dev")
    assert old.run("promote", "develop").returncode == 2
    assert "'nonsense' is not staging or master" in old.run("promote", "nonsense").stderr
    old.flow("start", "feature/x")
    assert "feature/y must start from develop" in old.refused("start", "feature/y", "master")


def test_what_is_drawn_fits_a_terminal_without_such_signs(old):
    pasted(old, old.flow("install", "--yes", "--lanes", ",".join(LANES)).partition("counts:")[2])
    done = old.started("status", LC_ALL="C", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.isascii()
    assert "develop" in done.stdout


def test_nobody_is_there_to_say_yes(old):
    done = old.run("install")
    assert done.returncode == 2
    assert "Nothing was changed: nobody is there to say yes" in done.stderr
    assert old.git("status", "--porcelain") == ""
    assert old.run("install", "--json").returncode == 2
    shown = json.loads(old.flow("install", "--json", "--dry-run"))
    assert (shown["written"], old.git("status", "--porcelain")) == (False, "")


def test_installed_and_taken_back(old):
    old.flow("install", "--yes", "--baseline", "1.2.3")
    assert old.git("config", "core.hooksPath") == ".githooks"
    done = json.loads(old.flow("uninstall", "--yes", "--json"))
    assert {file["path"] for file in done["files"]} >= {".github/flow.pyz", ".githooks/pre-push", ".flow.toml"}
    assert old.git("status", "--porcelain") == ""
    assert "rulesets" in old.flow("uninstall", "--yes")


def test_a_baseline_that_there_is_not(old):
    assert "there is no tag v9.0.0" in old.refused("install", "--yes", "--baseline", "9.0.0")
