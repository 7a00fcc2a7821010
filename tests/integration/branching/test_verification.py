import pytest

from genpulse.branching.errors import NameRefused, ReleaseRefused, RepositoryUnfit
from genpulse.branching.releases.verification import Verifier
from tests.integration.branching.clones import released


def refused(clone, tag, words, **options):
    with pytest.raises(ReleaseRefused, match=words) as caught:
        Verifier(clone.repository(), **options).verify(tag)
    return caught.value


def test_a_release_is_verified_by_its_name_or_as_the_last_one(done):
    found = Verifier(done.repository()).verify("v0.1.0")
    assert found == Verifier(done.repository()).verify() == Verifier(done.repository()).verify("refs/tags/v0.1.0")
    assert (found.version.tag, found.candidate.tag) == ("v0.1.0", "v0.1.0-rc.1")
    assert found.commit == done.git("rev-parse", "origin/main")
    assert not found.signed


def test_no_release_yet(clone):
    refused(clone, None, "no release yet")
    refused(clone, "v1.0.0", "there is no tag v1.0.0")
    assert Verifier(clone.repository()).releases() == ()


def test_what_is_no_release(done):
    refused(done, "v0.1.0-rc.1", "is a release candidate; final tags are vX.Y.Z")
    with pytest.raises(NameRefused):
        Verifier(done.repository()).verify("main")


def test_a_light_tag(done):
    done.git("tag", "v0.2.0", "origin/main")
    refused(done, "v0.2.0", "a light tag")


def test_a_tag_under_another_name(done):
    done.git("update-ref", "refs/tags/v0.2.0", done.git("rev-parse", "refs/tags/v0.1.0"))
    refused(done, "v0.2.0", "the tag v0.1.0 under another name")


def test_a_tag_that_is_not_on_main(done):
    done.git("tag", "-am", "x", "v0.2.0", "origin/test")
    refused(done, "v0.2.0", "not on main")


def test_a_tag_on_a_tree(done):
    done.git("tag", "-am", "x", "v0.2.0", "origin/main^{tree}")
    refused(done, "v0.2.0", "something else than a commit")


def test_a_release_whose_candidate_is_of_another_version_or_place(done):
    done.git("tag", "-am", "x", "v0.2.0", "origin/main")
    refused(done, "v0.2.0", "no candidate of v0.2.0 on test")
    done.git("tag", "-am", "x", "v0.2.0-rc.1", "origin/dev")
    refused(done, "v0.2.0", "no candidate of v0.2.0 on test")
    done.git("tag", "v0.2.0-rc.2", "origin/test")
    refused(done, "v0.2.0", "no candidate of v0.2.0 on test")


def test_only_what_holds_is_listed_newest_first(done):
    done.git("tag", "v9.0.0", "origin/main")
    done.push("v9.0.0")
    released(done, "feature/y")
    released(done, "feature/z", "10.0.0")
    names = [found.version.tag for found in Verifier(done.repository()).releases()]
    assert names == ["v10.0.0", "v9.1.0", "v0.1.0"]


def test_a_tag_that_is_here_and_not_on_the_remote(done):
    done.git("push", "-q", "origin", ":refs/tags/v0.1.0")
    error = refused(done, "v0.1.0", "origin does not have it")
    assert error.code == "tag_not_published"
    assert Verifier(done.repository()).releases() == ()
    assert Verifier(done.repository(offline=True)).verify().version.tag == "v0.1.0"


def test_a_tag_that_was_moved(done):
    done.git("tag", "-f", "-am", "other", "v0.1.0", "origin/main")
    assert refused(done, "v0.1.0", "has another one").code == "tag_moved"
    done.repository().fetch()
    assert Verifier(done.repository()).releases() == ()


def test_a_replaced_object_deceives_nobody(done):
    done.git("tag", "-am", "x", "v0.2.0", "origin/main")
    done.git("tag", "-am", "x", "v0.2.0-rc.1", "origin/dev")
    done.git("replace", done.git("rev-parse", "origin/dev"), done.git("rev-parse", "origin/test"))
    refused(done, "v0.2.0", "no candidate of v0.2.0 on test")


def test_a_shallow_clone_proves_nothing(done):
    done.git("fetch", "-q", "--depth=1", f"file://{done.bare}", "+refs/heads/*:refs/remotes/origin/*")
    with pytest.raises(RepositoryUnfit, match="shallow"):
        Verifier(done.repository())


def test_releases_from_before_the_flow_count_from_the_committed_baseline_down(clone):
    clone.out("main")
    clone.commit("old.txt", "text")
    clone.push("main", "main:test", "main:dev")
    clone.git("tag", "v1.2.3", "main")
    clone.git("tag", "-am", "Old", "v1.1.0", "main^")
    clone.git("tag", "-am", "Elsewhere", "v1.0.0", clone.git("commit-tree", "-m", "x", "main^{tree}"))
    clone.push("v1.2.3", "v1.1.0", "v1.0.0")
    with pytest.raises(ReleaseRefused):
        Verifier(clone.repository()).verify("v1.2.3")
    clone.out("dev")
    clone.commit(".flow.toml", 'baseline = "v1.2.3"\n')
    clone.push("dev")
    clone.git("fetch", "-q", "origin")
    found = Verifier(clone.repository()).releases()
    assert [(release.version.tag, release.candidate) for release in found] == [("v1.2.3", None), ("v1.1.0", None)]
    released(clone, "feature/x")
    assert Verifier(clone.repository()).releases()[0].version.tag == "v1.3.0"


def test_a_baseline_takes_in_nothing_that_came_after_it(clone):
    clone.out("main")
    clone.commit("old.txt", "text")
    clone.push("main", "main:test", "main:dev")
    clone.git("tag", "-am", "Old", "v1.2.3", "main")
    clone.push("v1.2.3")
    clone.commit("new.txt", "text")
    clone.git("tag", "-am", "Never tested", "v1.2.2", "main")
    clone.push("main", "main:test", "main:dev", "v1.2.2")
    clone.out("dev")
    for baseline, before in (("v1.2.3", ["v1.2.3"]), ("v9.0.0", [])):
        clone.commit(".flow.toml", f'baseline = "{baseline}"\n')
        clone.push("dev")
        clone.git("fetch", "-q", "origin")
        assert [found.version.tag for found in Verifier(clone.repository()).releases()] == before


@pytest.mark.parametrize("says", ["Release", "Release\n\nVerified as v1.0.0-rc.1."])
@pytest.mark.parametrize("marked", ["origin/dev", "origin/dev^2"])
@pytest.mark.parametrize("merged", ["test", "dev", "dev^2"])
def test_what_a_tag_says_makes_no_candidate_of_what_was_never_on_test(tested, says, marked, merged):
    tested.git("tag", "-am", "Not tagged on test", "v1.0.0-rc.1", marked)
    tested.merge(merged, "main")
    tested.git("fetch", "-q", "origin")
    tested.git("tag", "-am", says, "v1.0.0", "origin/main")
    tested.push("v1.0.0-rc.1", "v1.0.0")
    with pytest.raises(ReleaseRefused, match="no candidate of"):
        Verifier(tested.repository()).verify("v1.0.0")
