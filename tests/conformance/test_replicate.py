"""Replicate passes the conformance kit."""

from collections.abc import AsyncIterator

import pytest

from genpulse.providers.replicate import provider
from genpulse.testing import CHECKS, Check, Subject
from tests.conformance.conftest import Note
from tests.fakes.replicate import FakeReplicate


@pytest.fixture
async def subject() -> AsyncIterator[Subject]:
    fake = FakeReplicate()
    async with fake.running():
        yield Subject(provider, fake, "replicate/black-forest-labs/flux-schnell", {"prompt": "a fox"})


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
async def test_replicate(check: Check, subject: Subject, note: Note) -> None:
    await note("replicate", check, subject)
