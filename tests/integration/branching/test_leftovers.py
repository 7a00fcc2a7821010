"""Branches that were squashed or rebased into dev are merged, whatever their commits are called."""

import pytest

from genpulse.branching.status import read_state
from tests.integration.branching.test_forges import program


def open_ones(clone, **environment):
    repository = clone.repository(**environment)
    repository.fetch()
    return [topic.ref.name for topic in read_state(repository).topics]


def worked(clone, name="feature/x"):
    """A topic of two commits, published."""
    clone.topic(name, "x.txt", "one\n")
    clone.git("switch", "-q", name)
    clone.commit("x.txt", "one\ntwo\n")
    clone.push(name)
    clone.git("switch", "-q", "dev")


def squashed(clone, name="feature/x"):
    """As a forge squashes: one commit on dev with all of it."""
    clone.git("fetch", "-q", "origin")
    tree = clone.git("merge-tree", "--write-tree", "origin/dev", f"origin/{name}").split("\n")[0]
    commit = clone.git("commit-tree", tree, "-p", "origin/dev", "-m", "All of it (#1)")
    clone.push(f"{commit}:refs/heads/dev")


def more_on_dev(clone, file, text):
    clone.out("dev")
    clone.commit(file, text)
    clone.push("dev")


def test_a_topic_with_work_of_its_own_is_open(clone):
    worked(clone)
    assert open_ones(clone) == ["feature/x"]
    more_on_dev(clone, "other.txt", "x")
    assert open_ones(clone) == ["feature/x"]


def test_a_squashed_topic_is_done(clone):
    worked(clone)
    squashed(clone)
    assert open_ones(clone) == []


def test_it_stays_done_when_dev_goes_on(clone):
    worked(clone)
    squashed(clone)
    more_on_dev(clone, "other.txt", "x")
    assert open_ones(clone) == []
    more_on_dev(clone, "x.txt", "something\nelse\n")
    assert open_ones(clone) == []


def test_a_rebased_topic_is_done(clone):
    worked(clone)
    more_on_dev(clone, "other.txt", "x")
    clone.git("cherry-pick", "origin/feature/x~1", "origin/feature/x")
    clone.push("dev")
    assert open_ones(clone) == []


def test_what_was_added_after_the_squash_is_open(clone):
    worked(clone)
    squashed(clone)
    clone.git("switch", "-q", "feature/x")
    clone.commit("more.txt", "x")
    clone.push("feature/x")
    assert open_ones(clone) == ["feature/x"]


def test_another_change_of_the_same_lines_is_open(clone):
    worked(clone)
    more_on_dev(clone, "x.txt", "something else\n")
    assert open_ones(clone) == ["feature/x"]


@pytest.mark.parametrize("names", [("feature/a", "feature/b", "fix/c")])
def test_each_branch_is_answered_for_itself(clone, names):
    for name in names:
        clone.topic(name, f"{name.replace('/', '-')}.txt", name)
    squashed(clone, "feature/b")
    assert sorted(open_ones(clone)) == ["feature/a", "fix/c"]
    more_on_dev(clone, "feature-a.txt", "in the way")
    assert sorted(open_ones(clone)) == ["feature/a", "fix/c"]


def test_a_git_that_takes_one_merge_at_a_time(clone, tmp_path):
    worked(clone)
    squashed(clone)
    clone.topic("feature/y", "y.txt")
    script = 'case " $* " in *" --stdin "*" merge-tree "*|*" merge-tree "*" --stdin "*) exit 129 ;; esac\n'
    script += 'PATH=${PATH#*:} exec git "$@"'
    assert open_ones(clone, PATH=program(tmp_path / "bin", "git", script)) == ["feature/y"]
