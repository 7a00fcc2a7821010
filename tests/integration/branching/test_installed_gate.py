"""The installed workflows as they are, with the gate beside them, on a checkout as the forge makes it."""

import subprocess

import pytest
from ruamel.yaml import YAML

from genpulse.branching.releases.tag_candidate import tag_candidate
from genpulse.branching.releases.tag_release import release
from tests.integration.branching.clones import ENVIRONMENT, moved
from tests.integration.branching.test_deployment_workflows import checked_out, clone, run, shipped

__all__ = ["clone", "shipped"]


def read(folder, path):
    return YAML(typ="safe", pure=True).load((folder / path).read_text())


def github(folder, event, head, base, *, repo="o/r", sha="", before="", arrived="", **more):
    """Each `run:` of the job in its order, with what GitHub puts in for its expressions."""
    environment = {
        "EVENT": event,
        "NUMBER": "7",
        "HEAD_REF": head,
        "BASE_REF": base,
        "HEAD_REPO": repo,
        "BASE_REPO": "o/r",
        "HEAD_SHA": sha,
        "BEFORE": before,
        "GITHUB_SHA": arrived,
        "TOKEN": "t0k3n",
        "GITHUB_SERVER_URL": "https://github.example",
        "GITHUB_ACTIONS": "true",
        "CI": "true",
        **more,
    }
    for step in read(folder, ".github/workflows/flow.yml")["jobs"]["flow-check"]["steps"]:
        if "run" in step:
            done = run(folder, step["run"], environment)
            if done.returncode:
                break
    return done


def gitlab(folder, source, head, base, *, project="o/r", sha="", before=""):
    environment = {
        "CI": "true",
        "CI_PIPELINE_SOURCE": source,
        "CI_PROJECT_PATH": "o/r",
        "CI_COMMIT_SHA": sha,
        "CI_COMMIT_BRANCH": base if source == "push" else "",
        "CI_COMMIT_BEFORE_SHA": before,
        "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": head if source != "push" else "",
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": base if source != "push" else "",
        "CI_MERGE_REQUEST_SOURCE_PROJECT_PATH": project,
        "CI_MERGE_REQUEST_PROJECT_PATH": "o/r",
    }
    return run(folder, "\n".join(read(folder, ".gitlab/flow.yml")["flow-check"]["script"]), environment)


def tip(clone, ref):
    return clone.git("--git-dir", str(clone.bare), "rev-parse", ref)


def pulled(clone, tmp_path, head, base, **more):
    """A pull request: its head is fetched from `refs/pull/7/head`, and dev is checked out."""
    sha = more.pop("sha", "") or tip(clone, f"refs/heads/{head}")
    clone.git("--git-dir", str(clone.bare), "update-ref", "refs/pull/7/head", sha)
    folder = tmp_path / "job"
    checked_out(clone, folder, "refs/heads/dev")
    return github(folder, "pull_request_target", head, base, sha=sha, **more)


@pytest.mark.parametrize(
    ("head", "base", "code", "said"),
    [
        ("feature/more", "dev", 0, "may be merged into dev"),
        ("feature/more", "main", 1, "can only merge into dev"),
        ("dev", "test", 0, "may be merged into test"),
        ("dev", "main", 1, "main only accepts test"),
        ("test", "main", 1, "main only accepts a release candidate"),
        ("main", "dev", 1, "is the end of the way"),
    ],
)
def test_a_pull_request(clone, tmp_path, head, base, code, said):
    if head == "test":
        moved(clone, "test")
    done = pulled(clone, tmp_path, head, base)
    assert (done.returncode, said in done.stdout + done.stderr) == (code, True), done.stderr
    assert ("::error title=genpulse flow::" in done.stdout) == bool(code)


def test_a_candidate_may_go_to_main(clone, tmp_path):
    (tmp_path / "programs").unlink()
    moved(clone, "test")
    tag_candidate(clone.repository())
    done = pulled(clone, tmp_path, "test", "main")
    assert done.returncode == 0, done.stderr


def test_a_lane_of_a_fork_is_no_lane(clone, tmp_path):
    assert pulled(clone, tmp_path, "dev", "test", repo="me/r").returncode == 1


def test_the_head_is_in_a_fork(clone, tmp_path):
    sha = clone.git("commit-tree", "origin/dev^{tree}", "-p", "origin/dev", "-m", "Theirs")
    clone.push(f"{sha}:refs/heads/feature/theirs")
    clone.push(":refs/heads/feature/theirs")
    assert pulled(clone, tmp_path, "feature/theirs", "dev", repo="me/r", sha=sha).returncode == 0


def test_a_push_is_judged_by_what_it_brought(clone, tmp_path):
    before = tip(clone, "refs/heads/main")
    moved(clone, "test")
    tag_candidate(clone.repository())
    moved(clone, "main")
    release(clone.repository())
    arrived = tip(clone, "refs/heads/main")
    clone.git("fetch", "-q", "origin")
    clone.merged("feature/later", "later.txt")
    moved(clone, "test")
    folder = tmp_path / "job"
    checked_out(clone, folder, "refs/heads/main")
    done = github(folder, "push", "", "main", arrived=arrived, before=before)
    assert done.returncode == 0, done.stderr
    done = gitlab(folder, "push", "", "main", sha=arrived, before=before)
    assert done.returncode == 0, done.stderr


def test_a_stray_on_main_is_found_by_its_push(clone, tmp_path):
    before = tip(clone, "refs/heads/main")
    stray = clone.git("commit-tree", "origin/main^{tree}", "-p", "origin/main", "-m", "Quickly")
    clone.push(f"{stray}:refs/heads/main")
    folder = tmp_path / "job"
    checked_out(clone, folder, "refs/heads/main")
    for done in (
        github(folder, "push", "", "main", arrived=stray, before=before),
        gitlab(folder, "push", "", "main", sha=stray, before=before),
    ):
        assert (done.returncode, "Quickly" in done.stderr) == (1, True)


@pytest.mark.parametrize(
    ("head", "base", "code"), [("feature/more", "dev", 0), ("feature/more", "test", 1), ("dev", "test", 0)]
)
def test_a_merge_request(clone, tmp_path, head, base, code):
    folder = tmp_path / "job"
    commit = checked_out(clone, folder, f"refs/heads/{head}")
    done = gitlab(folder, "merge_request_event", head, base, sha=commit)
    assert done.returncode == code, done.stderr


@pytest.mark.parametrize("forge", ["github", "gitlab"])
def test_another_gate_than_the_installed_one_is_not_run(clone, tmp_path, forge):
    folder = tmp_path / "job"
    commit = checked_out(clone, folder, "refs/heads/dev")
    (folder / f".{forge}/flow.pyz").write_text(f"open('{tmp_path}/ran', 'w')\n")
    if forge == "github":
        done = github(folder, "merge_group", "gh-readonly-queue/dev/pr-7-abc", "dev", sha=commit)
    else:
        done = gitlab(folder, "merge_request_event", "feature/more", "dev", sha=commit)
    assert done.returncode != 0
    assert "FAILED" in done.stdout + done.stderr
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("place", ["shallow", "foreign", "no lanes"])
def test_a_checkout_in_which_git_cannot_answer_is_refused(clone, tmp_path, place):
    folder = tmp_path / "job"
    checked_out(clone, folder, "refs/heads/dev", depth=1 if place == "shallow" else 0)
    if place == "no lanes":
        subprocess.run(
            ["git", "update-ref", "-d", "refs/remotes/origin/test"], cwd=folder, env=ENVIRONMENT, check=True
        )
    more = {"GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"} if place == "foreign" else {}
    done = github(folder, "merge_group", "gh-readonly-queue/dev/pr-7-abc", "dev", sha="abc", **more)
    assert done.returncode == 1
    assert "::error" in done.stdout
