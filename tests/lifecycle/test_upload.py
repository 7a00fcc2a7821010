"""A file that a caller brings."""

import asyncio
from dataclasses import replace
from functools import partial

import pytest

from genpulse.domain.assets.upload_grant import UploadGrant
from genpulse.domain.errors import (
    ContentTooLarge,
    UnknownAsset,
    UploadAddressUsed,
    UploadIncomplete,
    UploadNotTaken,
)
from genpulse.lifecycle.upload import Uploaded, upload, upload_granted


async def chunks(*parts, then=None):
    for part in parts:
        yield part
    if then:
        raise then


async def test_an_upload_becomes_an_asset(world):
    asset = await upload(world.services, chunks(b"hel", b"lo"), limit_bytes=100)
    assert await world.services.store.asset(asset.id) == asset
    assert (asset.content.size, asset.content.media_type) == (5, "text/plain")
    assert await world.content(asset) == b"hello"


async def test_the_same_bytes_are_one_content_and_two_assets(world):
    one = await upload(world.services, chunks(b"hello"), limit_bytes=100)
    two = await upload(world.services, chunks(b"hello"), limit_bytes=100)
    assert one.id != two.id
    assert one.content.key == two.content.key


async def test_too_much_is_refused(world):
    with pytest.raises(ContentTooLarge):
        await upload(world.services, chunks(b"x" * 60, b"x" * 60), limit_bytes=100)


async def test_a_client_that_goes_away_leaves_nothing(world, tmp_path):
    with pytest.raises(UploadIncomplete):
        await upload(world.services, chunks(b"hel", then=UploadIncomplete("gone")), limit_bytes=100)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


async def test_an_unknown_asset_is_said(world):
    with pytest.raises(UnknownAsset):
        await world.services.store.asset(world.services.new_id())


async def granted():
    """It still is."""


brought = partial(upload_granted, still_granted=granted)


@pytest.fixture
def grant(world):
    return UploadGrant(world.services.new_id(), "", 100, 0)


async def test_a_grant_makes_one_asset(world, grant):
    first = await brought(world.services, grant, chunks(b"hel", b"lo"), limit_bytes=1000)
    assert (first.asset.id, first.replayed) == (grant.asset_id, False)
    again = await brought(world.services, grant, chunks(b"hello"), limit_bytes=1000)
    assert again == Uploaded(first.asset, replayed=True)
    for other in (b"", b"hell", b"hullo", b"hello!"):
        with pytest.raises(UploadAddressUsed):
            await brought(world.services, grant, chunks(other), limit_bytes=1000)


async def test_of_several_at_once_one_is_kept(world, grant):
    contents = [b"one", b"two", b"two", b"six"]
    came = await asyncio.gather(
        *(brought(world.services, grant, chunks(each), limit_bytes=100) for each in contents),
        return_exceptions=True,
    )
    kept = [each for each in came if isinstance(each, Uploaded)]
    assert sum(not each.replayed for each in kept) == 1
    content = await world.content(kept[0].asset)
    assert len(kept) == contents.count(content)
    assert sum(isinstance(each, UploadAddressUsed) for each in came) == len(contents) - len(kept)


@pytest.mark.parametrize(("most", "limit_bytes"), [(4, 100), (100, 4)])
async def test_a_grant_is_no_larger_than_what_is_taken_here(world, grant, most, limit_bytes):
    narrow = replace(grant, max_bytes=most)
    with pytest.raises(ContentTooLarge):
        await brought(world.services, narrow, chunks(b"hello"), limit_bytes=limit_bytes)


async def test_a_file_of_another_type_leaves_nothing(world, grant, tmp_path):
    with pytest.raises(UploadNotTaken, match="text/plain"):
        await brought(world.services, replace(grant, media_type="image/*"), chunks(b"hello"), limit_bytes=100)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


async def test_what_is_granted_no_more_when_the_file_is_there_is_not_kept(world, grant, tmp_path):
    async def refuse():
        raise UnknownAsset(grant.asset_id)

    with pytest.raises(UnknownAsset):
        await brought(world.services, grant, chunks(b"hello"), limit_bytes=100, still_granted=refuse)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
