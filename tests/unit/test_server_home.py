"""What the tests' servers leave behind is removed by later ones, and nothing else is."""

import os

import pytest

from tests.server_home import PREFIX, lock, remove_lost, throw_away_home


@pytest.fixture
def home(tmp_path):
    """A folder with data."""
    home = tmp_path / f"{PREFIX}abc"
    (home / "postgres").mkdir(parents=True)
    (home / "postgres" / "data").write_text("rows")
    return home


def test_what_nobody_holds_any_more_is_removed(tmp_path, home):
    remove_lost(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_somebody_holds_stays(tmp_path, home):
    held = lock(home)
    remove_lost(tmp_path)
    assert (home / "postgres" / "data").read_text() == "rows"
    os.close(held)


def test_what_is_called_otherwise_stays(tmp_path, home):
    other = home.rename(tmp_path / "mine")
    remove_lost(tmp_path)
    assert other.is_dir()


def test_a_home_is_held_while_it_is_used_and_gone_afterwards():
    with throw_away_home() as home:
        assert lock(home) is None
        remove_lost(home.parent)
        assert home.stat().st_mode & 0o777 == 0o711
        assert home.name.startswith(PREFIX)
    assert not home.exists()
