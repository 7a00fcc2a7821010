import os
import subprocess

import pytest

from genpulse.branching.errors import GitFailed
from genpulse.branching.files import plan, write
from genpulse.branching.files.errors import FileInTheWay

QUIET = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
}


@pytest.fixture
def folder(tmp_path):
    subprocess.run(["git", "init", "--quiet", "--template="], cwd=tmp_path, env=QUIET, check=True)
    return tmp_path


def everything(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if ".git" not in path.parts)


def test_what_changed_since_it_was_shown_is_not_overwritten(folder):
    shown = plan(folder, "github")
    (folder / ".github").mkdir()
    (folder / ".github/environments.json").write_text("{}\n")
    before = everything(folder)
    with pytest.raises(FileInTheWay, match=r"environments\.json changed after its difference was shown"):
        write(folder, shown, QUIET)
    assert everything(folder) == before
    assert (folder / ".github/environments.json").read_text() == "{}\n"


def test_a_hook_that_lost_its_right_to_run_gets_it_back(folder):
    write(folder, plan(folder, "github"), QUIET)
    (folder / ".githooks/pre-push").chmod(0o644)
    shown = plan(folder, "github")
    assert not any(file.diff for file in shown)
    write(folder, shown, QUIET)
    assert os.access(folder / ".githooks/pre-push", os.X_OK)


def test_nothing_else_is_left_lying_about(folder):
    write(folder, plan(folder, "gitlab"), QUIET)
    files = [path for path in everything(folder) if (folder / path).is_file()]
    assert files == [
        ".githooks/pre-push",
        ".gitlab-ci.yml",
        ".gitlab/flow.pyz",
        ".gitlab/flow.yml",
        ".gitlab/protection.json",
    ]


def test_a_pipeline_of_ones_own_is_left_alone(folder):
    (folder / ".gitlab-ci.yml").write_text("mine: {script: [make]}\n")
    assert ".gitlab-ci.yml" not in {file.path for file in plan(folder, "gitlab")}


def test_a_folder_that_is_no_repository(tmp_path):
    with pytest.raises(GitFailed, match="git repository"):
        write(tmp_path, (), QUIET)
