"""Assets whose bytes are gone are told from a storage that is away."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from genpulse.adapters.storage.objects import ObjectStorage
from genpulse.domain.assets.asset import Asset
from genpulse.domain.errors import StorageUnavailable
from genpulse.lifecycle.asset_check import AT_ONCE, lost_among


@pytest.fixture
async def storage(tmp_path):
    storage = ObjectStorage((tmp_path / "objects").as_uri(), spool_dir=tmp_path / "spool")
    yield storage
    await storage.close()


async def asset(storage, content):
    return Asset(uuid4(), await storage.keep(content), datetime.now(UTC), "dev")


def place(tmp_path, one):
    return tmp_path / "objects" / one.content.key


async def test_what_is_there_is_not_lost(storage):
    assets = [await asset(storage, f"photo {n}".encode()) for n in range(3 * AT_ONCE)]
    for whole in (False, True):
        assert await lost_among(storage, assets, whole=whole) == ()


async def test_what_is_gone_cut_off_or_changed_is_named(storage, tmp_path):
    whole, gone, short, changed = [await asset(storage, f"photo {n}".encode()) for n in range(4)]
    place(tmp_path, gone).unlink()
    place(tmp_path, short).write_bytes(b"photo ")
    place(tmp_path, changed).write_bytes(b"phxto 3")
    assets = (whole, gone, short, changed)
    assert [each.asset for each in await lost_among(storage, assets)] == [gone, short]
    assert [each.asset for each in await lost_among(storage, assets, whole=True)] == [gone, short, changed]


class _Away(ObjectStorage):
    """Breaks off after some questions."""

    asked = 0

    async def read(self, *arguments, **options):
        self.asked += 1
        if self.asked > AT_ONCE:
            raise StorageUnavailable("away")
        async for chunk in super().read(*arguments, **options):
            yield chunk


async def test_a_storage_that_is_away_has_lost_nothing(tmp_path):
    storage = _Away((tmp_path / "objects").as_uri(), spool_dir=tmp_path / "spool")
    one = await asset(storage, b"photo")
    with pytest.raises(StorageUnavailable):
        await lost_among(storage, [replace(one, id=uuid4()) for _ in range(5 * AT_ONCE)])
    assert asyncio.all_tasks() == {asyncio.current_task()}
    await storage.close()
