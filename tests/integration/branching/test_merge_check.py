import pytest

from genpulse.branching.errors import NameRefused
from genpulse.branching.git.repository import Repository
from genpulse.branching.merge_check import ProposedMerge, check_merge
from genpulse.branching.releases.tag_candidate import tag_candidate
from genpulse.branching.releases.tag_release import release
from tests.integration.branching.clones import ENVIRONMENT, moved, on_test


def rules(found):
    return [refusal.rule for refusal in found.refusals]


def test_a_good_topic_branch(clone):
    clone.topic("feature/x", "x.txt")
    found = check_merge(ProposedMerge("feature/x", "dev"), clone.repository())
    assert found
    assert (found.unchecked, found.warnings) == ("", ())


def test_the_names_come_first(clone, tmp_path):
    assert rules(check_merge(ProposedMerge("dev", "main"), clone.repository())) == [
        "main only accepts test; dev must pass through test first."
    ]
    assert not check_merge(ProposedMerge("dev", "test", "fork/x", "own/x"), clone.repository())
    outside = check_merge(ProposedMerge("feature/x", "dev"), Repository(tmp_path, ENVIRONMENT))
    assert [refusal.code for refusal in outside.refusals] == ["no_repository"]
    assert check_merge(ProposedMerge("feature/x", "dev"), Repository(tmp_path, ENVIRONMENT), history=False)
    assert check_merge(ProposedMerge("feature/x", "dev"), clone.repository(), history=False).unchecked


def test_a_topic_branch_that_was_cut_from_main(clone):
    clone.git("commit", "-q", "--allow-empty", "-m", "On main")
    clone.push("dev:main")
    clone.topic("feature/x", "x.txt")
    clone.git("fetch", "-q", "origin")
    clone.git("switch", "-q", "feature/x")
    clone.git("rebase", "-q", "origin/main")
    assert rules(check_merge(ProposedMerge("feature/x", "dev"), clone.repository())) == [
        "feature/x must start from dev."
    ]
    commit = clone.git("rev-parse", "HEAD")
    forked = ProposedMerge("feature/x", "dev", "fork/x", "own/x", commit)
    assert rules(check_merge(forked, clone.repository())) == ["feature/x must start from dev."]


def test_a_fork_whose_commit_is_not_named_or_not_here_is_refused(clone):
    for commit in ("", "0" * 40):
        found = check_merge(ProposedMerge("feature/x", "dev", "fork/x", "own/x", commit), clone.repository())
        assert [refusal.code for refusal in found.refusals] == ["history_missing"]
    assert check_merge(ProposedMerge("feature/x", "dev", "fork/x", "own/x"), clone.repository(), history=False)


def test_a_branch_that_is_not_here_is_refused(clone):
    (refusal,) = check_merge(ProposedMerge("feature/x", "dev"), clone.repository()).refusals
    assert "--head-sha" in refusal.note


@pytest.mark.parametrize("lane", ["dev", "test", "main"])
@pytest.mark.parametrize(
    "asked", [ProposedMerge("feature/x", "dev"), ProposedMerge("dev", "test"), ProposedMerge("test", "main")]
)
def test_a_lane_that_is_not_here_is_refused(clone, lane, asked):
    clone.topic("feature/x", "x.txt")
    clone.git("update-ref", "-d", f"refs/remotes/origin/{lane}")
    assert [refusal.code for refusal in check_merge(asked, clone.repository()).refusals] == ["lane_missing"]
    assert check_merge(asked, clone.repository(), history=False)


@pytest.mark.parametrize("commit", ["--all", "HEAD~1", "a b"])
def test_a_commit_is_an_id(clone, commit):
    with pytest.raises(Exception, match="--head-sha is a commit's id"):
        check_merge(ProposedMerge("feature/x", "dev", "", "", commit), clone.repository())


def test_promotions_are_judged_by_the_lanes(clone):
    clone.merged("feature/x", "x.txt")
    clone.git("fetch", "-q", "origin")
    assert check_merge(ProposedMerge("dev", "test"), clone.repository())
    clone.merge("dev", "test")
    clone.git("fetch", "-q", "origin")
    assert rules(check_merge(ProposedMerge("test", "main"), clone.repository())) == [
        "main only accepts a release candidate."
    ]
    clone.git("tag", "-am", "x", "v1.0.0-rc.1", "origin/test")
    clone.push("v1.0.0-rc.1")
    assert check_merge(ProposedMerge("test", "main"), clone.repository())
    clone.out("test")
    clone.commit("stray.txt", "text")
    clone.push("test")
    assert "committed to test directly" in rules(check_merge(ProposedMerge("dev", "test"), clone.repository()))[0]


def test_a_shallow_clone_is_refused(clone):
    clone.commit("a.txt", "text")
    clone.push("dev")
    clone.git("fetch", "-q", "--depth=1", f"file://{clone.bare}", "+refs/heads/*:refs/remotes/origin/*")
    found = check_merge(ProposedMerge("dev", "test"), clone.repository())
    assert rules(found) == ["The whole history has to be here to judge it."]


def test_tags_named_like_branches_are_refused_and_folders_warned_of(clone):
    clone.commit("test/one.py", "text")
    clone.push("dev")
    found = check_merge(ProposedMerge("dev", "test"), clone.repository())
    assert found
    assert [warning.mend[0] for warning in found.warnings] == ["git mv test tests"]
    clone.git("tag", "test")
    assert rules(check_merge(ProposedMerge("dev", "test"), clone.repository())) == [
        "A tag is not named like a branch: git would take one for the other."
    ]


def test_programs_and_queues(clone):
    assert check_merge(ProposedMerge("dependabot/pip/x", "dev"), clone.repository())
    assert check_merge(
        ProposedMerge("refs/heads/gh-readonly-queue/dev/pr-1-abc", "refs/heads/dev"), clone.repository()
    )


def pushed(clone, before, arrived):
    clone.git("fetch", "-q", "origin")
    return check_merge(ProposedMerge("test", "main", arrived=arrived, before=before), clone.repository())


def test_a_push_to_main_is_judged_by_what_arrived(clone):
    before = clone.git("rev-parse", "origin/main")
    on_test(clone)
    tag_candidate(clone.repository())
    moved(clone, "main")
    arrived = clone.git("rev-parse", "origin/main")
    assert pushed(clone, before, arrived)
    on_test(clone, "feature/later")
    assert pushed(clone, before, arrived), "test has moved on"
    release(clone.repository())
    assert pushed(clone, before, arrived), "the job runs once more after the release"
    tag_candidate(clone.repository())
    moved(clone, "main")
    release(clone.repository())
    assert pushed(clone, before, arrived), "and after the next one"
    assert pushed(clone, arrived, clone.git("rev-parse", "origin/main"))
    assert pushed(clone, "0" * 40, arrived)


def test_a_push_to_main_of_what_was_no_candidate_stays_refused(clone):
    before = clone.git("rev-parse", "origin/main")
    on_test(clone)
    clone.merge("test", "main")
    clone.git("fetch", "-q", "origin")
    arrived = clone.git("rev-parse", "origin/main")
    assert rules(pushed(clone, before, arrived)) == ["main only accepts a release candidate."]
    on_test(clone, "feature/later")
    tag_candidate(clone.repository())
    assert rules(pushed(clone, before, arrived)) == ["main only accepts a release candidate."]


def test_a_push_of_a_stray_is_refused(clone):
    before = clone.git("rev-parse", "origin/main")
    clone.out("main")
    arrived = clone.commit("hot.txt", "text")
    clone.push("main")
    assert "lane_stray" in [refusal.code for refusal in pushed(clone, before, arrived).refusals]


@pytest.mark.parametrize("commit", ["--all", "HEAD~1", "a b"])
def test_what_arrived_is_an_id(clone, commit):
    for asked in (
        ProposedMerge("test", "main", arrived=commit),
        ProposedMerge("test", "main", arrived="HEAD", before=commit),
    ):
        with pytest.raises(NameRefused, match="is a commit's id"):
            check_merge(asked, clone.repository())


def test_a_merge_queue_of_main_is_judged_by_its_commit(tested):
    queue = "gh-readonly-queue/main/pr-1-abc"
    merge = tested.merge("test", "main")
    tested.git("fetch", "-q", "origin")
    tested.git("push", "-q", "--force", "origin", "origin/main^:refs/heads/main", f"{merge}:refs/heads/{queue}")
    tested.git("fetch", "-q", "origin")
    asked = ProposedMerge(queue, "main", head_commit=merge)
    assert rules(check_merge(asked, tested.repository())) == ["main only accepts a release candidate."]
    tag_candidate(tested.repository())
    assert check_merge(asked, tested.repository())
    tested.git("update-ref", "-d", f"refs/remotes/origin/{queue}")
    (refusal,) = check_merge(ProposedMerge(queue, "main"), tested.repository()).refusals
    assert refusal.code == "history_missing"
