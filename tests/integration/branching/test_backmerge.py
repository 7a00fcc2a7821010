"""The one way back, under the rules that `genpulse flow install` writes."""

import json

import pytest

from genpulse.branching.merge_check import ProposedMerge, check_merge
from tests.integration.branching.fake_forge.company import ONE_FORGE
from tests.integration.branching.fake_forge.forge import NotTaken


def hotfix(company, lane="main", file="hot.txt", text="hot\n"):
    """Somebody repaired a lane by hand, before the rules were there."""
    (company.forge.bare / "hooks" / "update").unlink()
    ann = company.ann
    ann.fetch()
    ann.on(lane)
    commit = ann.commit(file, text, "Repair production", seconds_ago=60)
    ann.git("push", "-q", "origin", lane)
    company.forge.enforce(company.forge.documents)
    return commit


def topic(person, name, file):
    person.fetch()
    person.on(name, "origin/dev")
    person.commit(file)
    person.git("push", "-q", "origin", name)


def tagged(company, lane):
    """Ann tags what the lane is."""
    company.ann.fetch()
    company.ann.on(lane)
    done = company.ann.flow({"test": "rc", "main": "release"}[lane])
    assert done.returncode == 0, done.stderr


def release(company, topic_name="feature/a", file="a.txt"):
    """A branch the whole way, by pull requests alone."""
    topic(company.bob, topic_name, file)
    company.merge(topic_name, "dev")
    company.merge("dev", "test")
    tagged(company, "test")
    company.merge("test", "main")
    tagged(company, "main")
    return json.loads(company.bob.flow("verify", "--json").stdout)["tag"]


def opened(company, done):
    """The request that a command opened, or that a person opens on the page that it names."""
    assert done.returncode == 0, done.stdout + done.stderr
    heads = company.ann.git("ls-remote", "--heads", "origin", "fix/backmerge-*").split()
    head = heads[-1].removeprefix("refs/heads/")
    assert company.forge.asked_for(head, "dev"), done.stdout
    return company.forge.open(head, "dev")


@pytest.fixture
def repaired(kind, shelf, tmp_path):
    """Somebody repaired main by hand."""
    with shelf.company(tmp_path, kind, hotfix) as found:
        yield found


@pytest.fixture
def shipped(kind, shelf, tmp_path):
    """v0.1.0 is released."""
    with shelf.company(tmp_path, kind, release) as found:
        yield found


def test_a_hotfix_comes_back_by_pull_requests_alone(shipped):
    company, first = shipped, "v0.1.0"
    commit = hotfix(company)
    topic(company.bob, "feature/b", "b.txt")
    company.merge("feature/b", "dev")
    company.merge("dev", "test")
    tagged(company, "test")
    with pytest.raises(NotTaken, match="main"):
        company.merge("test", "main")
    company.forge.merge(opened(company, company.ann.flow("backmerge")), "ann")
    company.merge("dev", "test")
    tagged(company, "test")
    company.merge("test", "main")
    tagged(company, "main")
    assert company.bob.flow("verify").returncode == 0
    assert company.bob.flow("verify", first).returncode == 0
    company.bob.fetch()
    company.bob.git("merge-base", "--is-ancestor", commit, "origin/dev")
    state = json.loads(company.bob.flow("status", "--json").stdout)
    assert state["violations"] == []


@ONE_FORGE
def test_a_fix_that_was_picked_over_counts_by_its_change(shipped):
    commit = hotfix(shipped)
    bob = shipped.bob
    bob.fetch()
    bob.on("fix/hot", "origin/dev")
    bob.git("cherry-pick", commit)
    bob.git("push", "-q", "origin", "fix/hot")
    shipped.merge("fix/hot", "dev")
    shipped.merge("dev", "test")
    tagged(shipped, "test")
    shipped.merge("test", "main")
    tagged(shipped, "main")
    assert shipped.bob.flow("verify").returncode == 0
    assert json.loads(bob.flow("status", "--fetch", "--json").stdout)["violations"] == []


@pytest.mark.parametrize("kind", ["github"])
@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
def test_a_back_merge_may_be_squashed_when_it_brings_one_change(repaired, method):
    repaired.forge.merge(opened(repaired, repaired.ann.flow("backmerge", "main")), "ann", method)
    repaired.merge("dev", "test")
    tagged(repaired, "test")
    repaired.merge("test", "main")
    tagged(repaired, "main")


@ONE_FORGE
def test_what_dev_has_already_is_on_its_way(repaired):
    repaired.forge.merge(opened(repaired, repaired.ann.flow("backmerge")), "ann")
    (violation,) = json.loads(repaired.bob.flow("status", "--fetch", "--json").stdout)["violations"]
    assert violation["mend"] == ["genpulse flow promote test"]
    assert "dev has it already" in violation["note"]
    again = repaired.ann.flow("backmerge", "main")
    assert again.returncode == 1
    assert "dev has everything that main has" in again.stderr


@ONE_FORGE
def test_a_conflict_is_mended_by_hand_and_finished(company):
    topic(company.bob, "feature/a", "same.txt")
    company.merge("feature/a", "dev")
    hotfix(company, file="same.txt")
    ann = company.ann
    ann.on("dev")
    refused = json.loads(ann.flow("backmerge", "main", "--json").stdout)["refusals"][0]
    assert refused["code"] == "merge_conflict"
    assert ann.shell(refused["mend"][0]).returncode == 1
    (ann.folder / "same.txt").write_text("both\n")
    ann.git("commit", "-qam", "Merge main back, both")
    company.forge.merge(opened(company, ann.flow("finish")), "ann")
    company.merge("dev", "test")


def test_a_second_one_finds_the_first(repaired):
    first = opened(repaired, repaired.ann.flow("backmerge"))
    assert opened(repaired, repaired.bob.flow("backmerge")) is first


def backwards(company, name, *, extra="", start="origin/dev"):
    """A branch that calls itself a back-merge."""
    bob = company.bob
    bob.fetch()
    bob.on(name, start)
    bob.shell("git merge -q --no-ff --no-edit origin/main")
    if extra:
        bob.commit(extra)
    bob.git("push", "-q", "origin", name)
    return check_merge(ProposedMerge(name, "dev"), bob.repository())


@ONE_FORGE
def test_nothing_else_comes_back(company):
    commit = hotfix(company)
    good = f"fix/backmerge-{commit[:9]}"
    assert backwards(company, good)
    assert not backwards(company, "fix/backmerge-000000000")
    assert not backwards(company, "fix/login")
    company.bob.git("push", "-q", "origin", f":{good}")
    assert not backwards(company, good, extra="more.txt")
    company.bob.git("push", "-q", "origin", f":{good}")
    topic(company.bob, "feature/open", "open.txt")
    assert not backwards(company, good, start="origin/feature/open")


@ONE_FORGE
def test_it_may_be_updated_with_dev(repaired):
    request = opened(repaired, repaired.ann.flow("backmerge"))
    topic(repaired.bob, "feature/a", "a.txt")
    repaired.merge("feature/a", "dev")
    repaired.forge.update_branch(request, "ann")
    assert repaired.forge.merge(request, "ann")


@ONE_FORGE
def test_a_fix_of_test_that_was_picked_over_counts_as_well(shipped):
    commit = hotfix(shipped, "test")
    bob = shipped.bob
    bob.fetch()
    bob.on("fix/hot", "origin/dev")
    bob.git("cherry-pick", commit)
    bob.git("push", "-q", "origin", "fix/hot")
    shipped.merge("fix/hot", "dev")
    shipped.merge("dev", "test")
    assert json.loads(bob.flow("status", "--fetch", "--json").stdout)["violations"] == []


def test_a_squashed_back_merge_of_changes_of_one_file_is_asked_for_again(repaired):
    hotfix(repaired, text="hotter\n")
    repaired.forge.enforce([] if repaired.forge.kind == "github" else repaired.forge.documents)
    request = opened(repaired, repaired.ann.flow("backmerge"))
    if repaired.forge.kind == "github":
        repaired.forge.merge(request, "ann", "squash")
        (violation,) = json.loads(repaired.bob.flow("status", "--fetch", "--json").stdout)["violations"]
        assert violation["mend"] == ["genpulse flow backmerge main"]
        request = opened(repaired, repaired.ann.flow("backmerge"))
    repaired.forge.merge(request, "ann")
    (violation,) = json.loads(repaired.bob.flow("status", "--fetch", "--json").stdout)["violations"]
    assert violation["mend"] == ["genpulse flow promote test"]
