import os
import subprocess

import pytest

from genpulse.branching.files import plan, write
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


def test_hooks_that_end_are_named(folder):
    hooks = folder / ".git/hooks"
    hooks.mkdir()
    for name, mode in (("pre-commit", 0o755), ("commit-msg", 0o644), ("pre-push.sample", 0o755)):
        (hooks / name).write_text("#!/bin/sh\n")
        (hooks / name).chmod(mode)
    assert hooks_step(folder, QUIET).endswith("What is in .git/hooks is not run any more: pre-commit.")


def test_hooks_of_another_tool_stay(folder):
    subprocess.run(["git", "config", "core.hooksPath", ".husky"], cwd=folder, env=QUIET, check=True)
    assert "core.hooksPath is .husky and stays" in hooks_step(folder, QUIET)
    write(folder, plan(folder, "github"), QUIET)
    assert setting(folder) == ".husky"


ZERO, SOME = "0" * 40, "a" * 40


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        (f"refs/heads/feature/x {SOME} refs/heads/feature/x {ZERO}", 0, "check --names-only --head feature/x"),
        (f"refs/heads/bad {SOME} refs/heads/bad {ZERO}", 1, "check --names-only --head bad"),
        (f"(delete) {ZERO} refs/heads/bad {SOME}", 0, ""),
        (f"(delete) {ZERO} refs/heads/main {SOME}", 1, "main is a lane"),
        (f"HEAD {SOME} refs/heads/test {SOME}", 1, "test is a lane"),
        (f"refs/tags/v1.0.0 {SOME} refs/tags/v1.0.0 {ZERO}", 0, ""),
    ],
)
def test_what_the_hook_says_to_a_push(tmp_path, line, code, said):
    """A second branch is in the same push; whatever is said of the first, it is looked at as well."""
    program = tmp_path / "bin/genpulse"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\ncat >/dev/null\necho "$*"\ncase "$*" in *bad*) exit 1 ;; esac\n')
    program.chmod(0o755)
    other = f"refs/heads/fix/y {SOME} refs/heads/fix/y {ZERO}"
    done = pushed(tmp_path, f"{program.parent}:{os.defpath}", f"{line}\n{other}\n")
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr
    assert "--head fix/y --base dev" in done.stderr


def test_who_has_no_genpulse_can_still_push_a_topic_branch_and_no_lane(tmp_path):
    done = pushed(tmp_path, os.defpath, f"a {SOME} refs/heads/feature/x {ZERO}\n")
    assert (done.returncode, done.stderr) == (
        0,
        "flow: genpulse is not on PATH here; the name of feature/x was not looked at.\n",
    )
    assert pushed(tmp_path, os.defpath, f"a {SOME} refs/heads/dev {SOME}\n").returncode == 1


def pushed(folder, path, lines):
    (hook,) = (file.content for file in plan(folder, "github") if file.path == ".githooks/pre-push")
    command = ["sh", "-c", hook, "pre-push", "origin", "url"]
    return subprocess.run(command, env={"PATH": path}, input=lines, capture_output=True, text=True, check=False)
