"""A release that was begun and given up is closed for everybody."""

import pytest

from genpulse.branching.errors import FlowError, NameRefused, ReleaseRefused
from genpulse.branching.lanes.promotion import plan_promotion
from genpulse.branching.merge_check import ProposedMerge, check_merge
from genpulse.branching.releases.tag_candidate import tag_candidate
from genpulse.branching.releases.tag_release import release
from genpulse.branching.releases.verification import Verifier
from genpulse.branching.releases.withdrawal import withdraw
from genpulse.branching.rules.table import MAIN
from genpulse.branching.status import read_state
from tests.integration.branching.clones import moved, on_test, released


def begun(clone, version, name):
    on_test(clone, name)
    return tag_candidate(clone.repository(), version)


def elsewhere(clone, tmp_path):
    """Another clone, which knows what the remote has."""
    return clone.copied(tmp_path / "elsewhere")


def open_ones(clone):
    repository = clone.repository()
    repository.fetch()
    return [candidate.tag for candidate in read_state(repository).open]


def test_an_abandoned_release_does_not_pull_the_next_ones_along(done):
    begun(done, "3.0.0", "feature/three")
    begun(done, "0.2.0", "feature/two")
    assert open_ones(done) == ["v3.0.0-rc.1", "v0.2.0-rc.1"]
    on_test(done, "feature/more")
    with pytest.raises(ReleaseRefused, match="2 releases are open") as refused:
        tag_candidate(done.repository())
    assert refused.value.mend == ("genpulse flow rc --version 0.2.0", "genpulse flow rc --version 3.0.0")
    assert withdraw(done.repository(), "3.0.0").tag == "v3.0.0-rc.1"
    assert open_ones(done) == ["v0.2.0-rc.1"]
    assert tag_candidate(done.repository()).tag == "v0.2.0-rc.2"


def test_what_is_withdrawn_does_not_go_to_main(done, tmp_path):
    begun(done, "0.2.0", "feature/two")
    withdraw(done.repository(), "v0.2.0-rc.1")
    other = elsewhere(done, tmp_path)
    with pytest.raises(ReleaseRefused, match=r"v0\.2\.0-rc\.1 is withdrawn"):
        plan_promotion(other.repository(), MAIN)
    refusals = check_merge(ProposedMerge("test", "main"), other.repository()).refusals
    assert [refusal.code for refusal in refusals] == ["candidate_withdrawn"]
    assert read_state(other.repository()).violations == ()


def test_a_later_candidate_opens_it_again(done):
    begun(done, "0.2.0", "feature/two")
    withdraw(done.repository(), "0.2.0")
    assert begun(done, "0.2.0", "feature/better").tag == "v0.2.0-rc.2"
    moved(done, "main")
    assert release(done.repository()).tag == "v0.2.0"


def test_what_is_released_stays_released(done):
    released(done, "feature/two", "0.2.0")
    with pytest.raises(ReleaseRefused, match=r"v0\.2\.0 is released"):
        withdraw(done.repository(), "0.2.0")
    done.git("tag", "-am", "x", "v0.2.0-rc.1-withdrawn", "v0.2.0-rc.1^{}")
    done.push("v0.2.0-rc.1-withdrawn")
    assert Verifier(done.repository()).verify("v0.2.0").candidate.tag == "v0.2.0-rc.1"


@pytest.mark.parametrize(
    ("version", "error"), [("9.0.0", ReleaseRefused), ("0.1.0", ReleaseRefused), ("nonsense", NameRefused)]
)
def test_what_is_no_open_release(done, version, error):
    before = done.refs()
    with pytest.raises(error):
        withdraw(done.repository(), version)
    assert done.refs() == before


def test_once_is_enough(done):
    begun(done, "0.2.0", "feature/two")
    withdraw(done.repository(), "0.2.0")
    with pytest.raises(ReleaseRefused, match="is withdrawn"):
        withdraw(done.repository(), "0.2.0")


def test_a_remote_that_says_no_leaves_no_tag(done):
    begun(done, "0.2.0", "feature/two")
    done.hook("pre-receive", "echo no entry >&2\nexit 1")
    before = done.refs()
    with pytest.raises(FlowError, match="no entry"):
        withdraw(done.repository(), "0.2.0")
    assert done.refs() == before


def test_the_mend_for_what_was_withdrawn_by_mistake_can_be_done(done):
    begun(done, "0.2.0", "feature/two")
    withdraw(done.repository(), "0.2.0")
    with pytest.raises(ReleaseRefused) as refused:
        plan_promotion(done.repository(), MAIN)
    assert refused.value.mend == ("genpulse flow rc --version 0.2.0",)
    assert tag_candidate(done.repository(), "0.2.0").tag == "v0.2.0-rc.2"
    moved(done, "main")
    assert release(done.repository()).tag == "v0.2.0"
