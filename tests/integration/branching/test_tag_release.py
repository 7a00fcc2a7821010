import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from genpulse.branching.errors import (
    FlowError,
    GitFailed,
    LaneBroken,
    NameRefused,
    ReleaseRefused,
)
from genpulse.branching.lanes.promotion import plan_promotion, promote
from genpulse.branching.releases.tag_candidate import tag_candidate
from genpulse.branching.releases.tag_release import release
from genpulse.branching.rules.table import TEST
from tests.integration.branching.clones import ENVIRONMENT, moved, on_test


def on_main(clone):
    on_test(clone)
    tag_candidate(clone.repository())
    moved(clone, "main")


def refused(clone, act, words, error=ReleaseRefused):
    before = clone.refs()
    with pytest.raises(error, match=words) as caught:
        act()
    assert clone.refs() == before
    return caught.value


def rc(clone, version=None):
    return lambda: tag_candidate(clone.repository(), version)


def final(clone, version=None):
    return lambda: release(clone.repository(), version)


def there(clone, tag):
    return clone.git("ls-remote", "origin", f"refs/tags/{tag}").split("\t")[0]


def test_candidates_are_counted_and_published(tested):
    assert tag_candidate(tested.repository(), "1.0.0").tag == "v1.0.0-rc.1"
    refused(tested, rc(tested), "v1.0.0-rc.1 marks")
    on_test(tested, "feature/y")
    assert tag_candidate(tested.repository()).tag == "v1.0.0-rc.2"
    assert there(tested, "v1.0.0-rc.2") == tested.git("rev-parse", "refs/tags/v1.0.0-rc.2")
    assert tested.git("cat-file", "-t", "v1.0.0-rc.2") == "tag"


@pytest.fixture(params=["on a topic", "detached", "changed", "behind", "diverged", "no local lane", "elsewhere"])
def placed(request, clone, tmp_path):
    """A clone in which everything but the remote's lanes is as it should not matter."""
    on_main(clone)
    here = {
        "on a topic": lambda: clone.git("switch", "-qc", "feature/mine", "origin/dev"),
        "detached": lambda: clone.git("switch", "-q", "--detach", "origin/dev~1"),
        "changed": lambda: (clone.folder / "readme.md").write_text("changed"),
        "behind": lambda: clone.git("reset", "-q", "--hard", "HEAD^"),
        "diverged": lambda: clone.git("commit", "-q", "--allow-empty", "-m", "Mine"),
        "no local lane": lambda: (clone.git("switch", "-q", "dev"), clone.git("branch", "-D", "test", "main")),
        "elsewhere": lambda: (
            clone.git("switch", "-q", "dev"),
            clone.git("worktree", "add", "-q", str(tmp_path / "test"), "test"),
            clone.git("worktree", "add", "-q", str(tmp_path / "main"), "main"),
        ),
    }
    here[request.param]()
    return clone


def test_what_is_tagged_is_the_remotes_tip_whatever_is_out(placed):
    head, status = placed.git("rev-parse", "HEAD"), placed.git("status", "--porcelain", "-b")
    assert release(placed.repository()).tag == "v0.1.0"
    assert placed.git("rev-parse", "v0.1.0^{commit}") == placed.git("rev-parse", "origin/main")
    placed.git("push", "-q", "origin", "origin/test:refs/heads/other")
    assert (placed.git("rev-parse", "HEAD"), placed.git("status", "--porcelain", "-b")) == (head, status)


def test_a_candidate_is_the_remotes_tip_whatever_is_out(tested):
    tested.git("switch", "-q", "dev")
    tested.git("branch", "-D", "test")
    (tested.folder / "readme.md").write_text("changed")
    found = tag_candidate(tested.repository())
    assert tested.git("rev-parse", f"{found.tag}^{{commit}}") == tested.git("rev-parse", "origin/test")
    assert (tested.folder / "readme.md").read_text() == "changed"


def test_a_candidate_is_tagged_after_test_was_wound_back(tested):
    tested.git("push", "-q", "--force", "origin", "origin/test^:refs/heads/test")
    tested.merged("feature/y", "y.txt")
    moved_there = tested.repository()
    promote(moved_there, plan_promotion(moved_there, TEST), merge=True)
    assert tag_candidate(tested.repository()).tag == "v0.1.0-rc.1"


def test_no_candidate_on_a_broken_lane(clone):
    clone.out("test")
    clone.commit("stray.txt", "text")
    clone.push("test")
    refused(clone, rc(clone), "Change stray.txt", LaneBroken)


def test_a_candidate_with_a_number_of_its_own(tested):
    refused(tested, rc(tested, "1.0.0-rc.2"), "the next one is v1.0.0-rc.1")
    refused(tested, rc(tested, "soon"), "no version", NameRefused)
    assert tag_candidate(tested.repository(), "1.0.0-rc.1").tag == "v1.0.0-rc.1"


def test_a_release_is_annotated_and_published_with_main(promoted):
    assert release(promoted.repository()).tag == "v0.1.0"
    assert there(promoted, "v0.1.0") == promoted.git("rev-parse", "refs/tags/v0.1.0")
    assert "Verified as v0.1.0-rc.1." in promoted.git("cat-file", "tag", "v0.1.0")
    refused(promoted, final(promoted), "v0.1.0 exists")


def test_what_is_not_released(clone):
    refused(clone, final(clone), "there is no release candidate")
    on_main(clone)
    refused(clone, final(clone, "0.1.0-rc.1"), "v0.1.0-rc.1 is a release candidate; |release candidate")
    refused(clone, final(clone, "9.0.0"), "no release candidate of v9.0.0")
    refused(clone, final(clone, "latest"), "no version", NameRefused)


def test_a_candidate_is_not_made_of_what_is_released(promoted):
    release(promoted.repository())
    promoted.out("test")
    refused(promoted, rc(promoted), "v0.1.0 marks")
    refused(promoted, rc(promoted, "0.1.0"), "v0.1.0 exists")
    refused(promoted, rc(promoted, "0.0.9"), "below v0.1.0")


def test_a_candidate_that_was_not_tagged_on_test_does_not_count(clone):
    clone.merged("feature/x", "x.txt")
    clone.git("fetch", "-q", "origin")
    clone.git("tag", "-am", "x", "v1.0.0-rc.1", "origin/dev")
    moved(clone, "test")
    clone.push("refs/remotes/origin/test:refs/heads/main", "v1.0.0-rc.1")
    clone.out("main")
    refused(clone, final(clone), "there is no release candidate")


def test_a_remote_that_refuses_the_tag_gets_nothing(promoted):
    promoted.hook("update", 'case "$1" in refs/tags/*) echo no tags >&2; exit 1;; esac')
    refused(promoted, final(promoted), "no tags|atomic", GitFailed)


def test_main_that_moved_on_in_the_meantime(promoted):
    promoted.git("config", "remote.origin.pushurl", str(promoted.bare))
    other = promoted.git("commit-tree", "-p", "main", "-m", "Another", "main^{tree}")
    promoted.push(f"{other}:refs/heads/main")
    promoted.git("update-ref", "refs/remotes/origin/main", "refs/heads/main")
    before = promoted.git("for-each-ref")
    with pytest.raises(FlowError, match=r"moved on|main is"):
        release(promoted.repository(offline=True))
    assert promoted.git("for-each-ref") == before
    assert there(promoted, "v0.1.0") == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_release_leaves_no_tag(promoted, tmp_path, number):
    reached, go = tmp_path / "reached", tmp_path / "go"
    promoted.hook("pre-receive", f"touch {reached}\nwhile [ ! -e {go} ]; do sleep 0.1; done\nexit 1")
    before = promoted.git("for-each-ref")
    script = (
        "import sys; from genpulse.cli.flow.command import command\n"
        "try: command.main(['release'], prog_name='flow', standalone_mode=False)\n"
        "except BaseException as error: sys.exit(130)\n"
    )
    environment = {**ENVIRONMENT, "PYTHONPATH": str(Path.cwd())}
    running = subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=promoted.folder,
        env=environment,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        while not reached.exists():
            assert running.poll() is None, "it ended before the remote was asked"
            time.sleep(0.02)
        os.killpg(running.pid, number) if number == signal.SIGINT else running.send_signal(number)
        assert running.wait() != 0
    finally:
        go.touch()
        running.kill()
        running.wait()
    assert promoted.git("for-each-ref") == before
