"""The deployment workflows of the documentation, as they stand there, on a checkout as the forge makes it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from check_jsonschema.builtin_schemas import get_builtin_schema
from jsonschema import validators
from ruamel.yaml import YAML

from genpulse.branching.files import plan, write
from genpulse.branching.releases.tag_candidate import tag_candidate
from genpulse.branching.releases.tag_release import release
from tests.integration.branching.clones import ENVIRONMENT, moved
from tests.integration.branching.compiled_gate import programs

PAGE = Path(__file__).parents[3] / "docs/how-to/deploy-a-release.md"
GITHUB, GITLAB = re.findall(r"^```yaml\n(.*?)^```$", PAGE.read_text(), re.M | re.S)
DEPLOY = '#!/bin/sh\necho "$ENV $(git rev-parse HEAD)" >> "$DEPLOYED"\n'


def read(text):
    return YAML(typ="safe", pure=True).load(text)


@pytest.fixture(scope="session")
def shipped(shelf, tmp_path_factory):
    """The gate of both forges is in dev, and v0.1.0 is released with it; dev went on since."""
    clone = shelf.clone(tmp_path_factory.mktemp("shipped"))
    clone.git("switch", "-qc", "feature/gate", "--no-track", "origin/dev")
    for forge in ("github", "gitlab"):
        planned = plan(clone.folder, forge, ENVIRONMENT)
        write(clone.folder, planned, ENVIRONMENT)
    clone.git("config", "--unset", "core.hooksPath")
    (clone.folder / "deploy").write_text(DEPLOY)
    (clone.folder / "deploy").chmod(0o755)
    clone.git("add", ".")
    clone.git("commit", "-qm", "Guard and deploy")
    clone.push("feature/gate")
    clone.git("switch", "-q", "dev")
    clone.git("fetch", "-q", "origin")
    clone.merge("feature/gate", "dev")
    moved(clone, "test")
    tag_candidate(clone.repository())
    moved(clone, "main")
    release(clone.repository())
    clone.git("fetch", "-q", "origin")
    clone.merged("feature/more", "more.txt")
    clone.git("fetch", "-q", "origin")
    (gate,) = (file.content for file in planned if file.path.endswith("flow.pyz"))
    programs(gate, clone.folder.parent)
    return clone


@pytest.fixture
def clone(shipped, tmp_path):
    (tmp_path / "programs").symlink_to(shipped.folder.parent / "programs")
    return shipped.copied(tmp_path)


def checked_out(clone, folder, ref, *, planted=False, depth=0):
    """By the git commands of actions/checkout, as its log shows them; before v6.0.2 it plants a light tag."""

    def git(*arguments):
        subprocess.run(["git", *arguments], cwd=folder, env=ENVIRONMENT, check=True, capture_output=True)

    folder.mkdir()
    commit = clone.git("--git-dir", str(clone.bare), "rev-parse", f"{ref}^{{commit}}")
    git("init", "-q", "-b", "main", "--template=")
    git("remote", "add", "origin", str(clone.bare))
    deep = [f"--depth={depth}"] if depth else []
    wanted = ["+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*"]
    git("-c", "protocol.version=2", "fetch", "-q", *deep, "origin", *(wanted if not depth else [f"+{ref}:{ref}"]))
    if ref.startswith("refs/tags/") and planted:
        git("fetch", "-q", "--no-tags", "origin", f"+{commit}:{ref}")
    git("checkout", "-q", "--force", *(["--detach", commit] if not ref.startswith("refs/tags/") else [ref]))
    return commit


def run(folder, script, environment):
    """With the compiled gate, where `programs` is beside the folder; else with the file itself."""
    path = f"{folder.parent / 'programs'}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        cwd=folder,
        env={**ENVIRONMENT, "PATH": path, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def on_github(folder, ref):
    """Every `run:` of the job in its order, with what the runner puts into the environment."""
    output, temp = folder.parent / "output", folder.parent / "temp"
    temp.mkdir(exist_ok=True)
    output.write_text("")
    environment = {
        "REF": ref,
        "RUNNER_TEMP": str(temp),
        "GITHUB_OUTPUT": str(output),
        "GITHUB_ACTIONS": "true",
        "DEPLOYED": str(folder.parent / "deployed"),
    }
    for step in read(GITHUB)["jobs"]["deploy"]["steps"]:
        if "run" in step:
            environment["ENV"] = output.read_text().strip().removeprefix("env=")
            done = run(folder, step["run"], environment)
            if done.returncode:
                break
    return done


def on_gitlab(folder, ref, commit):
    tag = ref.removeprefix("refs/tags/") if ref.startswith("refs/tags/") else ""
    environment = {
        "CI_COMMIT_TAG": tag,
        "CI_COMMIT_BRANCH": "" if tag else ref.removeprefix("refs/heads/"),
        "CI_COMMIT_SHA": commit,
        "DEPLOYED": str(folder.parent / "deployed"),
    }
    lines = read(GITLAB)["deploy"]["script"]
    return run(folder, "\n".join(lines).replace("/tmp/flow.pyz", str(folder.parent / "flow.pyz")), environment)


def deployed(folder):
    file = folder.parent / "deployed"
    return file.read_text().split() if file.exists() else []


FORGES = pytest.mark.parametrize("forge", ["github", "gitlab"])


def deploy(forge, folder, ref, commit):
    return on_github(folder, ref) if forge == "github" else on_gitlab(folder, ref, commit)


def test_the_workflows_are_what_the_forges_take():
    for text, schema in ((GITHUB, "vendor.github-workflows"), (GITLAB, "vendor.gitlab-ci")):
        document = get_builtin_schema(schema)
        assert [e.message for e in validators.validator_for(document)(document).iter_errors(read(text))] == []
    assert "${{" not in "".join(step.get("run", "") for step in read(GITHUB)["jobs"]["deploy"]["steps"])
    checkout = read(GITHUB)["jobs"]["deploy"]["steps"][0]
    assert (checkout["uses"], checkout["with"]["fetch-depth"]) == ("actions/checkout@v6", 0)


@FORGES
@pytest.mark.parametrize(
    ("ref", "env", "planted"),
    [
        ("refs/tags/v0.1.0", "main", False),
        ("refs/tags/v0.1.0", "main", True),
        ("refs/tags/v0.1.0-rc.1", "test", True),
        ("refs/heads/test", "test", False),
        ("refs/heads/dev", "dev", False),
    ],
)
def test_everything_goes_where_it_belongs(clone, tmp_path, forge, ref, env, planted):
    folder = tmp_path / "job"
    commit = checked_out(clone, folder, ref, planted=planted)
    done = deploy(forge, folder, ref, commit)
    assert done.returncode == 0, done.stderr
    assert deployed(folder) == [env, commit]
    stamp = (folder / "build.json").read_text()
    assert ('"tag": "v0.1.0"' in stamp) == (ref in {"refs/tags/v0.1.0"})


@FORGES
def test_a_branch_that_moved_on_is_still_deployed_as_it_was(clone, tmp_path, forge):
    folder = tmp_path / "job"
    commit = checked_out(clone, folder, "refs/heads/dev")
    clone.merged("feature/later", "later.txt")
    done = deploy(forge, folder, "refs/heads/dev", commit)
    assert (done.returncode, deployed(folder)) == (0, ["dev", commit]), done.stderr


@pytest.mark.parametrize(
    ("forge", "place"),
    [
        ("github", "dev"),
        ("gitlab", "test"),
        ("github", "feature/more"),
        *(
            pytest.param(*pair, marks=pytest.mark.slow)
            for pair in (("gitlab", "dev"), ("github", "test"), ("gitlab", "feature/more"))
        ),
    ],
)
def test_a_tag_that_is_no_release_never_reaches_production(clone, tmp_path, forge, place):
    clone.git("tag", "-a", "v9.0.0", "-m", "Mine", f"origin/{place}")
    clone.push("v9.0.0")
    folder = tmp_path / "job"
    commit = checked_out(clone, folder, "refs/tags/v9.0.0")
    done = deploy(forge, folder, "refs/tags/v9.0.0", commit)
    assert (done.returncode, deployed(folder)) == (1, [])
    assert "v9.0.0" in done.stderr


@FORGES
def test_somebodys_work_is_deployed_nowhere(clone, tmp_path, forge):
    folder = tmp_path / "job"
    commit = checked_out(clone, folder, "refs/heads/feature/more")
    assert deploy(forge, folder, "refs/heads/feature/more", commit).returncode == 1
    assert deployed(folder) == []


def test_a_checkout_without_history_is_named(clone, tmp_path):
    (tmp_path / "programs").unlink()
    folder = tmp_path / "job"
    checked_out(clone, folder, "refs/tags/v0.1.0", depth=1)
    subprocess.run(
        ["git", "fetch", "-q", "--depth=1", "origin", "+refs/heads/*:refs/remotes/origin/*"],
        cwd=folder,
        env=ENVIRONMENT,
        check=True,
    )
    done = on_github(folder, "refs/tags/v0.1.0")
    assert (done.returncode, deployed(folder)) == (1, [])
    assert "shallow" in done.stderr
