import pytest

from genpulse.branching.lanes.promotion import plan_promotion, promote
from genpulse.branching.rules.table import TEST
from genpulse.branching.topics.finish import finish
from genpulse.branching.topics.start import start

pytest.importorskip("genpulse.branching.forges")


def test_without_a_forge_the_branch_is_pushed_and_nothing_is_merged(clone):
    start(clone.repository(), "feature/x")
    commit = clone.commit("x.txt", "text")
    dev = clone.git("rev-parse", "origin/dev")
    done = finish(clone.repository())
    assert (done.opened, done.merged) == (False, "")
    assert clone.git("ls-remote", "origin", "refs/heads/feature/x").split()[0] == commit
    assert clone.git("ls-remote", "origin", "refs/heads/dev").split()[0] == dev
    assert finish(clone.repository()).commits == done.commits


def test_without_a_forge_a_promotion_changes_nothing(clone):
    clone.merged("feature/x", "x.txt")
    repository = clone.repository()
    plan = plan_promotion(repository, TEST)
    before = clone.refs()
    assert not promote(repository, plan).opened
    assert clone.refs() == before
