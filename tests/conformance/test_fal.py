"""fal passes the conformance kit."""

from collections.abc import AsyncIterator

import pytest

from genpulse.providers.fal import provider
from genpulse.testing import CHECKS, Check, Subject
from tests.conformance.conftest import Note
from tests.fakes.fal import FakeFal


@pytest.fixture
async def subject() -> AsyncIterator[Subject]:
    fake = FakeFal()
    async with fake.running():
        jwks = {"jwks_url": f"{fake.base_url}/.well-known/jwks.json"}
        yield Subject(provider, fake, "fal/fal-ai/flux/schnell", {"prompt": "a fox"}, options=jwks)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
async def test_fal(check: Check, subject: Subject, note: Note) -> None:
    await note("fal", check, subject)
