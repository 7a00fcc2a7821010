"""fal passes the conformance kit."""

from collections.abc import AsyncIterator

import pytest

from genpulse.testing import CHECKS, Check, Subject
from tests.conformance.conftest import Note
from tests.conformance.subjects import of_fal
from tests.fakes.fal import FakeFal


@pytest.fixture
async def subject() -> AsyncIterator[Subject]:
    fake = FakeFal()
    async with fake.running():
        yield of_fal(fake)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
async def test_fal(check: Check, subject: Subject, note: Note) -> None:
    await note("fal", check, subject)
