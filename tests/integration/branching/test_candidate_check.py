"""A candidate is tested once: gate, promote, release and verify never disagree about one."""

import pytest

from genpulse.branching.errors import ReleaseRefused
from genpulse.branching.lanes.promotion import plan_promotion
from genpulse.branching.merge_check import ProposedMerge, check_merge
from genpulse.branching.releases.tag_candidate import tag_candidate
from genpulse.branching.releases.tag_release import release
from genpulse.branching.releases.verification import Verifier
from genpulse.branching.rules.table import MAIN
from tests.integration.branching.clones import moved, released


def annotated(clone, tag, ref, *, push=True):
    clone.git("tag", "-am", "x", tag, ref)
    if push:
        clone.push(f"refs/tags/{tag}")


def good(clone):
    annotated(clone, "v1.0.0-rc.1", "origin/test")


def on_dev(clone):
    annotated(clone, "v1.0.0-rc.1", "origin/dev")


def on_a_twin(clone):
    """On a commit with test's very files that never was test's tip."""
    twin = clone.git("commit-tree", "-p", "origin/main", "-m", "Twin", "origin/test^{tree}")
    annotated(clone, "v1.0.0-rc.1", twin)


def here_only(clone):
    annotated(clone, "v1.0.0-rc.1", "origin/test", push=False)


def deleted_there(clone):
    good(clone)
    clone.git("push", "-q", "origin", ":refs/tags/v1.0.0-rc.1")


def moved_there(clone):
    good(clone)
    kept = clone.git("rev-parse", "refs/tags/v1.0.0-rc.1")
    clone.git("tag", "-f", "-am", "y", "v1.0.0-rc.1", "origin/test")
    clone.git("push", "-qf", "origin", "refs/tags/v1.0.0-rc.1")
    clone.git("update-ref", "refs/tags/v1.0.0-rc.1", kept)


def light(clone):
    clone.git("tag", "v1.0.0-rc.1", "origin/test")
    clone.push("refs/tags/v1.0.0-rc.1")


def renamed(clone):
    annotated(clone, "v0.9.0-rc.1", "origin/test", push=False)
    clone.git("update-ref", "refs/tags/v1.0.0-rc.1", "refs/tags/v0.9.0-rc.1")
    clone.git("tag", "-d", "v0.9.0-rc.1")
    clone.push("refs/tags/v1.0.0-rc.1")


def of_older_files(clone):
    annotated(clone, "v1.0.0-rc.1", "origin/test^")


def named_almost(clone):
    annotated(clone, "v1.0.0-rc1", "origin/test")


def below_the_last(clone):
    annotated(clone, "v0.0.9-rc.1", "origin/test")
    annotated(clone, "v0.1.0", "origin/main")


def released_already(clone):
    good(clone)
    annotated(clone, "v1.0.0", "origin/main")


WRONG = (
    on_dev,
    on_a_twin,
    here_only,
    deleted_there,
    moved_there,
    light,
    renamed,
    of_older_files,
    named_almost,
    below_the_last,
    released_already,
)


def judged(act):
    """Whether it passes; what is refused says a way out."""
    try:
        return bool(act())
    except ReleaseRefused as error:
        refusal = error.refusal
    assert refusal.mend or refusal.note
    return False


def gate(clone):
    clone.git("fetch", "-q", "origin")
    return judged(lambda: check_merge(ProposedMerge("test", "main"), clone.repository()))


def promoted(clone):
    return judged(lambda: plan_promotion(clone.repository(), MAIN))


def releasable(clone):
    """What `release` says once main has test's files by somebody who went around the gate."""
    clone.git("fetch", "-q", "origin")
    clone.merge("test", "main")
    return judged(lambda: release(clone.repository()))


def verified(clone, tag="v1.0.0"):
    """What `verify` says when somebody tagged main by hand."""
    clone.git("fetch", "-q", "origin")
    if tag not in clone.git("tag").split():
        annotated(clone, tag, "origin/main")
    return judged(lambda: Verifier(clone.repository()).verify(tag))


def test_a_good_candidate_passes_everywhere(tested):
    good(tested)
    assert gate(tested)
    assert promoted(tested)
    assert releasable(tested)
    assert verified(tested)


@pytest.mark.parametrize("make", WRONG, ids=lambda make: make.__name__)
def test_a_wrong_candidate_passes_nowhere(tested, make):
    make(tested)
    assert not gate(tested)
    assert not promoted(tested)
    assert not releasable(tested)
    if make not in {below_the_last, released_already}:
        assert not verified(tested)


def test_no_candidate_at_all(tested):
    assert not gate(tested)
    assert not promoted(tested)
    assert not releasable(tested)


def test_files_that_were_released_before_need_a_candidate_of_their_own(done):
    clone = done
    released(clone, "feature/y", "1.1.0")
    clone.git("fetch", "-q", "origin")
    clone.git("switch", "-qc", "fix/revert", "--no-track", "origin/dev")
    clone.git("revert", "--no-edit", "-m", "1", "origin/dev")
    clone.push("fix/revert")
    clone.merge("fix/revert", "dev")
    moved(clone, "test")
    assert clone.git("rev-parse", "origin/test^{tree}") == clone.git("rev-parse", "v0.1.0^{tree}")
    with pytest.raises(ReleaseRefused, match=r"v0\.1\.0-rc\.1 alone") as caught:
        plan_promotion(clone.repository(), MAIN)
    assert "genpulse flow rc" in caught.value.refusal.mend
    assert not gate(clone)
    assert tag_candidate(clone.repository()).tag == "v1.2.0-rc.1"
    assert gate(clone)
    moved(clone, "main")
    assert release(clone.repository()).tag == "v1.2.0"


def test_what_is_wrong_with_the_candidate_that_would_fit_is_said(tested):
    here_only(tested)
    with pytest.raises(ReleaseRefused, match="origin does not have it") as caught:
        plan_promotion(tested.repository(), MAIN)
    tested.shell(caught.value.refusal.mend[0])
    assert promoted(tested)


def test_another_clone_sees_the_same(tested, tmp_path):
    here_only(tested)
    other = tmp_path / "other"
    tested.git("clone", "-q", str(tested.bare), str(other))
    assert not promoted(tested)
    assert not promoted(type(tested)(other, tested.bare))


def test_the_main_that_was_pushed_around_the_gate_says_why(tested):
    on_dev(tested)
    tested.git("fetch", "-q", "origin")
    tested.merge("test", "main")
    with pytest.raises(ReleaseRefused, match="not on test"):
        release(tested.repository())
