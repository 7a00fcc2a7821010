"""Signatures: git may be told to make them by anybody for himself; the team's committed file demands them."""

import shutil
import subprocess

import pytest

from genpulse.branching.errors import GitFailed, ReleaseRefused
from genpulse.branching.lanes.promotion import plan_promotion
from genpulse.branching.merge_check import ProposedMerge, check_merge
from genpulse.branching.releases.deployment import deployable
from genpulse.branching.releases.tag_candidate import tag_candidate
from genpulse.branching.releases.tag_release import release
from genpulse.branching.releases.verification import Verifier
from genpulse.branching.rules.table import MAIN
from tests.integration.branching.clones import moved, on_test, released

pytestmark = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="needs ssh-keygen")


@pytest.fixture
def keys(tmp_path):
    """A key pair, and the file of known signers, which knows it."""
    key, signers = tmp_path / "key", tmp_path / "signers"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    signers.write_text(f"author@example.org {key.with_suffix('.pub').read_text()}")
    return key, signers


def told(clone, key, signers, **settings):
    """What somebody has in his own settings of git."""
    for name, value in {
        "gpg.format": "ssh",
        "user.signingkey": str(key),
        "gpg.ssh.allowedSignersFile": str(signers),
        **settings,
    }.items():
        clone.git("config", name, value)


def demand(clone, since):
    """The team's committed decision."""
    clone.git("switch", "-q", "dev")
    clone.git("pull", "-q", "--ff-only", "origin", "dev")
    clone.commit(".flow.toml", f'signed_since = "{since}"\n')
    clone.push("dev")


def failed(clone, act, code="signing_failed", error=GitFailed):
    clone.git("fetch", "-q", "origin")
    before = clone.refs()
    with pytest.raises(error) as caught:
        act(clone.repository())
    assert caught.value.code == code
    assert clone.refs() == before
    return caught.value


@pytest.mark.parametrize("setting", ["tag.gpgSign", "flow.signTags"])
def test_what_git_did_not_sign_is_not_published(clone, keys, setting):
    """git 2.39 ends with 0 and an unsigned tag when the SSH key is missing."""
    key, signers = keys
    on_test(clone)
    told(clone, "/nonexistent", signers, **{setting: "true"})
    failed(clone, tag_candidate)
    told(clone, key, signers)
    tag_candidate(clone.repository())
    moved(clone, "main")
    told(clone, "/nonexistent", signers)
    failed(clone, release)
    told(clone, key, signers)
    assert release(clone.repository()).tag == "v0.1.0"
    assert "BEGIN SSH SIGNATURE" in clone.git("cat-file", "tag", "v0.1.0")


def test_somebodys_own_settings_demand_nothing_of_others(done, keys):
    told(done, *keys, **{"tag.gpgSign": "true"})
    assert not Verifier(done.repository()).verify("v0.1.0").signed
    assert len(Verifier(done.repository()).releases()) == 1


def test_the_team_demands_them_from_a_version_on(done, keys):
    demand(done, "v0.2.0")
    told(done, *keys)
    released(done, "feature/y")
    assert "BEGIN SSH SIGNATURE" in done.git("cat-file", "tag", "v0.2.0")
    assert "BEGIN SSH SIGNATURE" in done.git("cat-file", "tag", "v0.2.0-rc.1")
    assert Verifier(done.repository()).verify("v0.2.0").signed
    assert not Verifier(done.repository()).verify("v0.1.0").signed


def test_a_release_without_the_demanded_signature_is_none(done):
    released(done, "feature/y")
    demand(done, "v0.2.0")
    done.git("fetch", "-q", "origin")
    with pytest.raises(ReleaseRefused, match="Releases are signed here") as caught:
        Verifier(done.repository()).verify("v0.2.0")
    assert caught.value.code == "signature_bad"
    assert [found.version.tag for found in Verifier(done.repository()).releases()] == ["v0.1.0"]


def test_nothing_is_published_that_nobody_could_verify(done, keys):
    key, signers = keys
    demand(done, "v0.2.0")
    signers.write_text("")
    told(done, key, signers)
    on_test(done, "feature/y")
    failed(done, tag_candidate)


def test_without_any_key_nothing_is_published(done):
    demand(done, "v0.2.0")
    on_test(done, "feature/y")
    done.git("config", "gpg.format", "ssh")
    done.git("config", "user.signingkey", "/nonexistent")
    failed(done, tag_candidate)


def test_a_signature_is_demanded_of_any_release_on_request(done, keys):
    with pytest.raises(ReleaseRefused, match="Releases are signed here"):
        Verifier(done.repository(), signed=True).verify("v0.1.0")
    key, signers = keys
    told(done, key, signers, **{"tag.gpgSign": "true", "commit.gpgSign": "true"})
    released(done, "feature/y")
    assert Verifier(done.repository(), signed=True).verify("v0.2.0").signed
    assert "SIGNATURE" in done.git("cat-file", "commit", "origin/main")
    signers.write_text("")
    with pytest.raises(ReleaseRefused):
        Verifier(done.repository(), signed=True).verify("v0.2.0")


def test_a_candidate_without_the_demanded_signature_passes_nowhere(done, keys):
    on_test(done, "feature/y")
    done.git("tag", "-am", "By hand", "v0.2.0-rc.1", "origin/test")
    done.push("v0.2.0-rc.1")
    assert plan_promotion(done.repository(), MAIN)
    demand(done, "v0.2.0")
    told(done, *keys)
    done.git("fetch", "-q", "origin")
    with pytest.raises(ReleaseRefused, match="main only accepts") as caught:
        plan_promotion(done.repository(), MAIN)
    assert caught.value.code == "signature_bad"
    with pytest.raises(ReleaseRefused, match="Candidates are signed here"):
        deployable(done.repository(), "v0.2.0-rc.1")
    assert "signature_bad" in [
        found.code for found in check_merge(ProposedMerge("test", "main"), done.repository()).refusals
    ]
    done.merge("test", "main")
    failed(done, release, "signature_bad", ReleaseRefused)
