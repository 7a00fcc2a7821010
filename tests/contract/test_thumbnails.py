"""What every store of thumbnails does, and what removes them."""

from dataclasses import replace
from datetime import timedelta

import pytest
import uuid_utils.compat

from genpulse.adapters.database.assets.thumbnails import PostgresThumbnails
from genpulse.adapters.memory.assets.thumbnails import MemoryThumbnails
from genpulse.adapters.memory.tasks.store import MemoryTaskStore
from genpulse.domain.assets.asset import Asset, Content
from genpulse.domain.assets.thumbnail import Thumbnail, ThumbnailWidth, thumbnail_key
from genpulse.domain.retention import Ages, Pruned
from genpulse.ports import ThumbnailStore
from tests.contract.conftest import now
from tests.contract.test_deletions import Place, place

__all__ = ["place"]

NONE, OLD = timedelta(0), timedelta(days=30)
W64, W320 = ThumbnailWidth.W64, ThumbnailWidth.W320
NOTHING_OLD = Ages(tasks=None, assets=NONE, objects=NONE)


@pytest.fixture
def thumbnails(place: Place) -> ThumbnailStore:
    store = place.backend.store
    return MemoryThumbnails(store) if isinstance(store, MemoryTaskStore) else PostgresThumbnails(store._pool)


def upload(content: str = "a", *, age: timedelta = NONE) -> Asset:
    kept = Content(f"assets/2030-W05/{content * 2}/{content * 64}", content * 64, 5, "image/png")
    return Asset(uuid_utils.compat.uuid7(), kept, now() - age, "dev")


def thumbnail_of(asset: Asset, width: ThumbnailWidth = W320) -> Thumbnail:
    source = asset.content.key
    return Thumbnail(source, width, thumbnail_key(source, width, uuid_utils.compat.uuid7()), 7, "b" * 64)


async def kept(place: Place, thumbnails: ThumbnailStore, asset: Asset, *widths: ThumbnailWidth) -> list[Thumbnail]:
    """An upload and thumbnails of it, each noted first as whoever stores does it."""
    await place.retention.expect(asset.content.key, asset.content.size)
    await place.backend.store.add_asset(asset)
    return [await added(place, thumbnails, asset, width) for width in widths]


async def added(place: Place, thumbnails: ThumbnailStore, asset: Asset, width: ThumbnailWidth) -> Thumbnail:
    thumbnail = thumbnail_of(asset, width)
    assert await place.retention.expect(thumbnail.key, thumbnail.size) == thumbnail.key
    assert await thumbnails.add(thumbnail, asset.id)
    return thumbnail


async def test_it_is_found_by_content_and_width(place, thumbnails):
    asset, other = upload("a"), upload("b")
    small, wide = await kept(place, thumbnails, asset, W64, W320)
    await kept(place, thumbnails, other)
    assert await thumbnails.find(asset.content.key, W64) == small
    assert await thumbnails.find(asset.content.key, W320) == wide
    assert await thumbnails.find(asset.content.key, ThumbnailWidth.W640) is None
    assert await thumbnails.find(other.content.key, W64) is None


async def test_the_first_one_stays_unless_it_is_replaced_by_name(place, thumbnails):
    asset = upload()
    (first,) = await kept(place, thumbnails, asset, W320)
    second, third = thumbnail_of(asset), thumbnail_of(asset)
    assert not await thumbnails.add(second, asset.id)
    assert not await thumbnails.add(second, asset.id, replacing=third)
    assert await thumbnails.find(asset.content.key, W320) == first
    assert await thumbnails.add(second, asset.id, replacing=first)
    assert not await thumbnails.add(third, asset.id, replacing=first)
    assert await thumbnails.find(asset.content.key, W320) == second


async def test_nothing_is_remembered_of_an_asset_that_is_gone_or_another(place, thumbnails):
    asset, other = upload("a"), upload("b")
    await kept(place, thumbnails, other)
    assert not await thumbnails.add(thumbnail_of(asset), asset.id)
    assert not await thumbnails.add(thumbnail_of(asset), other.id)
    await place.deletions.delete_asset(other.id, owner=None)
    assert not await thumbnails.add(thumbnail_of(other), other.id)
    await place.erased()
    assert not await thumbnails.add(thumbnail_of(other), other.id)
    assert await thumbnails.find(other.content.key, W320) is None


async def test_they_go_with_the_last_asset_that_has_the_content(place, thumbnails):
    first, second, other = upload("a"), upload("a"), upload("b")
    made = await kept(place, thumbnails, first, W64, W320)
    await kept(place, thumbnails, second)
    (others,) = await kept(place, thumbnails, other, W64)
    await place.deletions.delete_asset(first.id, owner=None)
    assert await place.erased() == Pruned(assets=1)
    assert await place.objects() == []
    assert await thumbnails.find(first.content.key, W64) == made[0]
    await place.deletions.delete_asset(second.id, owner=None)
    await place.erased()
    assert set(await place.objects()) == {first.content.key, *(one.key for one in made)}
    assert await thumbnails.find(first.content.key, W64) is None
    await place.deletions.removed_objects(await place.objects())
    assert await place.objects() == []
    assert await thumbnails.find(other.content.key, W64) == others


async def test_they_go_with_the_task_whose_output_they_show(place, thumbnails):
    output = upload("c")
    task = await place.ended(output)
    thumbnail = await added(place, thumbnails, output, W320)
    await place.delete(task.id)
    assert await place.erased() == Pruned(tasks=1, attempts=1, assets=1)
    assert set(await place.objects()) == {output.content.key, thumbnail.key}


async def test_they_go_with_what_is_too_old(place, thumbnails):
    old, young = upload("a", age=OLD), upload("b")
    (gone,) = await kept(place, thumbnails, old, W320)
    (stays,) = await kept(place, thumbnails, young, W320)
    ages = replace(NOTHING_OLD, assets=OLD / 2)
    due = await place.retention.due(ages)
    async with place.retention.turn() as pruning:
        pruned = (await pruning.assets(OLD / 2, 100)).pruned
        doomed = await pruning.doomed(NONE, 100)
        keys = [stored.key for stored in doomed.objects]
        await pruning.forget(keys, NONE)
    assert {stored.key: stored.size for stored in doomed.objects} == {old.content.key: 5, gone.key: 7}
    assert pruned + Pruned(objects=len(keys), bytes=12) == due
    assert await thumbnails.find(old.content.key, W320) is None
    assert await thumbnails.find(young.content.key, W320) == stays


async def test_one_whose_asset_stays_is_never_too_old(place, thumbnails):
    asset = upload(age=OLD)
    (stays,) = await kept(place, thumbnails, asset, W320)
    assert await place.retention.due(replace(NOTHING_OLD, assets=None)) == Pruned()
    for _ in range(2):
        async with place.retention.turn() as pruning:
            assert (await pruning.doomed(NONE, 100)).objects == ()
    assert await thumbnails.find(asset.content.key, W320) == stays


async def test_one_that_was_never_remembered_goes_as_any_bytes_of_nobody(place, thumbnails):
    asset = upload()
    await kept(place, thumbnails, asset)
    lost = thumbnail_of(asset)
    await place.retention.expect(lost.key, lost.size)
    async with place.retention.turn() as pruning:
        assert [stored.key for stored in (await pruning.doomed(NONE, 100)).objects] == [lost.key]
