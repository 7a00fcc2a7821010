"""`genpulse flow`, as a team uses it: from a branch to a release, twice, and all that goes wrong between."""

import json
from pathlib import Path

import pytest

from tests.acceptance import flow_team
from tests.acceptance.flow_team import Team
from tests.integration.branching.growth import grown
from tests.integration.branching.shelf import Shelf


@pytest.fixture(scope="session")
def shelf(tmp_path_factory):
    return Shelf(tmp_path_factory.mktemp("shelf"))


@pytest.fixture
def team(shelf, tmp_path):
    return flow_team.of(shelf.clone(tmp_path))


def mend_of(error: str) -> str:
    return error.partition("mend:")[2].strip().partition("\n")[0]


def test_the_whole_way_twice(team):
    _first_release(team)
    _second_release(team)
    listed = json.loads(team.flow("release", "--list", "--json"))
    assert [(release["tag"], release["candidate"]) for release in listed] == [
        ("v1.1.0", "v1.1.0-rc.2"),
        ("v1.0.0", "v1.0.0-rc.1"),
    ]
    state = json.loads(team.flow("status", "--fetch", "--json"))
    assert state["violations"] == []
    assert [len(waiting["commits"]) for waiting in state["waiting"]] == [0, 0]
    assert len({lane["tree"] for lane in state["lanes"].values()}) == 1


def _first_release(team: Team) -> None:
    team.work("feature/queue", "queue.py", "one\n")
    assert "Change queue.py" in team.flow("promote", "test", "--dry-run")
    team.flow("promote", "test", "--merge")
    assert "main only accepts a release candidate" in team.refused("promote", "main", "--merge")
    assert team.git("branch", "--show-current") == "feature/queue"
    assert "v1.0.0-rc.1 marks test" in team.flow("rc", "--version", "1.0.0")
    team.flow("promote", "main", "--merge")
    assert "v1.0.0 is released" in team.flow("release")
    assert "v1.0.0 is a verified release" in team.started("verify").stdout
    assert "belongs to Production: ENV=main" in team.flow("deployable", "--ref", "v1.0.0", ENV="main")


def _second_release(team: Team) -> None:
    _conflict(team)
    _wrong_base(team)
    _squash(team)
    _two_candidates_and_a_rollback(team)


def _conflict(team: Team) -> None:
    team.flow("start", "fix/left")
    team.commit("queue.py", "left\n")
    team.git("switch", "-q", "dev")
    team.work("fix/right", "queue.py", "right\n")
    team.git("switch", "-q", "fix/left")
    error = team.refused("finish", "--merge")
    assert "merging would conflict in:\n         queue.py" in error
    team.git("rebase", "-q", "-X", "theirs", "origin/dev")
    team.flow("finish", "--merge")


def _wrong_base(team: Team) -> None:
    team.git("switch", "-qc", "feature/wrong", "--no-track", "origin/main")
    team.commit("wrong.py", "x\n")
    error = team.refused("finish", "--merge")
    assert "feature/wrong must start from dev" in error
    team.shell(mend_of(error))
    team.flow("finish", "--merge")
    assert team.run("check", "--head", "feature/x", "--base", "main").returncode == 1


def _squash(team: Team) -> None:
    team.out("test")
    team.git("merge", "-q", "--squash", "origin/dev")
    team.git("commit", "-qm", "All at once (#12)")
    team.git("push", "-q", "origin", "test")
    error = team.refused("rc", "--version", "1.1.0")
    assert "All at once (#12)" in error
    assert "it was squashed" in error
    team.shell(mend_of(error))
    team.git("reset", "-q", "--hard", "origin/test")
    team.flow("promote", "test", "--merge")


def _two_candidates_and_a_rollback(team: Team) -> None:
    assert "v1.1.0-rc.1" in team.flow("rc")
    assert "v1.1.0-rc.1 marks" in team.refused("rc")
    assert "refs/tags/v1.0.0" in team.flow("release", "--list")
    assert team.flow("deployable", "--ref", "refs/tags/v1.0.0", ENV="main")
    team.git("switch", "-q", "dev")
    team.work("fix/found-in-testing", "found.py", "x\n")
    team.flow("promote", "test", "--merge")
    assert "main only accepts a release candidate" in team.refused("promote", "main")
    assert "v1.1.0-rc.2" in team.flow("rc")
    team.flow("promote", "main", "--merge")
    assert "v1.1.0-rc.2 is a release candidate" in team.refused("release", "1.1.0-rc.2")
    team.flow("release", "1.1.0")
    assert team.tree("v1.1.0") == team.tree("v1.1.0-rc.2") != team.tree("v1.1.0-rc.1")


def test_a_hotfix_is_shown_the_way(team):
    error = team.refused("start", "hotfix/pay")
    assert "hotfix/… is not a branch type here" in error
    assert "genpulse flow start fix/pay" in error
    assert "feature/x must start from dev" in team.refused("start", "feature/x", "main")
    assert "fix/pay begins at" in team.flow("start", "fix", "pay")


@pytest.mark.parametrize("name", ["feature/a b", "feature/$(id)", "fix/Ü", "feature/a'b", "feature/--x"])
def test_odd_names_are_refused(team, name):
    assert "begin" in team.refused("start", name)


def test_a_leading_dash_is_never_an_option_of_git(team):
    assert "is not a branch type here" in team.refused("start", "--", "--orphan")
    assert team.started("start", "--orphan").returncode == 2
    refused = team.run("check", "--head=--all", "--base=--all")
    assert refused.returncode == 1
    assert "Merges go into dev, test, main only" in refused.stderr


def test_wrong_usage_is_exit_code_two(team):
    for arguments in (["promote", "dev"], ["start"], ["check", "--head", "x"], ["deployable"], ["nonsense"]):
        assert team.run(*arguments).returncode == 2


def test_the_gate_annotates_a_pull_request(team):
    options = ["check", "--head", "dev", "--base", "main", "--head-repo", "own/x", "--base-repo", "own/x"]
    done = team.run(*options, GITHUB_ACTIONS="true")
    assert done.returncode == 1
    assert done.stdout.startswith("::error title=genpulse flow::main only accepts test;")
    assert len(done.stdout.splitlines()) == 1
    document = json.loads(team.run(*options, "--json").stdout)
    assert document["allowed"] is False
    assert document["refusals"][0]["mend"] == ["genpulse flow promote test"]
    assert "may be merged into test" in team.flow("check", "--head", "dev", "--base", "test")


def test_production_takes_nothing_but_a_verified_tag(team):
    assert "runs verified final tags" in team.refused("deployable", "--ref", "main")
    assert "runs verified final tags" in team.refused("deployable", "--ref", "dev", ENV="main")
    assert "belongs to Testing" in team.refused("deployable", "--ref", "test", "--env", "dev")
    said = json.loads(team.flow("deployable", "--ref", "test", "--json", ENV="test"))
    assert (said["environment"], said["ok"], said["reason"]) == ("test", True, None)
    assert team.run("deployable", "--ref", "test", ENV="prod").returncode == 78


@pytest.mark.parametrize("width", ["60", "80", "140"])
def test_the_status_is_a_picture_that_fits_the_terminal(team, width):
    team.work("feature/one", "one.py", "x\n")
    team.flow("start", "feature/two")
    team.commit("two.py", "x\n")
    team.git("tag", "test")
    picture = team.flow("status", COLUMNS=width)
    for words in (
        "dev",
        "Testing / QA",
        "Production",
        "1 waiting for test",
        "feature/two",
        "not pushed",
        "1 violation",
    ):
        assert words in picture
    assert "git tag -d test" in picture
    assert max(len(line) for line in picture.splitlines() if "mend" not in line and "git " not in line) <= int(
        width
    )


def test_what_is_copied_is_never_broken(team):
    team.out("main")
    team.commit("hot.py", "x\n")
    team.git("push", "-q", "origin", "main")
    mends = [
        mend for violation in json.loads(team.flow("status", "--json"))["violations"] for mend in violation["mend"]
    ]
    lines = [line.strip().removeprefix("mend:").strip() for line in team.flow("status", COLUMNS="40").splitlines()]
    assert any(len(mend) > 100 for mend in mends)
    assert all(mend in lines for mend in mends)


def test_a_drawing_needs_no_repository(team, tmp_path):
    folder = tmp_path / "outside"
    folder.mkdir()
    outside = Team(folder, tmp_path / "nowhere")
    assert outside.flow("graph").startswith("flowchart LR")
    outside.flow("graph", "--format", "svg", "-o", "flow.svg")
    assert (folder / "flow.svg").read_text().startswith("<svg")
    assert "not a git repository" in outside.run("status").stderr


def test_the_size_of_a_repository_costs_no_command_of_git(team, tmp_path):
    asked = []
    for size in (60, 200):
        team.git("fast-import", "--quiet", "--force", stdin=grown(commits=2 * size, branches=size))
        assert int(team.git("rev-list", "--count", "origin/dev")) > 2 * size
        asked.append(_asked_of_git(team, tmp_path / str(size)))
    assert asked[0] == asked[1]
    assert max(asked[0]) < 40


def _asked_of_git(team: Team, log: Path) -> list[int]:
    """How many commands of git `status` and `check` take."""
    counts = []
    for number, arguments in enumerate((["status"], ["check", "--head", "dev", "--base", "test"])):
        trace = log.with_suffix(f".{number}")
        team.flow(*arguments, GIT_TRACE=str(trace))
        counts.append(trace.read_text().count("built-in: git"))
    return counts
