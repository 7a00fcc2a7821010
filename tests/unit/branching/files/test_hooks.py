import os
import subprocess

import pytest

from genpulse.branching.files import chaining, plan, write
from genpulse.branching.files.hooks import hooks_step, reach_hooks
from tests.unit.branching.files.test_writing import QUIET


@pytest.fixture
def folder(tmp_path):
    subprocess.run(["git", "init", "--quiet", "--template="], cwd=tmp_path, env=QUIET, check=True)
    return tmp_path


def setting(folder):
    done = subprocess.run(
        ["git", "config", "core.hooksPath"], cwd=folder, env=QUIET, capture_output=True, text=True, check=False
    )
    return done.stdout.strip()


def test_it_is_said_before_it_is_done_and_then_there_is_nothing_to_say(folder):
    assert hooks_step(folder, QUIET) == "git config core.hooksPath .githooks, for this clone."
    reach_hooks(folder, QUIET)
    assert setting(folder) == ".githooks"
    assert hooks_step(folder, QUIET) == ""


def test_an_absolute_path_to_the_same_place_is_the_same(folder):
    subprocess.run(
        ["git", "config", "core.hooksPath", str(folder / ".githooks")], cwd=folder, env=QUIET, check=True
    )
    assert hooks_step(folder, QUIET) == ""


def test_a_hook_that_ends_is_named(folder):
    for place, name in ((".git/hooks", "pre-commit"), (".githooks", "pre-commit"), (".git/hooks", "post-commit")):
        (folder / place).mkdir(exist_ok=True)
        (folder / place / name).write_text("#!/bin/sh\n")
        (folder / place / name).chmod(0o755)
    assert hooks_step(folder, QUIET).endswith("These in .git/hooks end, since .githooks has its own: pre-commit.")


def test_hooks_outside_of_the_repository_stay_and_it_is_said_what_to_call(folder, tmp_path_factory):
    outside = tmp_path_factory.mktemp("hooks")
    subprocess.run(["git", "config", "core.hooksPath", str(outside)], cwd=folder, env=QUIET, check=True)
    assert f"core.hooksPath is {outside} and stays; call .githooks/pre-push" in hooks_step(folder, QUIET)
    write(folder, plan(folder, "github", QUIET), QUIET)
    assert setting(folder) == str(outside)
    assert list(outside.iterdir()) == []


def test_a_hook_in_another_language_is_not_touched(folder):
    subprocess.run(["git", "config", "core.hooksPath", "hooks"], cwd=folder, env=QUIET, check=True)
    (folder / "hooks").mkdir()
    (folder / "hooks/pre-push").write_text("#!/usr/bin/env python3\n")
    assert "stays; call .githooks/pre-push from its pre-push" in hooks_step(folder, QUIET)
    assert "hooks/pre-push" not in {file.path for file in plan(folder, "github", QUIET)}


@pytest.mark.parametrize(
    ("first", "is_shell"),
    [
        ("#!/bin/sh\n", True),
        ("#!/usr/bin/env bash\n", True),
        ("#! /bin/dash -e\n", True),
        ("#!/usr/bin/env sh\n", True),
        ("npm test\n", True),
        ("", True),
        ("#!/usr/bin/env python3\n", False),
        ("#!/usr/bin/node\n", False),
        ("#!/usr/bin/fish\n", False),
    ],
)
def test_which_hooks_can_call_ours(first, is_shell):
    assert chaining.is_shell(first.encode()) is is_shell


@pytest.mark.parametrize(
    "script", ["#!/bin/sh\nnpm test\n", "npm test", "", "#!/bin/sh", "#!/bin/sh\necho \xff\n"]
)
def test_what_is_put_in_is_taken_out_again(script):
    content = script.encode("latin-1")
    once = chaining.with_call(content, ".githooks/pre-push")
    assert chaining.with_call(once, ".githooks/pre-push") == once
    assert chaining.without_call(once) == (content if content != b"#!/bin/sh" else b"#!/bin/sh\n")


def test_who_has_no_gate_can_still_push_a_topic_branch_and_no_lane(tmp_path):
    done = pushed(tmp_path, f"a {SOME} refs/heads/feature/x {ZERO}\n")
    said = "neither the gate with Python 3.11 nor genpulse here; the name of feature/x was not looked at.\n"
    assert (done.returncode, done.stderr.endswith(said)) == (0, True)
    assert pushed(tmp_path, f"a {SOME} refs/heads/dev {SOME}\n").returncode == 1


ZERO, SOME = "0" * 40, "a" * 40


def pushed(folder, lines):
    (hook,) = (file.content for file in plan(folder, "github") if file.path == ".githooks/pre-push")
    path = f"{folder}/bin:{os.defpath}"
    command = ["sh", "-c", hook, "pre-push", "origin", "url"]
    return subprocess.run(
        command, cwd=folder, env={"PATH": path}, input=lines, capture_output=True, text=True, check=False
    )
