"""What is paid for is kept, whatever is away meanwhile."""

import asyncio
from collections.abc import AsyncIterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from genpulse.adapters.storage.objects import ObjectStorage
from genpulse.domain.assets.asset import Content, Spooled
from genpulse.domain.errors import StorageFull, StorageUnavailable
from genpulse.domain.task import TaskStatus
from genpulse.ports import Noting


class MoodyStorage(ObjectStorage):
    """Is away as often as `errors` says."""

    def __init__(self, spool_dir: Path, errors: list[Exception]) -> None:
        super().__init__("memory:///", spool_dir=spool_dir)
        self.errors = errors

    async def keep(
        self,
        content: bytes | Path | Spooled | AsyncIterable[bytes],
        *,
        limit_bytes: int | None = None,
        noting: Noting | None = None,
    ) -> Content:
        if self.errors:
            raise self.errors.pop(0)
        return await super().keep(content, limit_bytes=limit_bytes, noting=noting)


@pytest.mark.parametrize("error", [StorageUnavailable("away"), StorageFull("no space")])
@pytest.mark.parametrize(
    ("model", "kind"), [("art/studio", None), ("art/shop", "text-to-image"), ("art/painter", None)]
)
async def test_a_storage_that_is_away_delays_a_task_and_loses_nothing(world, until, tmp_path, model, kind, error):
    storage = MoodyStorage(tmp_path, [error, error])
    world.services = replace(world.services, storage=storage)
    async with world.worker():
        task = await world.submit(model, kind=kind)
        await until(lambda: len(storage.errors) < 2)
        assert (await world.services.store.get(task.id)).status is TaskStatus.RUNNING
        ended = await world.ended(task)
    assert ended.status is TaskStatus.SUCCEEDED
    assert await world.content(ended.outputs[0])
    assert (world.studio.submits, world.shop.sold, world.painter.runs).count(1) == 1
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    await storage.close()


async def test_what_an_engine_leaves_behind_in_its_task_is_no_cancellation(world, until, tmp_path):
    storage = MoodyStorage(tmp_path, [StorageUnavailable("away")])
    world.services = replace(world.services, storage=storage)
    world.shop.careless = True
    async with world.worker():
        ended = await world.ended(await world.submit("art/shop", kind="text-to-image"))
    assert (ended.status, world.shop.sold) == (TaskStatus.SUCCEEDED, 1)
    await storage.close()


@pytest.mark.parametrize("jump", [timedelta(days=2), timedelta(days=-2)])
async def test_a_clock_that_jumps_ends_no_task(world, until, jump):
    jumped = timedelta()
    world.services = replace(world.services, now=lambda: datetime.now(UTC) + jumped)
    world.studio.finished = False
    async with world.worker():
        task = await world.submit("art/studio", deadline_s=3600)
        await until(lambda: world.studio.submits == 1)
        jumped = jump
        await asyncio.sleep(0.1)
        world.studio.finished = True
        ended = await world.ended(task)
    assert ended.status is TaskStatus.SUCCEEDED
    assert world.studio.submits == 1
