"""Removing what is old, on the twins in memory."""

import asyncio
import copy
import logging
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import obstore
import pytest

from genpulse.adapters.memory.removal.retention import MemoryPruning
from genpulse.adapters.memory.tasks.store import MemoryTaskStore
from genpulse.adapters.storage.bucket import PROBE_KEY
from genpulse.adapters.storage.objects import ObjectStorage
from genpulse.domain.assets.asset import Asset
from genpulse.domain.errors import (
    ClocksDiffer,
    ContentTooLarge,
    DatabaseUnavailable,
    LeaseLost,
    StorageFull,
    StorageLost,
    StorageUnavailable,
    UnknownAsset,
    UnknownTask,
    UploadIncomplete,
)
from genpulse.domain.failure import FailureCode
from genpulse.domain.retention import Pruned, RetentionPolicy
from genpulse.lifecycle.attempt.outputs.received import ReceivedOutput, ReceivedResult
from genpulse.lifecycle.attempt.outputs.storing import STORED_AGAIN_S, store_outputs
from genpulse.lifecycle.removal.prune import prune
from genpulse.lifecycle.upload import upload
from genpulse.provider import Output, Result
from tests.lifecycle.conftest import QUICK

MONDAY = datetime(2030, 1, 28, tzinfo=UTC)
pytestmark = pytest.mark.parametrize("rows", ["memory"], indirect=True)

POLICY = RetentionPolicy(tasks=timedelta(days=30), assets=timedelta(days=60), batch=2)


async def stream(content: bytes):
    yield content


def with_clock(services, now):
    """The same services where it is so late, on this host and in the database."""
    retention, store = copy.copy(services.retention), services.store
    retention._place = replace(retention._place, now=now)
    if isinstance(store, MemoryTaskStore):
        store = copy.copy(store)
        store._now = now
    return replace(services, now=now, retention=retention, store=store)


def in_days(services, days):
    return with_clock(services, lambda: services.now() + timedelta(days=days))


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
    with pytest.raises(StorageLost, match="gone"):
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
    yield replace(with_clock(world.services, lambda: time.now), storage=storage), time
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
    due = await later.retention.due(POLICY.ages)
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


@pytest.mark.parametrize("ahead", [timedelta(days=120), timedelta(seconds=62), timedelta(days=-120)])
async def test_a_host_whose_clock_is_wrong_removes_nothing(world, ahead):
    await painted(world, 1)
    wrong = replace(world.services, now=lambda: world.services.now() + ahead)
    with pytest.raises(
        ClocksDiffer, match=f"{abs(ahead.total_seconds()):,.0f} s (ahead of|behind) the database's"
    ):
        await prune(wrong, RetentionPolicy(tasks=timedelta(0), assets=timedelta(0)))
    assert len(world.services.store.all_tasks()) == 1


async def test_a_minute_is_no_difference(world):
    slow = replace(world.services, now=lambda: world.services.now() - timedelta(seconds=58))
    assert await prune(slow, POLICY) == Pruned()


async def test_a_worker_whose_clock_is_wrong_says_so_and_goes_on(world, until, caplog):
    (task,) = await painted(world, 1)
    wrong = replace(world, services=replace(world.services, now=lambda: datetime.now(UTC) + timedelta(days=120)))
    async with wrong.worker(replace(QUICK, prune_every_s=0.05)):
        await until(lambda: "ahead of the database's" in caplog.text)
    assert (await world.services.store.get(task.id)).outputs == task.outputs


def stored(services):
    """Keys of the objects that lie in the storage, but for the one that every storage has."""
    pages = obstore.list(services.storage._bucket._store)
    return {item["path"] for page in pages for item in page} - {PROBE_KEY}


async def left_after_all(world):
    """What still lies in the storage when everything that is nobody's has gone."""
    later = in_days(world.services, 9)
    await prune(later, RetentionPolicy(tasks=None, assets=None))
    return stored(world.services)


async def test_what_is_kept_stays_and_its_notes_go(world):
    tasks = await painted(world, 3)
    asset = await upload(world.services, stream(b"abc"), limit_bytes=10)
    keys = {output.content.key for task in tasks for output in task.outputs} | {asset.content.key}
    assert await left_after_all(world) == keys
    assert world.services.retention._place.doomed == {}


async def test_an_upload_whose_asset_cannot_be_kept_leaves_nothing(world):
    class Broken:
        now = world.services.store.now

        async def add_asset(self, asset):
            raise DatabaseUnavailable("PostgreSQL does not answer.")

    with pytest.raises(DatabaseUnavailable):
        await upload(replace(world.services, store=Broken()), stream(b"abc"), limit_bytes=10)
    assert len(stored(world.services)) == 1
    assert await left_after_all(world) == set()


@pytest.mark.parametrize("error", [UploadIncomplete("gone"), ContentTooLarge(10), asyncio.CancelledError()])
async def test_an_upload_that_breaks_off_leaves_nothing(world, error):
    async def breaking():
        yield b"abc"
        raise error

    with pytest.raises(type(error)):
        await upload(world.services, breaking(), limit_bytes=10)
    assert stored(world.services) == set()
    assert world.services.retention._place.doomed == {}


async def test_an_upload_that_is_stopped_while_it_is_stored_leaves_nothing(world, tmp_path):
    class Stopping(ObjectStorage):
        async def keep(self, content, *, limit_bytes=None, noting=None):
            await super().keep(content, limit_bytes=limit_bytes, noting=noting)
            raise asyncio.CancelledError

    world.services = replace(world.services, storage=Stopping("memory:///", spool_dir=tmp_path))
    with pytest.raises(asyncio.CancelledError):
        await upload(world.services, stream(b"abc"), limit_bytes=10)
    assert len(stored(world.services)) == 1
    assert await left_after_all(world) == set()
    await world.services.storage.close()


@dataclass
class Ending:
    """A store on which no attempt comes to the end that it wants."""

    store: object
    error: Exception

    def __getattr__(self, name):
        return getattr(self.store, name)

    async def finish(self, end):
        raise self.error


async def test_an_output_whose_lease_is_lost_leaves_nothing(world, until):
    store = world.services.store
    world.services = replace(world.services, store=Ending(store, LeaseLost("the task has another lease")))
    async with world.worker():
        await world.submit("art/painter")
        await until(lambda: len(stored(world.services)) == 1)
    assert await left_after_all(world) == set()


async def test_an_output_that_is_not_what_was_ordered_leaves_nothing(world):
    """What it is shows when it lies in the storage."""

    async def generate(call):
        return Result((Output(b'{"error": "no"}'),))

    world.shop.generate = generate
    async with world.worker():
        ended = await world.ended(await world.submit("art/shop", kind="text-to-image"))
    assert ended.error.code is FailureCode.OUTPUT_UNAVAILABLE
    assert len(stored(world.services)) == 1
    assert await left_after_all(world) == set()


async def begun_at(world):
    await world.submit("art/painter")
    return await world.begun()


async def test_outputs_that_wait_long_for_their_fellows_are_noted_again(world):
    """Bytes that were noted more than a week ago would go, and the asset would come a moment later."""
    begun = await begun_at(world)
    times = iter([0.0, STORED_AGAIN_S + 1, 0.0, 1.0])
    noted = []
    retention = copy.copy(world.services.retention)
    retention.expect = lambda key, size, task_id: noting(key)

    async def noting(key):
        noted.append(key)
        return key

    services = replace(world.services, retention=retention)
    async with replace(world, services=services).run(begun) as run:
        result = ReceivedResult((ReceivedOutput(b"a", 0), ReceivedOutput(b"b", 1)))
        both, _ = await store_outputs(run, result, clock=lambda: next(times))
    keys = [one.asset.content.key for one in both]
    assert noted == keys * 2
    assert len(stored(services)) == 2


async def test_a_storage_that_is_full_still_lets_old_bytes_go(world):
    """Nothing is written to remove something."""

    class Full(ObjectStorage):
        async def keep(self, content, *, limit_bytes=None, noting=None):
            raise StorageFull("There is no space left in the storage.")

    await upload(world.services, stream(b"abc"), limit_bytes=10)
    full = Full("memory:///")
    full._bucket = world.services.storage._bucket
    later = replace(in_days(world.services, 100), storage=full)
    assert await prune(later, POLICY) == Pruned(assets=1, objects=1, bytes=3)
    assert stored(world.services) == set()
    await full.close()


async def test_a_worker_goes_on_while_the_storage_refuses_to_remove(world, until, caplog):
    class Refusing(ObjectStorage):
        async def remove(self, keys):
            raise StorageUnavailable("The storage refuses access.")

    (task,) = await painted(world, 1)
    later = replace(world, services=in_days(world.services, 100))
    refusing = Refusing("memory:///")
    later.services = replace(later.services, storage=refusing)
    with caplog.at_level(logging.WARNING):
        async with later.worker(replace(QUICK, prune_every_s=0.05)):
            await until(lambda: "The storage refuses access." in caplog.text)
            ended = await later.ended(await later.submit("art/painter"))
    assert ended.outputs
    await refusing.close()
    with pytest.raises(UnknownTask):
        await world.services.store.get(task.id)


async def test_a_store_that_does_not_tell_of_its_uploads_stops_no_removal(world, caplog):
    class Silent:
        def __getattr__(self, name):
            return getattr(world.services.storage, name)

        async def abort_unfinished(self, _older_than):
            raise StorageUnavailable("it answered 500")

    with caplog.at_level(logging.WARNING):
        assert await prune(replace(world.services, storage=Silent()), POLICY) == Pruned()
    assert "are looked for later: it answered 500" in caplog.text
