"""A file that a caller brings."""

import pytest

from genpulse.domain.errors import ContentTooLarge, UnknownAsset, UploadIncomplete
from genpulse.lifecycle.upload import upload


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
