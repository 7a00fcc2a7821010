"""Thumbnails on the real database, while assets with the same content come and go."""

import asyncio
import random
from functools import partial

import pytest
import uuid_utils.compat

from genpulse.adapters.database.assets.thumbnails import PostgresThumbnails
from genpulse.adapters.database.removal import pruning
from genpulse.adapters.database.removal.deletion import PostgresDeletions
from genpulse.adapters.database.removal.retention import PostgresRetention
from genpulse.adapters.database.statements import deletion
from genpulse.adapters.database.tasks.store import PostgresTaskStore
from genpulse.adapters.postgresql.connections import open_pool
from genpulse.domain.assets.asset import Asset, Content
from genpulse.domain.assets.thumbnail import Thumbnail, ThumbnailWidth, thumbnail_key
from tests.contract.conftest import now
from tests.integration.database.test_deletion import blocked

CONTENTS, ASSETS = 4, 40

_LEFT = """
SELECT (SELECT count(*) FROM thumbnails) AS thumbnails, (SELECT count(*) FROM assets) AS assets,
       (SELECT count(*) FROM doomed_objects WHERE key LIKE 'thumbnails/%' AND erased_at IS NOT NULL) AS erased
"""


def asset(number: int) -> Asset:
    sha256 = f"{number}" * 64
    content = Content(f"assets/2030-W05/{sha256[:2]}/{sha256}", sha256, 5, "image/png")
    return Asset(uuid_utils.compat.uuid7(), content, now(), "dev")


@pytest.mark.parametrize("seed", [1, 2])
async def test_no_thumbnail_outlives_its_assets_and_nobody_waits_for_ever(migrated_url, seed):
    pool = await open_pool(migrated_url, size=10, application_name="tests")
    store, retention, thumbnails = PostgresTaskStore(pool), PostgresRetention(pool), PostgresThumbnails(pool)
    deletions = PostgresDeletions(pool, "dev")
    assets, added = [asset(number % CONTENTS) for number in range(ASSETS)], []
    for one in assets:
        await retention.expect(one.content.key, 5)
        await store.add_asset(one)

    async def show(one: Asset, width: ThumbnailWidth) -> None:
        key = thumbnail_key(one.content.key, width, uuid_utils.compat.uuid7())
        await retention.expect(key, 7)
        if await thumbnails.add(Thumbnail(one.content.key, width, key, 7, ""), one.id):
            added.append(key)

    async def delete(one: Asset) -> None:
        await deletions.delete_asset(one.id, owner=None)
        await deletions.erase_assets(3)

    deeds = [partial(show, one, width) for one in assets for width in ThumbnailWidth]
    deeds += [partial(delete, one) for one in assets]
    random.Random(seed).shuffle(deeds)
    waiting = iter(deeds)

    async def work() -> None:
        for deed in waiting:
            await deed()

    async with asyncio.timeout(60):
        await asyncio.gather(*(work() for _ in range(10)))
        while (await deletions.erase_assets(100)).more:
            pass
    left = await pool.fetchrow(_LEFT)
    assert len(added) > CONTENTS
    assert (left["thumbnails"], left["assets"], left["erased"]) == (0, 0, len(added))
    await store.close()
    await retention.close()
    await pool.close()


@pytest.fixture
async def pool(migrated_url):
    pool = await open_pool(migrated_url, size=4, application_name="tests")
    yield pool
    await pool.close()


async def kept(pool) -> tuple[Asset, Thumbnail]:
    """An upload, and a thumbnail of it that was noted and is not yet remembered."""
    store, retention, one = PostgresTaskStore(pool), PostgresRetention(pool), asset(0)
    thumbnail = Thumbnail(one.content.key, ThumbnailWidth.W64, "thumbnails/1", 7, "")
    await retention.expect(one.content.key, 5)
    await store.add_asset(one)
    await retention.expect(thumbnail.key, 7)
    await store.close()
    await retention.close()
    return one, thumbnail


async def test_an_erasure_leaves_an_asset_whose_thumbnail_is_being_remembered(pool):
    one, thumbnail = await kept(pool)
    deletions = PostgresDeletions(pool, "dev")
    async with pool.acquire() as other:
        transaction = other.transaction()
        await transaction.start()
        assert await PostgresThumbnails(other).add(thumbnail, one.id)
        await pool.execute("UPDATE assets SET deleted_at = now()")
        await deletions.erase_assets(10)
        await transaction.commit()
    await deletions.erase_assets(10)
    assert {stored.key for stored in await deletions.erased_objects(10)} == {one.content.key, thumbnail.key}


async def test_a_thumbnail_waits_for_an_erasure_and_is_refused(pool):
    one, thumbnail = await kept(pool)
    async with pool.acquire() as other:
        transaction = other.transaction()
        await transaction.start()
        await other.execute("UPDATE assets SET deleted_at = now()")
        await PostgresDeletions(pool, "dev")._erase_assets(10, other)
        adding = asyncio.create_task(PostgresThumbnails(pool).add(thumbnail, one.id))
        await blocked(pool)
        await transaction.commit()
    assert not await adding
    assert await pool.fetchval("SELECT count(*) FROM thumbnails") == 0


async def test_thumbnails_are_found_by_their_indexes(pool):
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL enable_seqscan = off")
        for statement, index in (
            (deletion.ERASE_THUMBNAILS, "pk_thumbnails"),
            (pruning._THUMBNAILS, "pk_thumbnails"),
            (pruning._FORGET_THUMBNAILS, "uq_thumbnails_key"),
        ):
            rows = await connection.fetch(f"EXPLAIN {statement}", ["k"])
            assert index in "\n".join(row[0] for row in rows)
