import pytest

from genpulse.branching.errors import LaneBroken
from genpulse.branching.lanes.invariants import demand_intact, lane_refusals
from genpulse.branching.lanes.promotion import plan_promotion, promote
from genpulse.branching.rules.table import DEV, MAIN, TEST
from genpulse.branching.topics.open_topics import topics_of


def moved(clone, row):
    repository = clone.repository()
    return promote(repository, plan_promotion(repository, row), merge=True).merged


def only(clone, row):
    clone.git("fetch", "-q", "origin")
    (refusal,) = lane_refusals(clone.repository(), row)
    return refusal


def healthy(clone):
    clone.git("fetch", "-q", "origin")
    return not [refusal for row in (DEV, TEST, MAIN) for refusal in lane_refusals(clone.repository(), row)]


def test_promotions_leave_the_lanes_intact(clone):
    for number in range(3):
        clone.merged(f"feature/{number}", f"{number}.txt")
        moved(clone, TEST)
        clone.git("tag", "-am", "x", f"v1.{number}.0-rc.1", "origin/test")
        clone.push(f"v1.{number}.0-rc.1")
        moved(clone, MAIN)
    assert healthy(clone)
    trees = {clone.git("rev-parse", f"origin/{lane}^{{tree}}") for lane in ("dev", "test", "main")}
    assert len(trees) == 1


def test_a_direct_commit_is_named_and_its_mend_mends(clone):
    clone.merged("feature/x", "x.txt")
    moved(clone, TEST)
    clone.out("test")
    stray = clone.commit("hot.txt", "text", "Quickly repair")
    clone.push("test")
    clone.out("dev")
    refusal = only(clone, TEST)
    assert "committed to test directly" in refusal.rule
    assert f"{stray[:9]} Quickly repair" in refusal.found
    with pytest.raises(LaneBroken):
        demand_intact(clone.repository(), TEST)
    clone.shell(refusal.mend[0])
    assert healthy(clone)
    assert clone.git("merge-base", "--is-ancestor", stray, "origin/dev") == ""


def test_a_direct_commit_is_taken_off_and_kept(clone):
    clone.merged("feature/x", "x.txt")
    moved(clone, TEST)
    clone.out("test")
    stray = clone.commit("hot.txt", "text", "Quickly repair")
    clone.push("test")
    refusal = only(clone, TEST)
    clone.shell(refusal.mend[1])
    assert healthy(clone)
    assert clone.git("rev-parse", "origin/test") == clone.git("rev-parse", f"{stray}^")
    assert clone.git("rev-parse", f"origin/fix/kept-{stray[:9]}") == stray


def test_a_squashed_promotion_is_recognised_and_mended(clone):
    clone.merged("feature/x", "x.txt")
    clone.out("test")
    clone.git("merge", "-q", "--squash", "origin/dev")
    clone.git("commit", "-qm", "All of it (#7)")
    clone.push("test")
    refusal = only(clone, TEST)
    assert "it was squashed" in refusal.found
    assert "All of it (#7)" in refusal.found
    clone.shell(refusal.mend[0])
    moved(clone, TEST)
    assert healthy(clone)


def test_a_branch_merged_over_a_lane(clone):
    clone.merged("feature/x", "x.txt")
    clone.git("fetch", "-q", "origin")
    clone.merge("dev", "main")
    refusal = only(clone, MAIN)
    assert refusal.rule == "main only accepts test."
    assert "Merge dev into main" in refusal.found
    clone.shell(refusal.mend[0])
    moved(clone, TEST)
    assert healthy(clone)


def test_it_stays_a_merge_over_a_lane_when_test_catches_up(clone):
    clone.merged("feature/x", "x.txt")
    clone.git("fetch", "-q", "origin")
    clone.merge("dev", "main")
    moved_by_hand = clone.merge("dev", "test")
    assert moved_by_hand
    assert only(clone, MAIN).rule == "main only accepts test."


def test_a_topic_merged_into_test(clone):
    clone.topic("feature/x", "x.txt")
    clone.merge("feature/x", "test")
    refusal = only(clone, TEST)
    assert refusal.rule == "test only accepts dev."


def test_a_promotion_with_a_change_of_its_own(clone):
    clone.merged("feature/x", "x.txt")
    clone.out("test")
    clone.git("fetch", "-q", "origin")
    clone.git("merge", "-q", "--no-ff", "--no-commit", "origin/dev")
    (clone.folder / "x.txt").write_text("slipped in")
    clone.git("commit", "-qam", "Merge dev into test")
    clone.push("test")
    refusal = only(clone, TEST)
    assert refusal.rule == "A promotion to test changes nothing."
    clone.shell(refusal.mend[0])
    assert healthy(clone)


def test_what_was_released_already_becomes_part_of_dev(clone):
    clone.out("main")
    clone.commit("hot.txt", "text", "Quickly repair")
    clone.push("main")
    clone.git("tag", "-am", "x", "v1.0.0", "main")
    refusal = only(clone, MAIN)
    assert "--force" not in refusal.mend[0]
    clone.out("dev")
    clone.shell(refusal.mend[0])
    moved(clone, TEST)
    assert healthy(clone)
    assert clone.git("cat-file", "-t", "origin/test:hot.txt") == "blob"


def test_clocks_that_went_wrong_make_no_violation(clone):
    for number in range(12):
        clone.git(
            "commit", "-q", "--allow-empty", "-m", "Early", GIT_COMMITTER_DATE=f"{1_000_000_000 + number} +0000"
        )
    clone.push("dev")
    clone.topic("feature/x", "x.txt")
    assert healthy(clone)
    assert not [
        topic for topic in topics_of(clone.repository(), clone.repository().refs.heads.values()) if topic.foreign
    ]


def test_a_promotion_by_fast_forward_is_one(clone):
    clone.merged("feature/x", "x.txt")
    clone.git("fetch", "-q", "origin")
    clone.push("refs/remotes/origin/dev:refs/heads/test")
    clone.git("fetch", "-q", "origin")
    clone.push("refs/remotes/origin/test:refs/heads/main")
    assert healthy(clone)
