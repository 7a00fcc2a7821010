"""What is installed in repositories that have something already: nothing of theirs ends, and all of ours goes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from genpulse.branching.files import plan, plan_removal, remove, write
from genpulse.branching.files.check_file import digest, packed
from genpulse.branching.files.errors import FileInTheWay
from genpulse.branching.rules.policy import LaneNames
from genpulse.branching.rules.versions import Version
from genpulse.branching.settings.file import parse
from genpulse.environment.build_info import product_version
from tests.integration.branching.clones import ENVIRONMENT
from tests.integration.branching.compiled_gate import programs

ENV = {**ENVIRONMENT, "PATH": f"{Path(sys.executable).parent}:{ENVIRONMENT['PATH']}"}
RECORD = 'cat > "$(git rev-parse --show-toplevel)/{0}.seen"\necho "{0} $*" >&2\n'


@pytest.fixture(scope="session", autouse=True)
def compiled(tmp_path_factory):
    """The hook's Python runs the gate as it is compiled."""
    ENV["PATH"] = f"{programs(packed(product_version()), tmp_path_factory.mktemp('gate'))}:{ENV['PATH']}"


def install(clone, forge="github", **decisions):
    planned = plan(clone.folder, forge, ENV, policy=clone.repository().policy, **decisions)
    write(clone.folder, planned, ENV)
    return {file.path: file for file in planned if file.diff}


def uninstall(clone):
    planned = plan_removal(clone.folder)
    remove(clone.folder, planned, ENV)
    return [file.path for file in planned]


def push(clone, *arguments):
    return subprocess.run(
        ["git", "push", *arguments], cwd=clone.folder, env=ENV, capture_output=True, text=True, check=False
    )


def everything(clone):
    """Every file that is not git's own, with its mode, and the settings of this clone."""
    found = {}
    for path in sorted(clone.folder.rglob("*")):
        if path.is_file() and (".git" not in path.parts or "hooks" in path.parts):
            found[str(path.relative_to(clone.folder))] = (path.read_bytes(), path.stat().st_mode)
    return found, (clone.folder / ".git/config").read_text().replace("[core]\n", "")


def script(clone, path, text):
    file = clone.folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    file.chmod(0o755)
    return file


def topic(clone, name="feature/x"):
    clone.git("switch", "-qc", name, "--no-track", "origin/dev")
    (clone.folder / "x.txt").write_text(name)
    clone.git("add", "x.txt")
    clone.git("-c", "core.hooksPath=/nonexistent", "commit", "-qm", "Work")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["origin", "feature/x"], 0, ""),
        (["origin", "HEAD:fix/JIRA-1"], 0, ""),
        (["origin", "HEAD:revert-12-feature/x"], 0, ""),
        (["origin", "HEAD:hotfix/x"], 1, "hotfix/… is not a branch type here"),
        (["origin", "HEAD:dev"], 1, "dev is a lane"),
        (["origin", "HEAD:feature/x", "HEAD:main"], 1, "main is a lane"),
        (["origin", ":test"], 1, "test is a lane"),
        (["backup", "HEAD:dev"], 0, ""),
        (["backup", "HEAD:anything"], 0, ""),
        (["../backup.git", "HEAD:main"], 0, ""),
        (["../remote.git", "HEAD:main"], 1, "main is a lane"),
        (["origin", "HEAD:refs/tags/v9.0.0"], 0, ""),
    ],
)
def test_the_hook_looks_at_what_is_pushed_where(clone, arguments, code, said):
    subprocess.run(["git", "init", "-q", "--bare", "../backup.git"], cwd=clone.folder, env=ENV, check=True)
    clone.git("remote", "add", "backup", "../backup.git")
    install(clone)
    topic(clone)
    done = push(clone, "--quiet", *arguments)
    assert (done.returncode, said in done.stderr) == (code, True), done.stderr
    if not said:
        assert "flow" not in done.stderr


def test_a_fork_of_ones_own_is_not_guarded(clone):
    subprocess.run(["git", "init", "-q", "--bare", "../fork.git"], cwd=clone.folder, env=ENV, check=True)
    clone.git("remote", "rename", "origin", "upstream")
    clone.git("remote", "add", "origin", "../fork.git")
    clone.git("config", "flow.remote", "upstream")
    install(clone)
    clone.git("commit", "-q", "--allow-empty", "-m", "Work")
    assert push(clone, "-q", "origin", "HEAD:dev").returncode == 0
    assert push(clone, "-q", "upstream", "HEAD:dev").returncode == 1


def test_hooks_of_this_clone_go_on(clone):
    for name in ("pre-push", "pre-commit", "post-checkout"):
        script(clone, f".git/hooks/{name}", "#!/bin/sh\n" + RECORD.format(name))
    install(clone)
    clone.git("switch", "-qc", "feature/x")
    assert (clone.folder / "post-checkout.seen").exists()
    clone.commit("x.txt", "x")
    assert (clone.folder / "pre-commit.seen").exists()
    done = push(clone, "-q", "origin", "feature/x")
    assert "pre-push origin ../remote.git" in done.stderr
    assert (clone.folder / "pre-push.seen").read_text().startswith("refs/heads/feature/x ")
    script(clone, ".git/hooks/pre-push", "#!/bin/sh\nexit 7\n")
    clone.commit("x.txt", "y")
    assert push(clone, "-q", "origin", "feature/x").returncode == 1


def test_a_hook_of_the_team_stays_and_both_run(clone):
    mine = script(clone, ".githooks/pre-push", "#!/bin/sh\nset -e\n" + RECORD.format("team"))
    changed = install(clone)
    assert "team" in mine.read_text()
    assert "-" not in {line[0] for line in changed[".githooks/pre-push"].diff.splitlines()[2:]}
    topic(clone)
    done = push(clone, "-q", "origin", "feature/x")
    assert (done.returncode, "team origin" in done.stderr) == (0, True)
    assert (clone.folder / "team.seen").read_text().startswith("refs/heads/feature/x ")
    assert "main is a lane" in push(clone, "-q", "origin", "HEAD:main").stderr
    (clone.folder / "team.seen").unlink()
    assert push(clone, "-q", "origin", "feature/x").returncode == 0
    assert (clone.folder / "team.seen").read_text() == ""


@pytest.mark.parametrize("own", ["", "npm_test=yes\n" + RECORD.format("husky")])
def test_husky_runs_ours_beside_its_own(clone, own):
    script(clone, ".husky/_/pre-push", '#!/bin/sh\nexec sh -e "$(dirname "$0")/../pre-push" "$@"\n')
    if own:
        script(clone, ".husky/pre-push", own)
    clone.git("config", "core.hooksPath", ".husky/_")
    install(clone)
    topic(clone)
    assert "dev is a lane" in push(clone, "-q", "origin", "HEAD:dev").stderr
    done = push(clone, "-q", "origin", "feature/x")
    assert (done.returncode, "husky origin" in done.stderr) == (0, bool(own)), done.stderr
    assert clone.git("config", "core.hooksPath") == ".husky/_"


def test_files_of_others_are_never_replaced(clone):
    strangers = {
        ".github/workflows/flow.yml": "name: prefect\n",
        ".github/rulesets/names.json": '{"name": "mine"}\n',
        ".github/environments.json": '["mine"]\n',
    }
    for path, text in strangers.items():
        script(clone, path, text)
    changed = install(clone)
    for path, text in strangers.items():
        assert (clone.folder / path).read_text() == text
        folder, _, name = path.rpartition("/")
        assert f"{folder}/genpulse-{name}" in changed
    assert install(clone) == {}


def test_two_strangers_are_named(clone):
    for path in (".github/workflows/flow.yml", ".github/workflows/genpulse-flow.yml"):
        script(clone, path, "name: mine\n")
    with pytest.raises(FileInTheWay, match="are both files of your own"):
        install(clone)


PREPARED = {
    "nothing": {},
    "hooks of the clone": {".git/hooks/pre-push": "#!/bin/sh\nexit 0\n", ".git/hooks/post-merge": "#!/bin/sh\n"},
    "a team's hook": {".githooks/pre-push": "#!/bin/sh\nmake test\n", ".githooks/commit-msg": "#!/bin/sh\n"},
    "files": {".github/workflows/flow.yml": "name: x\n", ".gitlab-ci.yml": "mine: {script: [make]}\n"},
    "settings": {".flow.toml": 'ignore = ["gh-pages"]\n'},
}


@pytest.mark.parametrize("forge", ["github", "gitlab"])
@pytest.mark.parametrize("before", PREPARED.values(), ids=PREPARED)
def test_all_of_it_is_taken_back(clone, before, forge):
    for path, text in before.items():
        script(clone, path, text)
    was = everything(clone)
    assert install(clone, forge)
    assert everything(clone) != was
    assert uninstall(clone)
    assert everything(clone) == was
    assert uninstall(clone) == []


def test_hooks_elsewhere_are_left_as_they_were(clone):
    script(clone, ".husky/_/pre-push", '#!/bin/sh\nexec sh -e .husky/pre-push "$@"\n')
    clone.git("config", "core.hooksPath", ".husky/_")
    was = everything(clone)
    install(clone)
    uninstall(clone)
    assert everything(clone) == was


def test_a_baseline_and_other_names_are_written_once_and_the_rest_stays(clone):
    changed = install(clone, baseline=Version(1, 2, 3), names=LaneNames("develop", "staging", "master"))
    text = changed[".flow.toml"].content.decode()
    policy = parse(text)
    assert (policy.baseline, policy.names) == (Version(1, 2, 3), LaneNames("develop", "staging", "master"))
    assert b"branches: [staging, master]" in changed[".github/workflows/flow.yml"].content
    assert b"--trunk develop" in changed[".github/workflows/flow.yml"].content
    assert b"refs/heads/develop | refs/heads/staging" in changed[".githooks/pre-push"].content
    assert (
        "refs/heads/master"
        in json.loads(changed[".github/rulesets/branches.json"].content)["conditions"]["ref_name"]["include"]
    )
    again = install(clone, baseline=Version(1, 3, 0))
    assert [*again] == [".flow.toml"]
    assert again[".flow.toml"].content.decode() == text.replace("v1.2.3", "v1.3.0")
    with pytest.raises(FileInTheWay, match="names the lanes otherwise"):
        install(clone, names=LaneNames("a", "b", "c"))
    uninstall(clone)
    assert not (clone.folder / ".flow.toml").exists()


def test_settings_that_a_team_has_added_stay(clone):
    script(clone, ".flow.toml", '# ours\nignore = ["gh-pages"]\n\n[approval]\nby = "person"\n')
    install(clone, baseline=Version(1, 0, 0))
    text = (clone.folder / ".flow.toml").read_text()
    assert text == '# ours\nignore = ["gh-pages"]\n\nbaseline = "v1.0.0"\n\n[approval]\nby = "person"\n'
    uninstall(clone)
    assert (clone.folder / ".flow.toml").read_text() == text


def test_a_pipeline_that_the_team_went_on_with_stays(clone):
    install(clone, "gitlab")
    pipeline = clone.folder / ".gitlab-ci.yml"
    pipeline.write_text(pipeline.read_text() + "\nbuild: {script: [make]}\n")
    uninstall(clone)
    assert "make" in pipeline.read_text()
    assert not (clone.folder / ".gitlab").exists()


def test_the_workflow_knows_the_gate_by_its_digest(clone):
    changed = install(clone)
    gate = changed[".github/flow.pyz"]
    workflow = changed[".github/workflows/flow.yml"].content.decode()
    assert f"{digest(gate.content)}  .github/flow.pyz" in workflow
    assert "pip install" not in workflow
    assert "Binary files differ: nothing, then" in gate.diff
