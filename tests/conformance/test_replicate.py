"""Replicate passes the conformance kit."""

from collections.abc import AsyncIterator

import pytest

from genpulse.testing import CHECKS, Check, Subject
from tests.conformance.conftest import Note
from tests.conformance.subjects import of_replicate
from tests.fakes.replicate import FakeReplicate


@pytest.fixture
async def subject() -> AsyncIterator[Subject]:
    fake = FakeReplicate()
    async with fake.running():
        yield of_replicate(fake)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
async def test_replicate(check: Check, subject: Subject, note: Note) -> None:
    await note("replicate", check, subject)
