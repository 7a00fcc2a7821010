"""Every verb of `genpulse flow` speaks to programs, also when it refuses."""

import json
import os
import subprocess

import pytest
from click.testing import CliRunner

from genpulse.cli.app import genpulse
from genpulse.cli.flow.command import command
from tests import flow_command

ARGUMENTS = {
    "start": ["feature/x"],
    "promote": ["test"],
    "deployable": ["--ref", "v1.0.0"],
    "check": ["--head", "hotfix/x", "--base", "main"],
    "install": ["--yes"],
}
NEEDS_NOTHING = {"graph"}


def flow(folder, *arguments, **environment):
    return flow_command.run(["flow", *arguments], folder, {"PATH": os.environ["PATH"], **environment})


@pytest.mark.parametrize("verb", [verb for verb in command.list_commands(None) if verb not in NEEDS_NOTHING])
def test_every_verb_refuses_with_a_document(tmp_path, verb):
    done = flow(tmp_path, verb, *ARGUMENTS.get(verb, []), "--json")
    assert done.returncode == 1, done.stderr
    document = json.loads(done.stdout)
    refusals = document["refusals"]
    if verb != "check":
        assert (document["ok"], document["reason"]) == (False, refusals[0]["message"])
    assert [refusal["code"] for refusal in refusals] == [
        "name_not_in_model" if verb == "check" else "no_repository"
    ]
    for refusal in refusals:
        assert set(refusal) == {"code", "message", "rule", "found", "note", "mend"}
        assert isinstance(refusal["mend"], list)
        assert refusal["rule"] in done.stderr


def test_a_drawing_for_programs(tmp_path):
    rows = json.loads(flow(tmp_path, "graph", "--json").stdout)
    assert [(row["branch"], row["merges_into"]) for row in rows] == [
        ("main", None),
        ("test", "main"),
        ("dev", "test"),
        ("feature/*", "dev"),
        ("fix/*", "dev"),
    ]


def test_without_the_option_nothing_is_on_standard_output(tmp_path):
    done = flow(tmp_path, "status")
    assert (done.returncode, done.stdout) == (1, "")


def test_an_environment_that_nobody_knows(tmp_path):
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    done = flow(tmp_path, "deployable", "--ref", "HEAD", "--json", ENV="prod")
    assert done.returncode == 78
    assert [refusal["code"] for refusal in json.loads(done.stdout)["refusals"]] == ["environment_unknown"]
    assert "prod" in done.stderr


def test_a_stamp_that_cannot_be_written(tmp_path):
    for arguments in (
        ["init", "-q"],
        ["-c", "user.name=A", "-c", "user.email=a@b.c", "commit", "-qm", "x", "--allow-empty"],
    ):
        subprocess.run(["git", *arguments], cwd=tmp_path, check=True)
    done = flow(tmp_path, "stamp", "--json", "--output", str(tmp_path / "nowhere" / "build.json"))
    assert done.returncode == 1
    assert [refusal["code"] for refusal in json.loads(done.stdout)["refusals"]] == ["file_in_the_way"]
    assert "No such file or directory" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense", "--json"],
        ["--nonsense", "--json"],
        ["start", "--json"],
        ["start", "feature/x", "--json", "--nonsense"],
        ["deployable", "--ref", "x", "--env", "prod", "--json"],
        ["status", "--fetch", "--offline", "--json"],
        ["check", "--head", "x", "--json"],
        ["rc", "--approve", "--bump", "--json"],
    ],
    ids=" ".join,
)
def test_a_wrong_usage_is_told_to_programs(arguments):
    done = CliRunner().invoke(genpulse, ["flow", *arguments])
    assert done.exit_code == 2
    document = json.loads(done.stdout)
    (refusal,) = document["refusals"]
    assert (document["ok"], document["reason"]) == (False, refusal["message"])
    assert refusal["code"] == "usage_wrong"
    assert refusal["found"] in done.stderr
    assert refusal["mend"][0].endswith("--help")
    without = CliRunner().invoke(genpulse, ["flow", *(word for word in arguments if word != "--json")])
    assert (without.exit_code, without.stdout) == (2, "")
