"""Only version tags are fetched and judged; a version tag is what the remote says."""

import pytest

from genpulse.branching.errors import GitFailed, ReleaseRefused
from genpulse.branching.merge_check import ProposedMerge, check_merge
from genpulse.branching.releases.tag_candidate import tag_candidate
from genpulse.branching.releases.verification import Verifier
from genpulse.branching.status import read_state
from genpulse.branching.topics.start import start
from tests.integration.branching.clones import moved, on_test, released

OTHER = ("nightly", "latest", "v1", "v1.x", "deploy/2024-01-01", "v-next", "2.0.0", "v2.0")
NEAR = ("2.0.0", "v1.0.0-rc1", "v2.0", "V5.0.0", "v4.0.0-beta.1", "release-3.1")


def moved_by_others(clone, tag):
    """A tag that was moved on the remote after this clone had it."""
    clone.git("tag", "-f", tag, "origin/main")
    clone.push(f"+refs/tags/{tag}")
    other = clone.git("commit-tree", "-p", "origin/main", "-m", "Other", "origin/main^{tree}")
    clone.push(f"+{other}:refs/tags/{tag}")


@pytest.mark.parametrize(
    "tag", ["nightly", "latest", "v1", "v1.x", "deploy/2024-01-01", "v-next", "2.0.0", "v2.0"]
)
def test_other_tags_may_move_freely(done, tag):
    moved_by_others(done, tag)
    here = done.git("rev-parse", tag)
    start(done.repository(), "feature/more")
    on_test(done, "feature/y")
    tag_candidate(done.repository())
    assert Verifier(done.repository()).verify("v0.1.0")
    assert done.git("rev-parse", tag) == here


def test_tags_of_others_are_not_brought_along(done):
    done.git("tag", "nightly", "origin/main")
    done.push("nightly")
    done.git("tag", "-d", "nightly")
    done.repository().fetch()
    assert "nightly" not in done.git("tag").split()


def test_a_version_that_was_moved_stops_nothing_but_itself(done):
    released(done, "feature/y")
    moved_by_others(done, "v0.2.0")
    assert done.git("cat-file", "-t", "v0.2.0") == "commit"
    start(done.repository(), "feature/more")
    with pytest.raises(ReleaseRefused) as caught:
        Verifier(done.repository()).verify("v0.2.0")
    assert caught.value.code == "tag_moved"
    assert Verifier(done.repository()).verify("v0.1.0")
    assert [found.version.tag for found in Verifier(done.repository()).releases()] == ["v0.1.0"]


def test_a_moved_release_is_put_back_by_its_mend(done):
    kept = done.git("rev-parse", "refs/tags/v0.1.0")
    done.git("tag", "-f", "-am", "x", "v0.1.0", "origin/dev")
    done.git("push", "-qf", "origin", "v0.1.0")
    done.git("update-ref", "refs/tags/v0.1.0", kept)
    with pytest.raises(ReleaseRefused, match=kept[:9]) as caught:
        Verifier(done.repository()).verify("v0.1.0")
    done.shell(caught.value.refusal.mend[0])
    assert done.git("ls-remote", "origin", "refs/tags/v0.1.0").split()[0] == kept
    assert Verifier(done.repository()).verify("v0.1.0")


def test_a_deleted_release_is_put_back_by_its_mend(done):
    done.git("push", "-q", "origin", ":refs/tags/v0.1.0")
    with pytest.raises(ReleaseRefused, match="does not have it") as caught:
        Verifier(done.repository()).verify("v0.1.0")
    assert Verifier(done.repository(offline=True)).verify("v0.1.0")
    done.shell(caught.value.refusal.mend[0])
    assert Verifier(done.repository()).verify("v0.1.0")


def test_near_misses_are_listed_once_as_what_they_are(done):
    for tag in (
        "2.0.0",
        "v1.0.0-rc1",
        "v2.0",
        "V5.0.0",
        "v4.0.0-beta.1",
        "release-3.1",
        "nightly",
        "v1",
        "x86_64",
    ):
        done.git("tag", tag, "origin/main")
    for warnings in (
        check_merge(ProposedMerge("dev", "test"), done.repository()).warnings,
        read_state(done.repository(offline=True)).notes,
    ):
        (warning,) = (each for each in warnings if each.code == "version_malformed")
        listed = warning.found.partition(": ")[2].removesuffix(".").split(", ")
        assert sorted(listed) == sorted(NEAR)


def test_a_hundred_near_misses_are_still_one_line(done):
    for number in range(100):
        done.git("tag", f"1.{number}.0", "origin/main")
    (warning,) = check_merge(ProposedMerge("dev", "test"), done.repository()).warnings
    assert "and 90 more" in warning.found


def test_versions_without_a_v_are_counted_on(clone):
    clone.git("tag", "1.4.2", "origin/main")
    clone.push("1.4.2")
    on_test(clone)
    assert tag_candidate(clone.repository()).tag == "v1.5.0-rc.1"


def test_a_private_tag_does_not_choose_the_next_version(tested):
    tested.git("tag", "-am", "mine", "v5.0.0-rc.1", "origin/dev")
    tested.git("config", "push.followTags", "true")
    assert tag_candidate(tested.repository()).tag == "v0.1.0-rc.1"
    moved(tested, "main")
    assert "v5.0.0-rc.1" not in tested.git("ls-remote", "origin")


def test_a_private_tag_in_the_way_is_named(tested):
    tested.git("tag", "-am", "mine", "v0.1.0-rc.1", "origin/test")
    before = tested.refs()
    with pytest.raises(ReleaseRefused, match="origin does not have it") as caught:
        tag_candidate(tested.repository())
    assert tested.refs() == before
    tested.shell(caught.value.refusal.mend[0])
    assert Verifier(tested.repository()).demand_candidate(tested.repository().known_versions[0])


def test_the_remote_is_asked_once_for_all(done, tmp_path):
    """One `ls-remote` per command, whatever the number of tags; and one fetch, where there is something new."""
    log = tmp_path / "trace"
    released(done, "feature/y")
    done.git("--git-dir", str(done.bare), "update-ref", "refs/heads/fix/z", "refs/heads/dev")
    repository = done.repository(GIT_TRACE=str(log))
    repository.fetch()
    verifier = Verifier(repository)
    assert len(verifier.releases()) == 2
    assert verifier.verify()
    lines = log.read_text().splitlines()
    assert sum("built-in: git ls-remote" in line for line in lines) == 1
    assert sum("built-in: git fetch " in line for line in lines) == 1


def test_a_remote_that_is_away_is_never_taken_for_one_without_tags(done):
    done.git("remote", "set-url", "origin", "/nonexistent")
    with pytest.raises(GitFailed):
        Verifier(done.repository()).releases()
