"""What all tests below have in common."""

from collections.abc import Iterator

import pytest

from tests.few_authorities import few_authorities


@pytest.fixture(scope="package", autouse=True)
def authorities(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Nobody below talks to the world."""
    with few_authorities(tmp_path_factory.mktemp("authorities")):
        yield
