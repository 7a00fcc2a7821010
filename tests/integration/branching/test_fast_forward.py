"""A release stays verified, whatever is done to the lanes later; a fast-forward is found by itself."""

import pytest

from genpulse.branching.errors import LaneBroken
from genpulse.branching.lanes.invariants import lane_refusals
from genpulse.branching.lanes.partial_promotion import tested_state as state_of_test
from genpulse.branching.lanes.promotion import plan_promotion, promote
from genpulse.branching.merge_check import ProposedMerge, check_merge
from genpulse.branching.releases.deployment import deployable
from genpulse.branching.releases.tag_candidate import tag_candidate
from genpulse.branching.releases.tag_release import release
from genpulse.branching.releases.verification import Verifier
from genpulse.branching.rules.table import MAIN, TEST
from genpulse.environment.table import PRODUCTION
from tests.integration.branching.clones import moved, on_test, released


def fetched(clone):
    clone.git("fetch", "-q", "origin")


def merged_back(clone, lane):
    """GitHub's "Update branch" of a promotion, and `git merge origin/<lane>` of a conflict's mend."""
    fetched(clone)
    clone.merge(lane, "dev")
    fetched(clone)


def forwarded(clone, source, target):
    fetched(clone)
    clone.push(f"refs/remotes/origin/{source}:refs/heads/{target}")
    fetched(clone)


def forward_test(clone):
    merged_back(clone, "test")
    forwarded(clone, "dev", "test")


def forward_main(clone):
    merged_back(clone, "main")
    moved(clone, "test")
    forwarded(clone, "test", "main")


def forward_both(clone):
    forward_test(clone)
    merged_back(clone, "main")
    forwarded(clone, "dev", "test")
    forwarded(clone, "test", "main")


def level_all(clone):
    """Everything is levelled to main, dev too, as people synchronise."""
    merged_back(clone, "main")
    moved(clone, "test")
    forwarded(clone, "test", "main")
    forwarded(clone, "main", "dev")


def forward_main_first(clone):
    merged_back(clone, "test")
    merged_back(clone, "main")
    forwarded(clone, "dev", "main")
    forwarded(clone, "main", "test")


WAYS = (forward_test, forward_main, forward_both, level_all, forward_main_first)


def released_as_1(clone):
    released(clone, "feature/x", "1.0.0")


def second_on_main(clone):
    on_test(clone, "feature/y")
    tag_candidate(clone.repository(), "1.1.0")
    moved(clone, "main")


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
@pytest.mark.parametrize(
    "by_hand", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["by flow", "by hand"]
)
def test_a_release_stays_verified(shelf, tmp_path, way, by_hand):
    """Whether `release` tagged it, or somebody who did it rightly by hand."""
    clone = shelf.clone(tmp_path, released_as_1, second_on_main)
    if by_hand:
        clone.git("tag", "-am", "Our release", "v1.1.0", "origin/main")
        clone.push("v1.1.0")
    else:
        release(clone.repository())
    clone.merged("feature/z", "z.txt")
    way(clone)
    names = [found.version.tag for found in Verifier(clone.repository()).releases()]
    assert names == ["v1.1.0", "v1.0.0"]
    assert deployable(clone.repository(), "v1.0.0", PRODUCTION).version


def wrongly_tagged(clone):
    fetched(clone)
    for tag, ref in {
        "v1.1.0-rc.1": "origin/dev",
        "v1.2.0-rc.1": "origin/test^2",
        "v1.2.0": "origin/test",
        "v1.3.0-rc.1": "origin/test",
        "v1.3.0": "origin/dev",
        "v1.4.0": "origin/main",
    }.items():
        clone.git("tag", "-am", "x", tag, ref)
        clone.push(tag)
    clone.merged("feature/z", "z.txt")


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_what_was_no_release_does_not_become_one(shelf, tmp_path, way):
    clone = shelf.clone(tmp_path, released_as_1, wrongly_tagged)
    way(clone)
    assert [found.version.tag for found in Verifier(clone.repository()).releases()] == ["v1.0.0"]


def test_a_fast_forward_of_test_is_found_and_mended(done):
    done.merged("feature/z", "z.txt")
    forward_test(done)
    (refusal,) = lane_refusals(done.repository(), TEST)
    assert refusal.code == "lane_fast_forwarded"
    assert [found.code for found in check_merge(ProposedMerge("dev", "test"), done.repository()).refusals] == [
        refusal.code
    ]
    done.merged("feature/later", "later.txt")
    for act in (lambda: plan_promotion(done.repository(), TEST), lambda: tag_candidate(done.repository())):
        with pytest.raises(LaneBroken, match="fast-forward"):
            act()
    tip = done.git("rev-parse", "origin/test")
    done.shell(refusal.mend[0])
    fetched(done)
    assert done.git("rev-parse", "origin/test^2") == tip
    assert not lane_refusals(done.repository(), TEST)
    released(done, "feature/w")
    assert len(Verifier(done.repository()).releases()) == 2


def test_a_fast_forward_of_main_is_found_and_mended(done):
    done.merged("feature/z", "z.txt")
    merged_back(done, "main")
    moved(done, "test")
    tag_candidate(done.repository())
    forwarded(done, "test", "main")
    (refusal,) = lane_refusals(done.repository(), MAIN)
    assert refusal.code == "lane_fast_forwarded"
    with pytest.raises(LaneBroken, match="fast-forward"):
        release(done.repository())
    done.shell(refusal.mend[0])
    assert release(done.repository()).tag == "v0.2.0"
    assert [found.version.tag for found in Verifier(done.repository()).releases()] == ["v0.2.0", "v0.1.0"]
    assert not lane_refusals(done.repository(), MAIN)


def test_main_is_not_blamed_for_what_was_done_to_test(done):
    done.merged("feature/z", "z.txt")
    forward_test(done)
    assert not lane_refusals(done.repository(), MAIN)


def test_a_fast_forward_that_keeps_the_line_is_none(clone):
    """Lanes that only ever move by fast-forwards, as GitLab can be told to."""
    for number in range(3):
        clone.merged(f"feature/{number}", f"{number}.txt")
        forwarded(clone, "dev", "test")
        tag_candidate(clone.repository())
        forwarded(clone, "test", "main")
        release(clone.repository())
    assert not [*lane_refusals(clone.repository(), TEST), *lane_refusals(clone.repository(), MAIN)]
    assert len(Verifier(clone.repository()).releases()) == 3


def test_a_push_that_forwards_is_found_without_any_tag(tested):
    before = tested.git("rev-parse", "origin/test")
    tested.merged("feature/z", "z.txt")
    forward_test(tested)
    arrived = tested.git("rev-parse", "origin/test")
    assert not lane_refusals(tested.repository(), TEST)
    asked = ProposedMerge("dev", "test", arrived=arrived, before=before)
    assert [found.code for found in check_merge(asked, tested.repository()).refusals] == ["lane_fast_forwarded"]


def test_what_was_tagged_on_the_new_line_ends_it(done):
    """Nobody can give both lines back: the newer one counts from its first tag on."""
    done.merged("feature/z", "z.txt")
    forward_test(done)
    done.git("tag", "-am", "x", "v0.2.0-rc.1", "origin/test")
    assert not lane_refusals(done.repository(), TEST)


def test_a_release_of_one_fix_alone_stays_verified(clone):
    """What was promoted to test was no state of dev, but a branch that dev has merged."""
    released(clone, "feature/x", "1.0.0")
    clone.git("fetch", "-q", "origin")
    clone.git("switch", "-qc", "fix/y", "--no-track", state_of_test(clone.repository()))
    clone.commit("y.txt", "text")
    clone.push("fix/y")
    clone.merged("feature/unfinished", "unfinished.txt")
    clone.merge("fix/y", "dev")
    repository = clone.repository()
    promote(repository, plan_promotion(repository, TEST, only="fix/y"), merge=True)
    tag_candidate(clone.repository(), "1.0.1")
    moved(clone, "main")
    clone.git("tag", "-am", "By hand", "v1.0.1", "origin/main")
    clone.push("v1.0.1")
    forward_both(clone)
    assert [found.version.tag for found in Verifier(clone.repository()).releases()] == ["v1.0.1", "v1.0.0"]


def test_the_number_of_releases_costs_no_command_of_git(clone, tmp_path):
    """However many left the line of their lane."""
    spent = []
    for number in range(3):
        released(clone, f"feature/{number}")
        if number:
            forward_both(clone)
            log = tmp_path / f"trace-{number}"
            repository = clone.repository(GIT_TRACE=str(log))
            repository.fetch()
            assert len(Verifier(repository).releases()) == number + 1
            spent.append(log.read_text().count("built-in: git"))
            restored(clone)
    assert spent[0] == spent[1] < 25


def restored(clone):
    """By what main's refusal prints, until it prints nothing: test comes first."""
    for _ in range(2):
        (refusal,) = lane_refusals(clone.repository(), MAIN)
        clone.shell(refusal.mend[0])
        fetched(clone)
    assert not [*lane_refusals(clone.repository(), TEST), *lane_refusals(clone.repository(), MAIN)]
