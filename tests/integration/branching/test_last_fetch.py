import os

import pytest

from genpulse.branching.git.last_fetch import last_fetch
from genpulse.branching.git.process import Git
from tests.integration.branching.clones import ENVIRONMENT


def told(clone):
    return last_fetch(Git(clone.folder, ENVIRONMENT), "origin")


def old(clone):
    """Whatever was fetched was fetched a thousand seconds after 1970."""
    for path in (clone.folder / ".git").rglob("*"):
        if path.name.startswith(("FETCH_HEAD", "fetched-")):
            os.utime(path, (1000, 1000))


def test_a_fetch_of_the_flow_and_one_of_git_count(clone):
    clone.repository().fetch()
    assert told(clone) > 1000
    old(clone)
    assert told(clone) == 1000
    clone.git("fetch", "-q", "origin")
    assert told(clone) > 1000


@pytest.mark.parametrize(
    "happened",
    ["nothing", "a branch moved", "a branch was made", "a branch went", "a version was tagged"],
)
def test_what_is_here_already_is_not_fetched_again(done, tmp_path, happened):
    """Asking what there is was enough, and counts as a fetch."""
    done.repository().fetch()
    old(done)
    there = ("--git-dir", str(done.bare))
    {
        "nothing": lambda: None,
        "a branch moved": lambda: done.git(*there, "update-ref", "refs/heads/dev", "refs/heads/main"),
        "a branch was made": lambda: done.git(*there, "update-ref", "refs/heads/feature/y", "refs/heads/dev"),
        "a branch went": lambda: done.git(*there, "update-ref", "-d", "refs/heads/feature/x"),
        "a version was tagged": lambda: done.git(*there, "tag", "-am", "x", "v9.0.0", "main"),
    }[happened]()
    log = tmp_path / "trace"
    repository = done.repository(GIT_TRACE=str(log))
    repository.fetch()
    assert ("built-in: git fetch" in log.read_text()) == (happened != "nothing")
    assert told(done) > 1000
    here = {name: ref.object for name, ref in repository.refs.remote.items()}
    assert here == done.repository().published.heads
    assert set(repository.refs.tags) == set(done.repository().published.tags)


def test_a_fetch_that_failed_is_none(clone):
    clone.repository().fetch()
    clone.git("fetch", "-q", "origin")
    old(clone)
    away = clone.bare.with_name("away.git")
    clone.bare.rename(away)
    clone.git("config", "alias.try", "!git fetch -q origin || true")
    clone.git("try")
    away.rename(clone.bare)
    assert told(clone) == 1000


def test_another_remote_is_another_one(clone, tmp_path):
    clone.repository().fetch()
    old(clone)
    clone.git("remote", "add", "backup", "../backup.git")
    clone.git("clone", "-q", "--bare", str(clone.bare), str(clone.folder.parent / "backup.git"))
    clone.git("fetch", "-q", "backup")
    assert told(clone) == 1000


def test_nobody_knows_in_a_clone_that_has_never_fetched(clone):
    (clone.folder / ".git" / "FETCH_HEAD").unlink(missing_ok=True)
    assert told(clone) is None
