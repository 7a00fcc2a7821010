"""What is being built, as git knows it."""

import json
import subprocess
import sys

import pytest

from genpulse.branching.errors import ReleaseRefused, RepositoryUnfit
from genpulse.branching.releases.build_info import build_of
from genpulse.environment.build_info import read_build_info
from tests.integration.branching.clones import ENVIRONMENT


def built(clone):
    return build_of(clone.repository(offline=True))


def test_a_verified_release_is_final(done):
    done.git("checkout", "--quiet", "v0.1.0")
    build = built(done)
    assert (build.tag, build.version, build.dirty, build.is_final) == ("v0.1.0", "0.1.0", False, True)
    assert (build.commit, build.tree) == (done.git("rev-parse", "HEAD"), done.git("rev-parse", "HEAD^{tree}"))


def test_a_candidate_is_not(done):
    done.git("checkout", "--quiet", "v0.1.0-rc.1")
    build = built(done)
    assert (build.tag, build.version, build.is_final) == ("v0.1.0-rc.1", "0.1.0rc1", False)


def test_a_commit_without_a_tag_names_the_last_release(done):
    done.git("checkout", "--quiet", "origin/dev")
    build = built(done)
    assert (build.tag, build.is_final) == ("", False)
    assert build.version == f"0.1.0+{build.commit[:10]}"


def test_changes_that_are_not_committed_are_told(done):
    done.git("checkout", "--quiet", "v0.1.0")
    (done.folder / done.git("ls-files").splitlines()[0]).write_text("changed\n")
    build = built(done)
    assert (build.tag, build.dirty, build.is_final) == ("v0.1.0", True, False)


def test_a_final_tag_that_is_no_release_stops_the_build(done):
    done.git("checkout", "--quiet", "origin/dev")
    done.git("tag", "-a", "-m", "v9.0.0", "v9.0.0")
    with pytest.raises(ReleaseRefused, match="not on main"):
        built(done)


def test_without_a_remote_nothing_is_verified(done):
    done.git("checkout", "--quiet", "v0.1.0")
    done.git("remote", "remove", "origin")
    build = built(done)
    assert (build.tag, build.is_final) == ("", False)


def test_the_command_writes_the_stamp(done, tmp_path):
    done.git("checkout", "--quiet", "v0.1.0")
    file = tmp_path / "build.json"
    said = subprocess.run(
        [sys.executable, "-m", "genpulse", "flow", "stamp", "--json", "--output", str(file)],
        cwd=done.folder,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(said.stdout)["tag"] == "v0.1.0"
    assert read_build_info(file) == built(done)


def test_a_remote_without_lanes_verifies_nothing(done):
    done.git("checkout", "--quiet", "v0.1.0")
    done.git("push", "--quiet", "origin", ":refs/heads/test", ":refs/heads/dev")
    build = build_of(done.repository())
    assert (build.tag, build.is_final, build.version) == ("", False, f"0.0.0+{build.commit[:10]}")


def test_a_lane_that_is_not_here_stops_the_build_offline(done):
    done.git("checkout", "--quiet", "v0.1.0")
    done.git("update-ref", "-d", "refs/remotes/origin/test")
    with pytest.raises(RepositoryUnfit) as caught:
        built(done)
    assert caught.value.code == "lane_missing"
    assert build_of(done.repository()).is_final


def test_a_release_that_nobody_else_has_stops_the_build(done):
    done.git("checkout", "--quiet", "v0.1.0")
    done.git("push", "--quiet", "origin", ":refs/tags/v0.1.0")
    with pytest.raises(ReleaseRefused, match="origin does not have it"):
        build_of(done.repository())
