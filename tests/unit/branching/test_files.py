"""What `genpulse flow install` writes."""

import importlib.resources
import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from check_jsonschema.builtin_schemas import get_builtin_schema
from jsonschema import validators
from ruamel.yaml import YAML

from genpulse.branching.files import plan, write
from genpulse.branching.rules.table import LANES

ROOT = Path(__file__).parents[3]


def files(folder, forge="github"):
    return {file.path: file.content.decode() for file in plan(folder, forge) if not file.path.endswith(".pyz")}


def workflow(folder, forge="github"):
    path = ".github/workflows/flow.yml" if forge == "github" else ".gitlab/flow.yml"
    return YAML(typ="safe", pure=True).load(files(folder, forge)[path])


@pytest.mark.parametrize(
    ("forge", "schema"), [("github", "vendor.github-workflows"), ("gitlab", "vendor.gitlab-ci")]
)
def test_the_workflow_fits_the_forges_schema(tmp_path, forge, schema):
    document = get_builtin_schema(schema)
    cls = validators.validator_for(document)
    assert [error.message for error in cls(document).iter_errors(workflow(tmp_path, forge))] == []


def test_a_pull_request_that_gets_another_base_is_looked_at_again(tmp_path):
    events = workflow(tmp_path)["on"]
    assert set(events["pull_request_target"]["types"]) == {"opened", "synchronize", "reopened", "edited"}
    assert "merge_group" in events
    assert events["push"]["branches"] == ["test", "main"]


def test_the_gate_is_never_skipped_and_may_do_nothing(tmp_path):
    document = workflow(tmp_path)
    job = document["jobs"]["flow-check"]
    assert "if" not in job
    assert all("if" not in step for step in job["steps"])
    assert document["permissions"] == {"contents": "read"}
    assert job["steps"][0]["with"] == {"fetch-depth": 0, "persist-credentials": False}


def test_no_name_of_a_branch_is_part_of_a_script(tmp_path):
    for step in workflow(tmp_path)["jobs"]["flow-check"]["steps"]:
        assert "${{" not in step.get("run", "")
    script = " ".join(workflow(tmp_path, "gitlab")["flow-check"]["script"])
    assert re.findall(r'(?<!")\$\w+', script) == []
    assert "$CI_MERGE_REQUEST_SOURCE_BRANCH_NAME" in script


def test_the_head_is_fetched_and_never_checked_out(tmp_path):
    steps = workflow(tmp_path)["jobs"]["flow-check"]["steps"]
    assert [step["uses"].partition("@")[0] for step in steps if "uses" in step] == [
        "actions/checkout",
        "actions/setup-python",
    ]
    assert "ref" not in steps[0]["with"]
    assert not any("checkout" in step.get("run", "") for step in steps)


@pytest.mark.parametrize(
    ("event", "base", "said"),
    [
        (
            "pull_request_target",
            "dev",
            "--head feature/x --base dev --head-repo o/fork --base-repo o/r --head-sha abc",
        ),
        (
            "merge_group",
            "refs/heads/dev",
            "--head feature/x --base dev --head-repo o/fork --base-repo o/r --head-sha abc",
        ),
        (
            "push",
            "test",
            "--head dev --base test --head-repo o/fork --base-repo o/r --head-sha  --arrived def --before 123",
        ),
        (
            "push",
            "main",
            "--head test --base main --head-repo o/fork --base-repo o/r --head-sha  --arrived def --before 123",
        ),
    ],
)
def test_what_the_gate_is_asked(tmp_path, event, base, said):
    """Its script, run by a real shell with a `python` and a `git` that tell what they were given."""
    for name in ("python", "git"):
        (tmp_path / name).write_text('#!/bin/sh\necho "$(basename "$0") $*"\n')
        (tmp_path / name).chmod(0o755)
    script = workflow(tmp_path)["jobs"]["flow-check"]["steps"][-1]["run"]
    environment = {
        "PATH": f"{tmp_path}:{os.defpath}",
        "EVENT": event,
        "NUMBER": "7",
        "HEAD_REF": "feature/x",
        "BASE_REF": base,
        "HEAD_REPO": "o/fork",
        "BASE_REPO": "o/r",
        "HEAD_SHA": "abc",
        "TOKEN": "t0k3n",
        "GITHUB_SHA": "def",
        "BEFORE": "123",
        "GITHUB_SERVER_URL": "https://github.example",
    }
    done = subprocess.run(["sh", "-e", "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == f"python -I -S .github/flow.pyz check --trunk dev {said}"
    assert ("+refs/pull/7/head" in done.stdout) == (event == "pull_request_target")


def test_the_rules_of_github(tmp_path):
    rules = {path: json.loads(text) for path, text in files(tmp_path).items() if "/rulesets/" in path}
    lanes = [f"refs/heads/{row.pattern}" for row in LANES]
    branches = rules[".github/rulesets/branches.json"]
    assert branches["conditions"]["ref_name"]["include"] == lanes
    assert {rule["type"] for rule in branches["rules"]} == {
        "deletion",
        "non_fast_forward",
        "pull_request",
        "required_status_checks",
    }
    (promotion,) = rules[".github/rulesets/promotion.json"]["rules"]
    assert promotion["parameters"]["allowed_merge_methods"] == ["merge"]
    assert rules[".github/rulesets/tags.json"]["target"] == "tag"
    names = rules[".github/rulesets/names.json"]["conditions"]["ref_name"]
    assert (
        names["include"],
        {*lanes, "refs/heads/feature/**/*", "refs/heads/fix/**/*"} <= {*names["exclude"]},
    ) == (
        ["~ALL"],
        True,
    )
    checks = [rule for rule in branches["rules"] if rule["type"] == "required_status_checks"]
    assert checks[0]["parameters"]["required_status_checks"] == [{"context": "flow-check"}]


def test_each_environment_is_deployed_from_its_own_branch_and_production_from_tags(tmp_path):
    document = json.loads(files(tmp_path)[".github/environments.json"])
    policies = {name: each["deployment_branch_policies"] for name, each in document.items()}
    assert policies == {
        "development": [{"name": "dev", "type": "branch"}],
        "testing": [{"name": "test", "type": "branch"}, {"name": "v*.*.*-rc.*", "type": "tag"}],
        "production": [{"name": "v*.*.*", "type": "tag"}],
    }


def test_a_difference_is_shown_and_then_there_is_none(tmp_path):
    subprocess.run(["git", "init", "--quiet", "--template="], cwd=tmp_path, check=True)
    (tmp_path / ".githooks").mkdir()
    (tmp_path / ".githooks/pre-push").write_text("#!/bin/sh\n# Written by `genpulse flow install`.\necho old\n")
    planned = plan(tmp_path, "github")
    hook = next(file for file in planned if file.path == ".githooks/pre-push")
    assert "-echo old" in hook.diff
    write(tmp_path, planned, {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"})
    assert all(not file.diff for file in plan(tmp_path, "github"))
    assert os.access(tmp_path / ".githooks/pre-push", os.X_OK)
    done = subprocess.run(
        ["git", "config", "core.hooksPath"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ".githooks"


def test_this_project_carries_what_is_installed():
    differing = [file.path for file in plan(ROOT, "github") if file.diff]
    assert differing == [], "genpulse flow install --forge github"


def test_the_templates_are_in_the_package():
    templates = importlib.resources.files("genpulse.branching.files").joinpath("templates")
    assert {entry.name for entry in templates.iterdir()} >= {"github", "gitlab", "pre-push"}
