import pytest

from genpulse.branching.errors import GitFailed, MergeRefused, RepositoryUnfit
from genpulse.branching.topics.finish import finish
from genpulse.branching.topics.start import start


def begun(clone, name="feature/x", file="x.txt"):
    start(clone.repository(), name)
    return clone.commit(file, "text\n", f"Add {file}")


def refused(clone, words, error=MergeRefused):
    clone.git("fetch", "-q", "origin")
    before = clone.refs()
    with pytest.raises(error, match=words) as caught:
        finish(clone.repository(), merge=True)
    assert clone.refs() == before
    return caught.value


def test_without_a_forge_it_is_merged_beside_the_work_tree(clone):
    commit = begun(clone)
    done = finish(clone.repository(), merge=True)
    assert [one.id for one in done.commits] == [commit]
    assert clone.git("rev-parse", "origin/dev^2") == commit
    assert clone.git("rev-parse", "origin/dev") == done.merged
    assert clone.git("log", "-1", "--format=%s", "origin/dev") == "Merge feature/x into dev"
    assert clone.git("symbolic-ref", "--short", "HEAD") == "feature/x"


def test_a_lane_is_not_finished(clone):
    assert refused(clone, "feature/. and fix/. branches are finished").mend == ("genpulse flow promote test",)


def test_nothing_to_merge(clone):
    start(clone.repository(), "feature/x")
    refused(clone, "has no commit that dev does not have")


def test_uncommitted_changes(clone):
    begun(clone)
    (clone.folder / "readme.md").write_text("changed")
    refused(clone, "readme.md", RepositoryUnfit)


def test_a_branch_that_was_cut_from_main_and_its_mend(clone):
    clone.merged("feature/a", "a.txt")
    clone.git("fetch", "-q", "origin")
    clone.merge("dev", "test")
    clone.git("fetch", "-q", "origin")
    clone.merge("test", "main")
    clone.git("fetch", "-q", "origin")
    clone.git("switch", "-qc", "feature/x", "--no-track", "origin/main")
    clone.commit("x.txt", "text")
    error = refused(clone, "feature/x must start from dev")
    assert "contains 2 commits from main" in error.found
    clone.shell(error.mend[0])
    finish(clone.repository(), merge=True)


def test_conflicts_are_listed_by_file(clone):
    begun(clone, file="same ü.txt")
    clone.git("switch", "-q", "dev")
    clone.merged("fix/y", "same ü.txt", "other\n")
    clone.git("switch", "-q", "feature/x")
    error = refused(clone, "without conflicts")
    assert error.found == "merging would conflict in:\nsame ü.txt"
    assert error.mend == ("git rebase origin/dev",)


def test_the_remote_has_commits_of_the_same_branch(clone):
    begun(clone)
    clone.push("feature/x")
    clone.git("commit", "-q", "--amend", "-m", "Another")
    error = refused(clone, "has commits that are not here")
    assert "git pull --rebase origin feature/x" in error.mend


def test_a_remote_that_says_no_leaves_everything_as_it_was(clone):
    begun(clone)
    clone.hook("pre-receive", "echo no entry >&2\nexit 1")
    refused(clone, "no entry", GitFailed)


def test_a_title_is_the_first_commit_of_the_branch(clone):
    begun(clone)
    clone.commit("y.txt", "text")
    done = finish(clone.repository(), merge=True)
    assert [commit.subject for commit in done.commits] == ["Change y.txt", "Add x.txt"]
