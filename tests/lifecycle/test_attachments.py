"""Files that an input refers to."""

from contextlib import AsyncExitStack
from dataclasses import replace

import pytest
import uuid_utils.compat

from genpulse.domain.errors import InvalidInput
from genpulse.lifecycle.attachments import TaskAttachments
from genpulse.lifecycle.upload import upload


async def chunks(content: bytes):
    yield content


async def test_an_upload_is_there_while_the_call_lasts(world):
    asset = await upload(world.services, chunks(b"GIF89a and so on"), limit_bytes=1000)
    task = await world.submit("art/painter")
    async with AsyncExitStack() as files:
        found = await TaskAttachments(world.services, task, files).fetch(f"asset:{asset.id}")
        assert found.path.read_bytes() == b"GIF89a and so on"
        assert (found.size, found.media_type) == (16, asset.content.media_type)
    assert not found.path.exists()


@pytest.mark.parametrize("reference", ["", "asset:", "asset:1", "https://example.com/x.png", f"asset:{'0' * 32}"])
async def test_what_is_no_asset_is_the_callers_mistake(world, reference):
    task = await world.submit("art/painter")
    async with AsyncExitStack() as files:
        with pytest.raises(InvalidInput):
            await TaskAttachments(world.services, task, files).fetch(reference)


async def test_an_asset_of_somebody_else_is_unknown(world):
    asset = await upload(world.services, chunks(b"x"), limit_bytes=1000, owner="them")
    task = await world.submit("art/painter")
    async with AsyncExitStack() as files:
        mine = TaskAttachments(world.services, replace(task, owner=str(uuid_utils.compat.uuid7())), files)
        with pytest.raises(InvalidInput, match="There is no asset"):
            await mine.fetch(f"asset:{asset.id}")
