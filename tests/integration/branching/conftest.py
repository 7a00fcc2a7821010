"""Clones, companies and teams for every test of its own, copied from those that were made once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.branching.clones import Clone, marked, on_test, released_first, to_main
from tests.integration.branching.fake_forge.company import Company
from tests.integration.branching.shelf import Shelf


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    return Shelf(tmp_path_factory.mktemp("shelf"))


@pytest.fixture
def clone(shelf: Shelf, tmp_path: Path) -> Clone:
    """The lanes begin at one commit; dev is out."""
    return shelf.clone(tmp_path)


@pytest.fixture
def tested(shelf: Shelf, tmp_path: Path) -> Clone:
    """feature/x is on test, which is out."""
    return shelf.clone(tmp_path, on_test)


@pytest.fixture
def candidate(shelf: Shelf, tmp_path: Path) -> Clone:
    """The same, and it is marked as v0.1.0-rc.1."""
    return shelf.clone(tmp_path, on_test, marked)


@pytest.fixture
def promoted(shelf: Shelf, tmp_path: Path) -> Clone:
    """The same, and it is on main, which is out."""
    return shelf.clone(tmp_path, on_test, marked, to_main)


@pytest.fixture
def done(shelf: Shelf, tmp_path: Path) -> Clone:
    """feature/x is released as v0.1.0; main is out."""
    return shelf.clone(tmp_path, released_first)


@pytest.fixture(params=["github", "gitlab"])
def kind(request: pytest.FixtureRequest) -> str:
    """Of a forge."""
    found: str = request.param
    return found


@pytest.fixture
def company(kind: str, shelf: Shelf, tmp_path: Path) -> Iterator[Company]:
    """Three people and a forge with the installed rules; the lanes begin at one commit."""
    with shelf.company(tmp_path, kind) as found:
        yield found
