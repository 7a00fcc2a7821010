import pytest

from genpulse.branching.errors import LaneBroken, MergeRefused, ReleaseRefused, RepositoryUnfit
from genpulse.branching.lanes.promotion import plan_promotion, promote
from genpulse.branching.rules.table import MAIN, TEST


def refused(clone, row, words, error):
    clone.git("fetch", "-q", "origin")
    before = clone.refs()
    with pytest.raises(error, match=words) as caught:
        plan_promotion(clone.repository(), row)
    assert clone.refs() == before
    return caught.value


def test_a_plan_lists_what_moves_and_changes_nothing(clone):
    clone.merged("feature/x", "x.txt")
    clone.git("fetch", "-q", "origin")
    before = clone.refs()
    plan = plan_promotion(clone.repository(), TEST)
    assert [commit.subject for commit in plan.commits] == ["Merge feature/x into dev", "Change x.txt"]
    assert clone.refs() == before


def test_a_dirty_tree_does_not_matter_and_is_not_touched(clone):
    clone.merged("feature/x", "x.txt")
    (clone.folder / "readme.md").write_text("being written")
    repository = clone.repository()
    promote(repository, plan_promotion(repository, TEST), merge=True)
    assert (clone.folder / "readme.md").read_text() == "being written"
    assert clone.git("rev-parse", "origin/test^2") == clone.git("rev-parse", "origin/dev")


def test_nothing_to_promote(clone):
    refused(clone, TEST, "test has everything that dev has", MergeRefused)


def test_main_only_gets_a_candidate(clone):
    clone.merged("feature/x", "x.txt")
    clone.git("fetch", "-q", "origin")
    clone.merge("dev", "test")
    refused(clone, MAIN, "there is no candidate", ReleaseRefused)
    clone.git("fetch", "-q", "origin")
    clone.git("tag", "-am", "x", "v1.0.0-rc.1", "origin/main")
    clone.push("v1.0.0-rc.1")
    error = refused(clone, MAIN, "the last candidate v1.0.0-rc.1 marks", ReleaseRefused)
    assert error.mend == ("genpulse flow rc",)


def test_a_broken_lane_says_where_it_would_conflict(clone):
    clone.out("test")
    clone.commit("same.txt", "test\n", "Repair on test")
    clone.push("test")
    clone.out("dev")
    clone.merged("feature/x", "same.txt", "dev\n")
    error = refused(clone, TEST, "Nothing is committed to test directly", LaneBroken)
    assert "Promoting would conflict in: same.txt" in error.found


def test_a_lane_that_moved_in_the_meantime(clone):
    clone.merged("feature/x", "x.txt")
    repository = clone.repository()
    plan = plan_promotion(repository, TEST)
    other = clone.git("commit-tree", "-p", "origin/test", "-m", "Another", "origin/test^{tree}")
    clone.push(f"{other}:refs/heads/test")
    clone.git("update-ref", "refs/remotes/origin/test", "refs/heads/test")
    before = clone.refs()
    with pytest.raises(Exception, match="moved on in the meantime"):
        promote(repository, plan, merge=True)
    assert clone.refs() == before


def test_a_missing_lane(clone):
    clone.git("push", "-q", "origin", ":refs/heads/test")
    clone.git("fetch", "-q", "--prune", "origin")
    refused(clone, TEST, "origin has no branch test", RepositoryUnfit)


def test_lanes_that_have_nothing_in_common(clone):
    clone.git("switch", "-q", "--orphan", "other")
    clone.commit("x.txt", "text")
    clone.git("push", "-qf", "origin", "other:test")
    refused(clone, TEST, "unrelated histories", Exception)
