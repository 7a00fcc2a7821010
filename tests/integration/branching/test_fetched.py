import os

from genpulse.branching.fetched import last_fetch
from genpulse.branching.git import Git
from tests.integration.branching.conftest import ENVIRONMENT


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
