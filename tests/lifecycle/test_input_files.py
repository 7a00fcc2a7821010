"""Files that an input refers to."""

from contextlib import AsyncExitStack
from dataclasses import replace

import pytest
import uuid_utils.compat

from genpulse.domain.errors import InvalidInput
from genpulse.domain.failure import Actor
from genpulse.lifecycle.attempt.input_files import TaskAttachments
from genpulse.lifecycle.upload import upload

ID = "0197a3a6-0000-7000-8000-00000000000f"
ODD = [
    f"{{{ID}}}",
    f"urn:uuid:{ID}",
    f"asset:{{{ID}}}",
    f"asset: {ID}",
    f"asset:{ID}\n",
    f"asset:asset:{ID}",
    f"asset:{ID[:-1]}",
    f"asset:{ID}0",
    f"asset:{ID.replace('-', '', 1)}",
    f"asset:{'-'.join(ID.replace('-', ''))}",
    "asset:" + "\u0661" * 32,
    "asset:" + "0_" * 15 + "00",
    ID.replace("-", ""),
]


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


async def test_an_id_may_be_written_with_and_without_dashes(world):
    asset = await upload(world.services, chunks(b"GIF89a and so on"), limit_bytes=1000)
    task = await world.submit("art/painter")
    dashed, plain = str(asset.id), asset.id.hex
    for reference in (dashed, dashed.upper(), *(f"asset:{way}" for way in (dashed, plain, plain.upper()))):
        async with AsyncExitStack() as files:
            found = await TaskAttachments(world.services, task, files).fetch(reference)
            assert found.path.read_bytes() == b"GIF89a and so on"


async def test_an_asset_whose_bytes_are_gone_is_not_waited_for(world):
    asset = await upload(world.services, chunks(b"GIF89a and so on"), limit_bytes=1000)
    await world.services.storage.remove([asset.content.key])
    task = await world.submit("art/painter")
    async with AsyncExitStack() as files:
        with pytest.raises(InvalidInput, match=f"{asset.id}.*gone") as raised:
            await TaskAttachments(world.services, task, files).fetch(f"asset:{asset.id}")
    assert raised.value.failure.who_must_act is Actor.CALLER


async def test_an_asset_whose_bytes_are_others_now_is_sent_to_nobody(world):
    asset = await upload(world.services, chunks(b"GIF89a and so on"), limit_bytes=1000)
    world.services.storage._bucket._store.put(asset.content.key, b"GIF89a and so ON")
    task = await world.submit("art/painter")
    async with AsyncExitStack() as files:
        with pytest.raises(InvalidInput, match="not those that were kept"):
            await TaskAttachments(world.services, task, files).fetch(f"asset:{asset.id}")


@pytest.mark.parametrize(
    "reference", ["", "asset:", "asset:1", "https://example.com/x.png", f"asset:{'0' * 32}", *ODD]
)
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
