"""`genpulse flow` where CI runs it: the commands of a job, by what checked the repository out."""

import json
import subprocess

import pytest

from tests.acceptance import flow_team
from tests.acceptance.flow_team import Team
from tests.acceptance.test_flow import shelf, team
from tests.integration.branching.clones import ENVIRONMENT

__all__ = ["shelf", "team"]

TAG = "refs/tags/v1.0.0"


@pytest.fixture
def released(shelf, tmp_path):
    """A team and a remote with the release v1.0.0."""
    return flow_team.of(shelf.clone(tmp_path, flow_team.version_1))


@pytest.fixture
def job(released, tmp_path):
    folder = tmp_path / "job"
    subprocess.run(["git", "init", "-q", str(folder)], env=ENVIRONMENT, check=True)
    found = Team(folder, released.bare)
    found.git("remote", "add", "origin", f"file://{released.bare}")
    return found


def checked_out(job):
    """actions/checkout before v6.0.2, with the whole history, on the event of a tag."""
    job.git("fetch", "-q", "origin", "+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*")
    commit = job.git("rev-parse", "v1.0.0^{commit}")
    job.git("fetch", "-q", "--no-tags", "origin", f"+{commit}:{TAG}")
    job.git("checkout", "-q", TAG)
    assert job.git("cat-file", "-t", "v1.0.0") == "commit"


@pytest.mark.parametrize(
    "command",
    [["deployable", "--ref", TAG, "--env", "main"], ["verify", "v1.0.0"], ["stamp"], ["release", "--list"]],
    ids=lambda command: command[0],
)
def test_a_job_on_a_tag(job, tmp_path, command):
    checked_out(job)
    options = ["--output", str(tmp_path / "build.json")] if command == ["stamp"] else []
    assert "v1.0.0" in job.flow(*command, *options, CI="true")
    assert job.git("cat-file", "-t", "v1.0.0") == "tag"


def test_a_shallow_checkout(job, tmp_path):
    commit = job.git("ls-remote", "origin", f"{TAG}^{{}}").split()[0]
    job.git("fetch", "-q", "--no-tags", "--depth=1", "origin", f"+{commit}:{TAG}")
    job.git("checkout", "-q", TAG)
    stamp = tmp_path / "build.json"
    for command in (
        ["deployable", "--ref", TAG, "--env", "main"],
        ["verify", "v1.0.0"],
        ["stamp", "--output", str(stamp)],
        ["check", "--head", "test", "--base", "main"],
    ):
        done = job.run(*command, CI="true")
        assert done.returncode == 1, command
        assert "this is a shallow clone" in done.stderr
        assert "fetch-depth: 0" in done.stderr
    assert not stamp.exists()


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"}, "git config --global --add safe.directory"),
        ({"PATH": "/nonexistent"}, "git is not on PATH"),
        ({"GIT_DIR": "/nonexistent"}, "not a git repository"),
    ],
    ids=["ownership", "no git", "no repository"],
)
def test_the_gate_is_shut_when_git_cannot_answer(team, changed, words):
    for head, base in (("feature/x", "dev"), ("dev", "test"), ("test", "main"), ("dependabot/pip/x", "dev")):
        done = team.run("check", "--head", head, "--base", base, **changed)
        assert (done.returncode, words in done.stderr) == (1, True), done.stderr
        assert team.run("check", "--names-only", "--head", head, "--base", base, **changed).returncode == 0
    document = json.loads(team.run("check", "--head", "dev", "--base", "test", "--json", **changed).stdout)
    assert document["allowed"] is False
    assert document["refusals"][0]["code"] in {"ownership_dubious", "git_missing", "no_repository"}


def test_a_job_deploys_what_it_has_checked_out(released, job):
    team = released
    team.work("feature/more", "more.py", "x\n")
    team.flow("promote", "test", "--merge")
    job.git("fetch", "-q", "origin", "+refs/heads/*:refs/remotes/origin/*")
    job.git("checkout", "-q", "-B", "test", "refs/remotes/origin/test")
    asked = ["deployable", "--ref", "refs/heads/test", "--env", "test"]
    assert job.flow(*asked, CI="true")
    team.work("feature/later", "later.py", "x\n")
    team.flow("promote", "test", "--merge")
    assert "what is checked out is" in job.refused(*asked)
    commit = team.git("ls-remote", "origin", "refs/heads/test").split()[0]
    assert job.flow(*asked, "--commit", commit)
    rollback = ["deployable", "--ref", "v1.0.0", "--env", "main"]
    assert "deploy its build" in job.run(*rollback).stderr
    assert json.loads(job.flow(*rollback, "--json"))["checked_out"] is False
    assert "what is checked out is" in job.refused(*rollback, CI="true")
    assert json.loads(job.flow(*rollback, "--json", "--commit", "v1.0.0", CI="true"))["checked_out"] is True


def test_the_environment_is_read_from_env_files_as_processes_read_it(released):
    (released.folder / ".env").write_text("ENV=main\n")
    assert "runs verified final tags" in released.refused("deployable", "--ref", "test")
    assert "ENV=main" in released.flow("deployable", "--ref", "v1.0.0")
    assert "belongs to Testing" in released.flow("deployable", "--ref", "test", ENV="test")
    (released.folder / ".env").write_text("ENV=prod\n")
    assert released.run("deployable", "--ref", "test").returncode == 78


def test_a_topic_is_no_shared_target(released):
    released.flow("start", "feature/open")
    released.commit("open.py", "x\n")
    released.git("push", "-q", "origin", "feature/open")
    assert "belongs to Local Dev" in released.refused("deployable", "--ref", "feature/open", "--env", "dev")
    assert "belongs to Local Dev" in released.flow("deployable", "--ref", "feature/open")


def test_a_push_is_judged_by_what_it_brought(released):
    arrived = released.git("ls-remote", "origin", "refs/heads/main").split()[0]
    released.work("feature/more", "more.py", "x\n")
    released.flow("promote", "test", "--merge")
    released.git("fetch", "-q", "origin")
    asked = ["check", "--head", "test", "--base", "main"]
    assert released.run(*asked).returncode == 1
    assert released.flow(*asked, "--arrived", arrived, "--before", released.git("rev-parse", f"{arrived}^"))
