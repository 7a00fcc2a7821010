import pytest

from genpulse.branching.gate import Asked, answer
from genpulse.branching.repository import Repository
from tests.integration.branching.conftest import ENVIRONMENT


def rules(found):
    return [refusal.rule for refusal in found.refusals]


def test_a_good_topic_branch(clone):
    clone.topic("feature/x", "x.txt")
    found = answer(Asked("feature/x", "dev"), clone.repository())
    assert found
    assert (found.unchecked, found.warnings) == ("", ())


def test_the_names_come_first(clone, tmp_path):
    assert rules(answer(Asked("dev", "main"), clone.repository())) == [
        "main only accepts test; dev must pass through test first."
    ]
    assert not answer(Asked("dev", "test", "fork/x", "own/x"), clone.repository())
    outside = answer(Asked("feature/x", "dev"), Repository(tmp_path, ENVIRONMENT))
    assert outside
    assert "not a git repository" in outside.unchecked
    assert answer(Asked("feature/x", "dev"), clone.repository(), history=False).unchecked


def test_a_topic_branch_that_was_cut_from_main(clone):
    clone.git("commit", "-q", "--allow-empty", "-m", "On main")
    clone.push("dev:main")
    clone.topic("feature/x", "x.txt")
    clone.git("fetch", "-q", "origin")
    clone.git("switch", "-q", "feature/x")
    clone.git("rebase", "-q", "origin/main")
    assert rules(answer(Asked("feature/x", "dev"), clone.repository())) == ["feature/x must start from dev."]
    commit = clone.git("rev-parse", "HEAD")
    forked = Asked("feature/x", "dev", "fork/x", "own/x", commit)
    assert rules(answer(forked, clone.repository())) == ["feature/x must start from dev."]


def test_a_fork_whose_commit_is_not_named_is_judged_by_its_name(clone):
    found = answer(Asked("feature/x", "dev", "fork/x", "own/x"), clone.repository())
    assert found
    assert "--head-sha" in found.unchecked
    assert answer(Asked("feature/x", "dev", "fork/x", "own/x", "0" * 40), clone.repository()).unchecked


@pytest.mark.parametrize("commit", ["--all", "HEAD~1", "a b"])
def test_a_commit_is_an_id(clone, commit):
    with pytest.raises(Exception, match="--head-sha is a commit's id"):
        answer(Asked("feature/x", "dev", "", "", commit), clone.repository())


def test_promotions_are_judged_by_the_lanes(clone):
    clone.merged("feature/x", "x.txt")
    clone.git("fetch", "-q", "origin")
    assert answer(Asked("dev", "test"), clone.repository())
    clone.merge("dev", "test")
    clone.git("fetch", "-q", "origin")
    assert rules(answer(Asked("test", "main"), clone.repository())) == ["main only accepts a release candidate."]
    clone.git("tag", "-am", "x", "v1.0.0-rc.1", "origin/test")
    assert answer(Asked("test", "main"), clone.repository())
    clone.out("test")
    clone.commit("stray.txt", "text")
    clone.push("test")
    assert "committed to test directly" in rules(answer(Asked("dev", "test"), clone.repository()))[0]


def test_a_shallow_clone_is_refused(clone):
    clone.commit("a.txt", "text")
    clone.push("dev")
    clone.git("fetch", "-q", "--depth=1", f"file://{clone.bare}", "+refs/heads/*:refs/remotes/origin/*")
    found = answer(Asked("dev", "test"), clone.repository())
    assert rules(found) == ["The whole history has to be here to judge it."]


def test_tags_named_like_branches_are_refused_and_folders_warned_of(clone):
    clone.commit("test/one.py", "text")
    clone.push("dev")
    found = answer(Asked("dev", "test"), clone.repository())
    assert found
    assert [warning.mend[0] for warning in found.warnings] == ["git mv test tests"]
    clone.git("tag", "test")
    assert rules(answer(Asked("dev", "test"), clone.repository())) == [
        "A tag is not named like a branch: git would take one for the other."
    ]


def test_programs_and_queues(clone):
    assert answer(Asked("dependabot/pip/x", "dev"), clone.repository())
    assert answer(Asked("refs/heads/gh-readonly-queue/dev/pr-1-abc", "refs/heads/dev"), clone.repository())
