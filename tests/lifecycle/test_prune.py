"""Removing what is old, on the twins in memory."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from genpulse.adapters.memory.retention import MemoryPruning
from genpulse.adapters.storage.objects import ObjectStorage
from genpulse.domain.asset import Asset
from genpulse.domain.errors import StorageUnavailable, UnknownAsset, UnknownTask
from genpulse.domain.retention import Pruned, RetentionPolicy
from genpulse.lifecycle.prune import prune
from genpulse.lifecycle.upload import upload
from tests.lifecycle.conftest import QUICK

MONDAY = datetime(2030, 1, 28, tzinfo=UTC)
POLICY = RetentionPolicy(tasks=timedelta(days=30), assets=timedelta(days=60), batch=2)


async def stream(content: bytes):
    yield content


def in_days(services, days):
    return replace(services, now=lambda: services.now() + timedelta(days=days))


async def painted(world, count):
    tasks = []
    async with world.worker():
        for number in range(count):
            submitted = await world.submit("art/painter", input={"prompt": f"{number}"})
            tasks.append(await world.ended(submitted))
    return tasks


async def test_tasks_go_first_then_their_assets_then_the_bytes(world):
    tasks = await painted(world, 5)
    (output,) = tasks[0].outputs
    assert await prune(in_days(world.services, 29), POLICY) == Pruned()
    assert await prune(in_days(world.services, 31), POLICY) == Pruned(tasks=5, attempts=5)
    with pytest.raises(UnknownTask):
        await world.services.store.get(tasks[0].id)
    assert await world.content(output) == b"0"
    assert await prune(in_days(world.services, 61), POLICY) == Pruned(assets=5, objects=5, bytes=5)
    with pytest.raises(UnknownAsset):
        await world.services.store.asset(output.id)
    with pytest.raises(StorageUnavailable, match="gone"):
        await world.content(output)
    assert await prune(in_days(world.services, 900), POLICY) == Pruned()


async def test_bytes_wait_until_nobody_can_find_them_again(world):
    await upload(world.services, stream(b"abc"), limit_bytes=10)
    quick = RetentionPolicy(assets=timedelta(days=1), grace=timedelta(days=2))
    assert await prune(in_days(world.services, 2), quick) == Pruned(assets=1)
    assert await prune(in_days(world.services, 8.9), quick) == Pruned()
    assert await prune(in_days(world.services, 9.1), quick) == Pruned(objects=1, bytes=3)


@dataclass
class Time:
    """Goes on when it is told to."""

    now: datetime = MONDAY


@pytest.fixture
async def clock(world, tmp_path):
    """Services on which it is Monday, and their clock."""
    time = Time()
    storage = ObjectStorage("memory:///", spool_dir=tmp_path, now=lambda: time.now)
    yield replace(world.services, now=lambda: time.now, storage=storage), time
    await storage.close()


async def test_bytes_that_somebody_finds_in_the_last_minute_of_their_week_stay(clock):
    services, time = clock
    first = await upload(services, stream(b"abc"), limit_bytes=10)
    time.now = MONDAY + timedelta(days=7, minutes=-1)
    found = await services.storage.keep(b"abc")
    assert found == first.content
    assert await prune(services, RetentionPolicy(assets=timedelta(days=1))) == Pruned(assets=1)
    time.now += timedelta(hours=23)
    assert await prune(services, RetentionPolicy(assets=timedelta(days=1))) == Pruned()
    await services.store.add_asset(Asset(services.new_id(), found, services.now(), "dev"))
    time.now += timedelta(days=30)
    assert await prune(services, RetentionPolicy(assets=None)) == Pruned()
    assert b"".join([chunk async for chunk in services.storage.read(found.key, 0, 3)]) == b"abc"


async def test_what_is_stored_while_its_like_is_removed_lies_elsewhere(clock):
    services, time = clock
    first = await upload(services, stream(b"abc"), limit_bytes=10)
    time.now = MONDAY + timedelta(days=20)
    second = await upload(services, stream(b"abc"), limit_bytes=10)
    policy = RetentionPolicy(assets=timedelta(days=10))
    assert await prune(services, policy) == Pruned(assets=1, objects=1, bytes=3)
    await services.storage.remove([first.content.key])
    assert b"".join([chunk async for chunk in services.storage.read(second.content.key, 0, 3)]) == b"abc"


async def test_what_is_kept_for_ever_stays(world):
    await painted(world, 1)
    await upload(world.services, stream(b"abc"), limit_bytes=10)
    assert await prune(in_days(world.services, 36_500), RetentionPolicy(tasks=None, assets=None)) == Pruned()
    assert await prune(in_days(world.services, 36_500), RetentionPolicy(tasks=None)) == Pruned(
        assets=1, objects=1, bytes=3
    )


async def test_what_is_due_is_what_goes(world):
    await painted(world, 3)
    later = in_days(world.services, 100)
    due = await later.retention.due(POLICY.cutoffs(later.now()))
    assert due == Pruned(tasks=3, attempts=3, assets=3, objects=3, bytes=3)
    assert await prune(later, POLICY) == due


async def test_only_one_prunes_at_a_time(world):
    async with world.services.retention.turn() as pruning:
        assert isinstance(pruning, MemoryPruning)
        assert await prune(world.services, POLICY) is None
    assert await prune(world.services, POLICY) == Pruned()


async def test_bytes_that_could_not_be_removed_are_removed_the_next_time(world):
    class Refusing:
        async def remove(self, keys):
            raise StorageUnavailable("The storage refuses access.")

    await upload(world.services, stream(b"abc"), limit_bytes=10)
    later = in_days(world.services, 100)
    with pytest.raises(StorageUnavailable):
        await prune(replace(later, storage=Refusing()), POLICY)
    assert await prune(later, POLICY) == Pruned(objects=1, bytes=3)


async def test_a_worker_prunes_by_itself(world, until):
    (task,) = await painted(world, 1)
    later = replace(world, services=in_days(world.services, 100))
    async with later.worker(replace(QUICK, prune_every_s=0.05)):
        await until(lambda: not world.services.store.all_tasks())
    with pytest.raises(UnknownTask):
        await world.services.store.get(task.id)
