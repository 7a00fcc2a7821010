"""What the tests' servers leave behind is removed by later ones, and nothing else is."""

import os
import time

import pytest

from tests.server_home import LOST_AFTER_S, PREFIX, lock, remove_lost, throw_away_home


@pytest.fixture
def home(tmp_path):
    """A folder with data, last written to long ago."""
    home = tmp_path / f"{PREFIX}abc"
    (home / "postgres").mkdir(parents=True)
    (home / "postgres" / "data").write_text("rows")
    aged(home)
    return home


def aged(folder, by_s=2 * LOST_AFTER_S):
    os.utime(folder, times=(time.time() - by_s,) * 2)


def test_what_nobody_holds_any_more_is_removed(tmp_path, home):
    remove_lost(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_somebody_holds_stays_however_old_it_is(tmp_path, home):
    held = lock(home)
    remove_lost(tmp_path)
    assert (home / "postgres" / "data").read_text() == "rows"
    os.close(held)


def test_what_has_just_begun_stays_though_nobody_holds_it_yet(tmp_path, home):
    aged(home, by_s=0)
    remove_lost(tmp_path)
    assert home.is_dir()


def test_what_is_called_otherwise_stays(tmp_path, home):
    other = home.rename(tmp_path / "mine")
    aged(other)
    remove_lost(tmp_path)
    assert other.is_dir()


def test_a_home_is_held_while_it_is_used_and_gone_afterwards():
    with throw_away_home() as home:
        assert lock(home) is None
        assert home.stat().st_mode & 0o777 == 0o711
    assert not home.exists()
