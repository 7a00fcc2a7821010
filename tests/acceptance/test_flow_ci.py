"""`genpulse flow` where CI runs it: the commands of a job, by what checked the repository out."""

import json
import subprocess

import pytest

from tests.acceptance.test_flow import ENVIRONMENT, Team, begun

TAG = "refs/tags/v1.0.0"


@pytest.fixture
def team(tmp_path):
    return begun(tmp_path)


@pytest.fixture
def remote(team):
    """A remote with the release v1.0.0, and test one change ahead of it."""
    team.work("feature/queue", "queue.py", "one\n")
    team.flow("promote", "test", "--merge")
    team.flow("rc", "--version", "1.0.0")
    team.flow("promote", "main", "--merge")
    team.flow("release")
    return team.git("remote", "get-url", "origin")


@pytest.fixture
def job(tmp_path):
    folder = tmp_path / "job"
    subprocess.run(["git", "init", "-q", "--template=", str(folder)], env=ENVIRONMENT, check=True)
    return Team(folder)


def checked_out(job, remote):
    """actions/checkout before v6.0.2, with the whole history, on the event of a tag."""
    job.git("remote", "add", "origin", f"file://{remote}")
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
def test_a_job_on_a_tag(remote, job, tmp_path, command):
    checked_out(job, remote)
    options = ["--output", str(tmp_path / "build.json")] if command == ["stamp"] else []
    assert "v1.0.0" in job.flow(*command, *options, CI="true")
    assert job.git("cat-file", "-t", "v1.0.0") == "tag"


def test_a_shallow_checkout(remote, job, tmp_path):
    job.git("remote", "add", "origin", f"file://{remote}")
    commit = job.git("ls-remote", f"file://{remote}", f"{TAG}^{{}}").split()[0]
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


def test_a_job_deploys_what_it_has_checked_out(team, remote, job):
    team.work("feature/more", "more.py", "x\n")
    team.flow("promote", "test", "--merge")
    job.git("remote", "add", "origin", f"file://{remote}")
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


def test_the_environment_is_read_from_env_files_as_processes_read_it(team, remote):
    (team.folder / ".env").write_text("ENV=main\n")
    assert "runs verified final tags" in team.refused("deployable", "--ref", "test")
    assert "ENV=main" in team.flow("deployable", "--ref", "v1.0.0")
    assert "belongs to Testing" in team.flow("deployable", "--ref", "test", ENV="test")
    (team.folder / ".env").write_text("ENV=prod\n")
    assert team.run("deployable", "--ref", "test").returncode == 78


def test_a_topic_is_no_shared_target(team, remote):
    team.flow("start", "feature/open")
    team.commit("open.py", "x\n")
    team.git("push", "-q", "origin", "feature/open")
    assert "belongs to Local Dev" in team.refused("deployable", "--ref", "feature/open", "--env", "dev")
    assert "belongs to Local Dev" in team.flow("deployable", "--ref", "feature/open")


def test_a_push_is_judged_by_what_it_brought(team, remote):
    arrived = team.git("ls-remote", "origin", "refs/heads/main").split()[0]
    team.work("feature/more", "more.py", "x\n")
    team.flow("promote", "test", "--merge")
    team.git("fetch", "-q", "origin")
    asked = ["check", "--head", "test", "--base", "main"]
    assert team.run(*asked).returncode == 1
    assert team.flow(*asked, "--arrived", arrived, "--before", team.git("rev-parse", f"{arrived}^"))
