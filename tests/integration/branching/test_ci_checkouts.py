"""What CI checks out, by the git commands that it runs."""

import shutil
import subprocess

import pytest

from genpulse.branching.errors import FlowError, GitFailed, ReleaseRefused, RepositoryUnfit
from genpulse.branching.merge_check import ProposedMerge, check_merge
from genpulse.branching.releases.build_info import build_of
from genpulse.branching.releases.deployment import demand_checked_out, deployable
from genpulse.branching.releases.verification import Verifier
from genpulse.environment.table import PRODUCTION, TESTING
from tests.integration.branching.clones import ENVIRONMENT, Clone, moved, on_test

TAG = "refs/tags/v0.1.0"


def job(done, folder):
    """An empty repository with the remote, as every job begins."""
    subprocess.run(["git", "init", "-q", "--template=", str(folder)], env=ENVIRONMENT, check=True)
    found = Clone(folder, done.bare)
    found.git("remote", "add", "origin", f"file://{done.bare}")
    return found


def planted(done, folder, tag="v0.1.0"):
    """actions/checkout before v6.0.2 with fetch-depth 0, on a tag."""
    found = job(done, folder)
    found.git("fetch", "-q", "origin", "+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*")
    commit = found.git("rev-parse", f"{tag}^{{commit}}")
    found.git("fetch", "-q", "--no-tags", "origin", f"+{commit}:refs/tags/{tag}")
    found.git("checkout", "-q", f"refs/tags/{tag}")
    assert found.git("cat-file", "-t", tag) == "commit"
    return found


def shallow(done, folder):
    """The same by its default, depth 1."""
    found = job(done, folder)
    commit = done.git("rev-parse", "v0.1.0^{commit}")
    found.git("fetch", "-q", "--no-tags", "--depth=1", "origin", f"+{commit}:{TAG}")
    found.git("checkout", "-q", TAG)
    return found


def without_tags(done, folder):
    found = job(done, folder)
    found.git("fetch", "-q", "--no-tags", "origin", "+refs/heads/*:refs/remotes/origin/*")
    found.git("checkout", "-q", "--detach", "origin/main")
    return found


def single_branch(done, folder):
    where = f"file://{done.bare}"
    command = [
        "git",
        "clone",
        "-q",
        "--template=",
        "--single-branch",
        "--no-tags",
        "-b",
        "main",
        where,
        str(folder),
    ]
    subprocess.run(command, env=ENVIRONMENT, check=True)
    return Clone(folder, done.bare)


def asked(clone, **options):
    """What the three commands of a deployment say."""
    repository = clone.repository(**options)
    Verifier(repository)
    repository.fetch()
    found = Verifier(repository).verify("v0.1.0")
    assert deployable(repository, TAG, PRODUCTION).commit == found.commit
    build = build_of(clone.repository(**options))
    return found, build


@pytest.mark.parametrize("checkout", [planted, without_tags, single_branch])
def test_a_deployment_passes_in_every_checkout_with_the_whole_history(done, tmp_path, checkout):
    found, build = asked(checkout(done, tmp_path / "job"))
    assert found.candidate.tag == "v0.1.0-rc.1"
    assert (build.tag, build.is_final) == ("v0.1.0", True)


def test_a_planted_tag_is_put_right_by_each_command_alone(done, tmp_path):
    assert build_of(planted(done, tmp_path / "one").repository()).is_final
    clone = planted(done, tmp_path / "two")
    clone.repository().fetch()
    assert clone.git("cat-file", "-t", "v0.1.0") == "tag"
    planted_candidate = planted(done, tmp_path / "three", "v0.1.0-rc.1")
    assert build_of(planted_candidate.repository()).tag == "v0.1.0-rc.1"


def test_a_planted_tag_without_the_remote_is_called_what_it_is(done, tmp_path):
    clone = planted(done, tmp_path / "job")
    with pytest.raises(ReleaseRefused, match="light tag") as caught:
        Verifier(clone.repository(offline=True)).verify("v0.1.0")
    assert "actions/checkout" in caught.value.refusal.note


def test_a_planted_tag_on_another_commit_stays_and_is_refused(done, tmp_path):
    """The tag was moved between the event and the job."""
    clone = planted(done, tmp_path / "job")
    other = clone.git("rev-parse", "origin/test")
    clone.git("update-ref", TAG, other)
    clone.git("checkout", "-q", TAG)
    for act in (lambda: asked(clone), lambda: build_of(clone.repository())):
        with pytest.raises(ReleaseRefused) as caught:
            act()
        assert caught.value.code == "tag_moved"
    assert clone.git("rev-parse", TAG) == other


def test_a_shallow_checkout_is_called_one_by_all(done, tmp_path):
    clone = shallow(done, tmp_path / "job")
    repository = clone.repository()
    acts = (
        lambda: Verifier(repository),
        lambda: deployable(repository, TAG),
        lambda: build_of(clone.repository()),
    )
    for act in acts:
        with pytest.raises(RepositoryUnfit, match="shallow") as caught:
            act()
        assert caught.value.code == "history_shallow"
        assert "depth" in caught.value.refusal.note
    gate = check_merge(ProposedMerge("test", "main"), clone.repository())
    assert [refusal.code for refusal in gate.refusals] == ["history_shallow"]
    clone.shell(caught.value.refusal.mend[0])
    assert asked(clone)


def test_a_checkout_without_tags_offline_says_so(done, tmp_path):
    clone = without_tags(done, tmp_path / "job")
    with pytest.raises(ReleaseRefused, match="no version tag at all") as caught:
        Verifier(clone.repository(offline=True)).verify("v0.1.0")
    assert "without tags" in caught.value.refusal.note
    clone.shell(caught.value.refusal.mend[0])
    assert clone.git("cat-file", "-t", "v0.1.0") == "tag"


def test_a_single_branch_says_so(done, tmp_path):
    clone = single_branch(done, tmp_path / "job")
    found = check_merge(ProposedMerge("test", "main"), clone.repository())
    assert [refusal.code for refusal in found.refusals] == ["lane_not_fetched"]
    clone.shell(found.refusals[0].mend[0])
    on_test(done, "feature/later")
    clone.git("fetch", "-q", "origin")
    again = check_merge(ProposedMerge("test", "main"), clone.repository())
    assert [refusal.code for refusal in again.refusals] == ["candidate_missing"]


def test_foreign_ownership_is_refused_by_all(done):
    clone = done
    strange = {"GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"}
    for act in (
        lambda: Verifier(clone.repository(**strange)),
        lambda: deployable(clone.repository(**strange), TAG),
        lambda: build_of(clone.repository(**strange)),
    ):
        with pytest.raises(GitFailed) as caught:
            act()
        assert caught.value.code == "ownership_dubious"
    found = check_merge(ProposedMerge("test", "main"), clone.repository(**strange))
    assert [refusal.code for refusal in found.refusals] == ["ownership_dubious"]
    assert str(clone.folder) in found.refusals[0].mend[0]


def test_no_git_is_refused_by_all(done, tmp_path):
    nothing = {"PATH": str(tmp_path)}
    assert shutil.which("git", path=str(tmp_path)) is None
    for act in (
        lambda: Verifier(done.repository(**nothing)),
        lambda: deployable(done.repository(**nothing), TAG),
        lambda: build_of(done.repository(**nothing)),
    ):
        with pytest.raises(FlowError, match="not on PATH"):
            act()
    assert [
        refusal.code for refusal in check_merge(ProposedMerge("test", "main"), done.repository(**nothing)).refusals
    ] == ["git_missing"]


def test_a_remote_that_is_away_is_refused_unless_offline(done):
    done.git("checkout", "-q", "v0.1.0")
    done.git("remote", "set-url", "origin", "/nonexistent")
    for act in (lambda: asked(done), lambda: build_of(done.repository()), done.repository().fetch):
        with pytest.raises(GitFailed):
            act()
    assert asked(done, offline=True)[1].is_final
    assert check_merge(ProposedMerge("test", "main"), done.repository()).refusals


def test_what_is_checked_out_is_what_is_judged(done, tmp_path):
    """A job of a push to test, while test moves on."""
    clone = job(done, tmp_path / "job")
    clone.git("fetch", "-q", "origin", "+refs/heads/*:refs/remotes/origin/*")
    clone.git("checkout", "-q", "-B", "test", "refs/remotes/origin/test")
    repository = clone.repository()
    repository.fetch()
    found = deployable(repository, "refs/heads/test", TESTING)
    assert demand_checked_out(repository, found, job=True) == ""
    done.merged("feature/later", "later.txt")
    moved(done, "test")
    repository.fetch()
    found = deployable(repository, "refs/heads/test", TESTING)
    for options in ({}, {"job": True}, {"commit": "HEAD"}):
        with pytest.raises(ReleaseRefused, match=r"what is checked out|HEAD is") as caught:
            demand_checked_out(repository, found, **options)
    clone.shell(caught.value.refusal.mend[0])
    assert demand_checked_out(clone.repository(), found, job=True) == ""


def test_somebody_who_only_asks_is_told_that_the_work_tree_is_another_one(done):
    done.git("switch", "-q", "dev")
    found = deployable(done.repository(), "v0.1.0", PRODUCTION)
    assert "deploy its build, not this work tree" in demand_checked_out(done.repository(), found)
    assert demand_checked_out(done.repository(), found, "v0.1.0", job=True) == ""
    with pytest.raises(ReleaseRefused):
        demand_checked_out(done.repository(), found, job=True)
    done.git("switch", "-q", "--detach", "origin/dev")
    with pytest.raises(ReleaseRefused):
        demand_checked_out(done.repository(), found)
