"""The scripts of the generated gates, run by a real shell, and with a real git against a real server."""

import base64
import os
import subprocess
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from check_jsonschema.builtin_schemas import get_builtin_schema
from jsonschema import validators
from ruamel.yaml import YAML

from genpulse.branching.files import plan
from tests.unit.branching.files.test_writing import QUIET

ROOT = Path(__file__).parents[4]


def read(text):
    return YAML(typ="safe", pure=True).load(text)


def generated(folder, forge, path):
    return read(next(file.content for file in plan(folder, forge) if file.path == path))


def github_script(folder):
    return generated(folder, "github", ".github/workflows/flow.yml")["jobs"]["flow-check"]["steps"][-1]["run"]


def gitlab_script(folder):
    return generated(folder, "gitlab", ".gitlab/flow.yml")["flow-check"]["script"][-1]


def recorded(folder, *names):
    """Programs that tell what they were given."""
    for name in names:
        (folder / name).write_text('#!/bin/sh\necho "$(basename "$0") $*"\n')
        (folder / name).chmod(0o755)
    return f"{folder}:{os.defpath}"


def run(script, environment, *, cwd=None):
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    return subprocess.run(command, env=environment, cwd=cwd, capture_output=True, text=True, check=False)


class Private(SimpleHTTPRequestHandler):
    """Serves a repository to whoever shows the token."""

    def do_GET(self):
        self.server.asked.append(self.headers["Authorization"])
        if self.headers["Authorization"] == self.server.expected:
            super().do_GET()
        else:
            self.send_response(401)
            self.send_header("Content-Length", "0")
            self.end_headers()

    def log_message(self, *_arguments):
        """Say nothing."""


@pytest.fixture
def private(tmp_path):
    """A repository with a pull request, served by HTTP, and an empty clone of it."""

    def git(folder, *arguments):
        identity = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
        subprocess.run(["git", *identity, *arguments], cwd=folder, env=QUIET, check=True, capture_output=True)

    served, clone = tmp_path / "served", tmp_path / "clone"
    for folder in (served, clone):
        folder.mkdir()
        git(folder, "init", "--quiet", "--template=")
    git(served, "commit", "--quiet", "--allow-empty", "-m", "Begin")
    git(served, "update-ref", "refs/pull/7/head", "HEAD")
    git(served, "update-server-info")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Private, directory=str(served / ".git")))
    server.daemon_threads = True
    server.asked = []
    server.expected = "Basic " + base64.b64encode(b"x-access-token:t0k3n").decode()
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    server.url, server.clone = f"http://127.0.0.1:{server.server_address[1]}", clone
    git(clone, "remote", "add", "origin", f"{server.url}/")
    yield server
    server.shutdown()
    server.server_close()


def asked_of_github(server, token):
    path = f"{recorded(server.clone, 'python')}:{os.environ['PATH']}"
    environment = {
        **QUIET,
        "PATH": path,
        "EVENT": "pull_request_target",
        "NUMBER": "7",
        "HEAD_REF": "feature/x",
        "BASE_REF": "dev",
        "HEAD_REPO": "o/r",
        "BASE_REPO": "o/r",
        "HEAD_SHA": "abc",
        "TOKEN": token,
        "GITHUB_SERVER_URL": server.url,
        "GIT_TERMINAL_PROMPT": "0",
    }
    return run(github_script(server.clone), environment, cwd=server.clone)


def test_the_head_of_a_private_repository_is_fetched(private):
    done = asked_of_github(private, "t0k3n")
    assert (done.returncode, done.stderr) == (0, "")
    assert "check --trunk dev --head feature/x --base dev" in done.stdout
    found = subprocess.run(
        ["git", "rev-parse", "--verify", "refs/flow/head"],
        cwd=private.clone,
        env=QUIET,
        check=True,
        capture_output=True,
    )
    assert found.stdout
    assert "t0k3n" not in (private.clone / ".git/config").read_text()


def test_a_head_that_cannot_be_fetched_ends_the_gate(private):
    done = asked_of_github(private, "another")
    assert done.returncode != 0
    assert "python" not in done.stdout


@pytest.mark.parametrize("forge", ["github", "gitlab"])
def test_no_pull_request_comes_from_what_is_called_a_merge_queue(tmp_path, forge):
    name = "gh-readonly-queue/main/x"
    environment = {
        "PATH": recorded(tmp_path, "python", "git", "sha256sum"),
        "EVENT": "pull_request_target",
        "HEAD_REF": name,
        "BASE_REF": "main",
        "CI_PIPELINE_SOURCE": "merge_request_event",
        "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": name,
    }
    done = run({"github": github_script, "gitlab": gitlab_script}[forge](tmp_path), environment)
    assert done.returncode == 1
    assert "python" not in done.stdout


@pytest.mark.parametrize(
    ("given", "place", "said"),
    [
        (
            {"CI_COMMIT_SHA": "abc"},
            "origin",
            "--head feature/x --base dev --head-sha abc --head-repo g/r --base-repo g/r",
        ),
        (
            {"CI_COMMIT_SHA": "merged", "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": "abc"},
            "origin",
            "--head feature/x --base dev --head-sha abc --head-repo g/r --base-repo g/r",
        ),
        (
            {"CI_COMMIT_SHA": "abc", "CI_PROJECT_PATH": "me/r", "CI_MERGE_REQUEST_SOURCE_PROJECT_PATH": "me/r"},
            "https://gitlab.com/g/r.git",
            "--head feature/x --base dev --head-sha abc --head-repo me/r --base-repo g/r",
        ),
    ],
)
def test_what_the_gate_of_gitlab_asks_of_a_merge_request(tmp_path, given, place, said):
    environment = {
        "PATH": recorded(tmp_path, "python", "git", "sha256sum"),
        "CI_PIPELINE_SOURCE": "merge_request_event",
        "CI_PROJECT_PATH": "g/r",
        "CI_MERGE_REQUEST_PROJECT_PATH": "g/r",
        "CI_MERGE_REQUEST_PROJECT_URL": "https://gitlab.com/g/r",
        "CI_MERGE_REQUEST_SOURCE_PROJECT_PATH": "g/r",
        "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "feature/x",
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "dev",
        **given,
    }
    done = run(gitlab_script(tmp_path), environment)
    fetched, checked = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (0, "")
    assert fetched.startswith(f"git fetch --quiet --prune {place} +refs/heads/*:refs/remotes/origin/*")
    assert checked == f"python -I -S .gitlab/flow.pyz check --trunk dev {said}"


@pytest.mark.parametrize(("lane", "before"), [("test", "dev"), ("main", "test")])
def test_a_lane_is_looked_at_once_it_was_pushed_to(tmp_path, lane, before):
    environment = {
        "PATH": recorded(tmp_path, "python", "git", "sha256sum"),
        "CI_PIPELINE_SOURCE": "push",
        "CI_PROJECT_PATH": "g/r",
        "CI_COMMIT_BRANCH": lane,
        "CI_COMMIT_SHA": "abc",
    }
    done = run(gitlab_script(tmp_path), environment)
    assert "git fetch --quiet --prune origin" in done.stdout
    assert f"--head {before} --base {lane} --head-sha  --head-repo  --base-repo" in done.stdout


def test_gitlab_would_not_start_a_pipeline_of_nothing_but_pre(tmp_path):
    job = generated(tmp_path, "gitlab", ".gitlab/flow.yml")["flow-check"]
    assert job["stage"] == "test"
    assert generated(tmp_path, "gitlab", ".gitlab-ci.yml") == {"include": [{"local": ".gitlab/flow.yml"}]}


def test_the_projects_own_checks_run_on_pull_requests_and_lanes():
    document = read((ROOT / ".github/workflows/ci.yml").read_text())
    schema = get_builtin_schema("vendor.github-workflows")
    assert [error.message for error in validators.validator_for(schema)(schema).iter_errors(document)] == []
    assert {"pull_request", "merge_group"} <= document["on"].keys()
    assert document["on"]["push"]["branches"] == ["dev", "test", "main"]
    assert document["permissions"] == {"contents": "read"}
    steps = document["jobs"]["ci"]["steps"]
    assert steps[0]["with"]["persist-credentials"] is False
    assert [step["run"] for step in steps if "run" in step] == [".ci/run"]
