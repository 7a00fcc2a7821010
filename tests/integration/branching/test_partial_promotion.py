"""A candidate failed while dev moved on: test gets less than all of dev."""

import json

import pytest

from genpulse.branching.merge_check import ProposedMerge, check_merge
from tests.integration.branching.fake_forge.company import ONE_FORGE
from tests.integration.branching.fake_forge.forge import NotTaken
from tests.integration.branching.test_backmerge import release, tagged, topic


def went_on(company):
    """Its successor is being tested, and dev has something that is not complete."""
    topic(company.bob, "feature/next", "next.txt")
    company.merge("feature/next", "dev")
    company.merge("dev", "test")
    tagged(company, "test")
    topic(company.bob, "feature/unfinished", "unfinished.txt")
    company.merge("feature/unfinished", "dev")


@pytest.fixture
def company(kind, shelf, tmp_path):
    """v0.1.0 is out, and dev went on from there."""
    with shelf.company(tmp_path, kind, release, went_on) as found:
        yield found


def files(person, lane):
    person.fetch()
    return person.git("ls-tree", "--name-only", f"origin/{lane}").split()


def said(done):
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def refusal(done):
    assert done.returncode == 1, done.stdout
    return json.loads(done.stdout)["refusals"][0]


def test_a_fix_goes_to_test_alone(company):
    bob = company.bob
    assert bob.flow("start", "fix/found", "--from-test").returncode == 0
    bob.commit("found.txt")
    assert bob.flow("finish").returncode == 0
    company.merge("fix/found", "dev")
    done = said(bob.flow("promote", "test", "--only", "fix/found", "--json"))
    assert [commit["subject"] for commit in done["commits"]] == ["Change found.txt"]
    company.merge(done["head"], "test")
    assert "found.txt" in files(bob, "test")
    assert "unfinished.txt" not in files(bob, "test")
    tagged(company, "test")
    company.merge("test", "main")
    tagged(company, "main")
    assert said(bob.flow("verify", "--json"))["candidate"] == "v0.2.0-rc.2"
    company.merge("dev", "test")
    assert "unfinished.txt" in files(bob, "test")
    assert said(bob.flow("status", "--json"))["violations"] == []


@ONE_FORGE
def test_a_fix_that_would_take_more_along_is_begun_once_more(company):
    bob = company.bob
    topic(bob, "fix/found", "found.txt")
    company.merge("fix/found", "dev")
    told = refusal(bob.flow("promote", "test", "--only", "fix/found", "--json"))
    assert "Change unfinished.txt" in told["found"]
    done = bob.shell(told["mend"][0])
    assert done.returncode == 0, done.stderr
    bob.git("switch", "-q", "fix/found-alone")
    assert bob.flow("finish").returncode == 0
    company.merge("fix/found-alone", "dev")
    done = said(bob.flow("promote", "test", "--only", "fix/found-alone", "--json"))
    company.merge(done["head"], "test")
    assert "unfinished.txt" not in files(bob, "test")
    assert "found.txt" in files(bob, "test")


@ONE_FORGE
def test_dev_as_it_was(company):
    bob = company.bob
    topic(bob, "feature/good", "good.txt")
    good = company.merge("feature/good", "dev")
    topic(bob, "feature/bad", "bad.txt")
    company.merge("feature/bad", "dev")
    dry = said(bob.flow("promote", "test", "--at", good, "--dry-run", "--json"))
    assert {commit["subject"] for commit in dry["commits"]} == {"Change unfinished.txt", "Change good.txt"}
    done = said(bob.flow("promote", "test", "--at", good, "--json"))
    assert done["head"] == f"promote/{good[:9]}"
    company.merge(done["head"], "test")
    assert "bad.txt" not in files(bob, "test")
    assert "good.txt" in files(bob, "test")


@pytest.mark.parametrize("kind", ["github"])
def test_what_dev_never_was_is_refused(company):
    bob = company.bob
    bob.fetch()
    bob.on("feature/open", "origin/dev")
    commit = bob.commit("open.txt")
    assert refusal(bob.flow("promote", "test", "--at", commit, "--json"))["code"] == "not_on_lane"
    assert refusal(bob.flow("promote", "test", "--at", "nonsense", "--json"))["code"] == "ref_unknown"
    assert refusal(bob.flow("promote", "test", "--only", "feature/open", "--json"))["code"] == "branch_missing"
    name = f"promote/{commit[:9]}"
    bob.git("push", "-q", "origin", f"{commit}:refs/heads/{name}")
    for head, base in ((name, "test"), (name, "main"), (name, "dev")):
        with pytest.raises(NotTaken):
            company.merge(head, base)
    assert bob.flow("promote", "main", "--at", commit).returncode == 2


@pytest.mark.parametrize("kind", ["github"])
def test_the_gate_looks_at_what_the_name_says(company):
    bob = company.bob
    bob.fetch()
    tip = bob.git("rev-parse", "origin/dev")
    for name, allowed in ((f"promote/{tip[:9]}", True), ("promote/000000000", False), ("promote/x", False)):
        bob.git("push", "-q", "origin", f"{tip}:refs/heads/{name}")
        bob.fetch()
        assert bool(check_merge(ProposedMerge(name, "test"), bob.repository())) is allowed
    assert said(bob.flow("status", "--json"))["violations"] == []
