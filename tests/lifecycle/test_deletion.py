"""Deleting tasks while their workers are at it, and removing what is left of them."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from genpulse.domain.errors import StorageLost, StorageUnavailable, UnknownTask
from genpulse.lifecycle.removal.deletion import delete_asset, delete_task, delete_tasks
from genpulse.lifecycle.removal.erase import erase
from genpulse.lifecycle.upload import upload
from genpulse.lifecycle.watch import watch
from tests.lifecycle.conftest import QUICK
from tests.queues import depth_of

SLOW_TO_ERASE = replace(QUICK, erase_every_s=3600.0)


async def stream(content):
    yield content


async def is_gone(world, task_id):
    try:
        await world.services.store.get(task_id)
    except UnknownTask:
        return True
    return False


async def bytes_are_gone(world, asset):
    try:
        await world.content(asset)
    except StorageLost:
        return True
    return False


async def erased(world, tasks=1):
    """What was removed, once so many tasks were; at most a minute."""
    async with asyncio.timeout(60):
        done = await erase(world.services, settled_s=0, seen_s=0)
        while done.tasks < tasks:
            await asyncio.sleep(0.01)
            done += await erase(world.services, settled_s=0, seen_s=0)
        return done


@pytest.mark.parametrize("model", ["art/painter", "art/studio"])
async def test_an_ended_task_goes_with_its_bytes(world, model):
    async with world.worker(SLOW_TO_ERASE):
        task = await world.ended(await world.submit(model))
        await delete_task(world.services, task.id, None)
        assert await is_gone(world, task.id)
        done = await erased(world)
    assert (done.tasks, done.assets, done.objects) == (1, 1, 1)
    assert await bytes_are_gone(world, task.outputs[0])


async def test_the_worker_removes_what_was_deleted(world, until):
    async with world.worker(replace(QUICK, erase_every_s=0.05, erase_after_s=0.1)):
        task = await world.ended(await world.submit("art/painter"))
        await delete_task(world.services, task.id, None)
        async with asyncio.timeout(60):
            while not await bytes_are_gone(world, task.outputs[0]):
                await asyncio.sleep(0.05)


async def test_a_task_that_nobody_knows_is_refused(world):
    with pytest.raises(UnknownTask):
        await delete_task(world.services, world.services.new_id(), None)


@pytest.mark.parametrize("model", ["art/painter", "art/shop", "art/studio"])
async def test_a_running_task_is_stopped_and_leaves_nothing(world, until, model):
    world.painter.hold = world.shop.hold = asyncio.Event()
    world.studio.finished = False
    async with world.worker(SLOW_TO_ERASE):
        task = await world.submit(model, kind="text-to-video" if "studio" in model else "text-to-image")
        await until(lambda: world.painter.runs or world.shop.sold or world.studio.submits)
        await delete_task(world.services, task.id, None)
        assert await is_gone(world, task.id)
        world.painter.hold.set()
        done = await erased(world)
    assert done.tasks == 1
    assert await depth_of(world.services.queue) == 0
    assert await world.services.deliveries.of_task(task.id) == ()
    assert await world.services.deletions.erased_objects(10) == ()
    if model == "art/studio":
        assert world.studio.canceled == ["job-1"]
    assert world.studio.submits + world.shop.sold + world.painter.runs == 1


async def test_a_queued_task_never_begins(world):
    task = await world.submit("art/painter")
    await delete_task(world.services, task.id, None)
    async with world.worker(SLOW_TO_ERASE):
        await erased(world)
    assert world.painter.runs == 0


async def test_a_deletion_that_was_broken_off_after_its_commit_is_finished_by_the_worker(world, until):
    world.studio.finished = False
    async with world.worker(SLOW_TO_ERASE):
        task = await world.submit("art/studio")
        await until(lambda: world.studio.submits)
        await world.services.deletions.delete_tasks([task.id], owner=None, deleted_by="")
        await erased(world)
    assert world.studio.canceled == ["job-1"]


async def test_a_worker_that_was_lost_with_a_deleted_task_leaves_it_to_another_one(world):
    await world.submit("art/painter")
    begun = await world.begun()
    await delete_task(world.services, begun.task.id, None)
    async with world.worker(SLOW_TO_ERASE):
        assert (await erased(world)).tasks == 1
    assert world.painter.runs == 0


async def test_many_are_deleted_at_once_and_each_is_told(world):
    tasks = [await world.submit("art/painter") for _ in range(3)]
    unknown = world.services.new_id()
    done = await delete_tasks(world.services, [unknown, *(task.id for task in tasks)], None)
    assert set(done.deleted) == {task.id for task in tasks}
    assert (await erased(world, 3)).tasks == 3


async def test_bytes_wait_for_a_storage_that_is_away(world):
    async with world.worker(SLOW_TO_ERASE):
        task = await world.ended(await world.submit("art/painter"))
    await delete_task(world.services, task.id, None)
    away = replace(world.services, storage=Away(world.services.storage))
    with pytest.raises(StorageUnavailable):
        await erase(away, settled_s=0)
    assert not await bytes_are_gone(world, task.outputs[0])
    done = await erase(world.services, settled_s=0, seen_s=0)
    assert (done.tasks, done.objects) == (0, 1)
    assert await bytes_are_gone(world, task.outputs[0])


class Away:
    """A storage that removes nothing."""

    def __init__(self, storage):
        self._storage = storage

    async def remove(self, keys):
        raise StorageUnavailable("The asset storage does not answer.")


async def test_the_same_content_is_made_and_deleted_again_and_again(world):
    async with world.worker(SLOW_TO_ERASE):
        for number in range(5):
            task = await world.ended(await world.submit("art/painter"))
            assert await world.content(task.outputs[0]) == b"a fox", number
            await delete_task(world.services, task.id, None)
            await erased(world)
            assert await bytes_are_gone(world, task.outputs[0])


@pytest.mark.parametrize("model", ["art/painter", "art/shop", "art/studio"])
async def test_content_that_is_erased_between_storing_and_committing_is_stored_again(world, until, model):
    """Another task with the same content is deleted while this one has stored its own, and has not ended."""
    kind = "text-to-video" if "studio" in model else "text-to-image"
    async with world.worker(SLOW_TO_ERASE):
        first = await world.ended(await world.submit(model, kind=kind))
    world.studio.jobs.clear()
    world.studio.submits = 0
    services = world.services
    held = HeldEnds(services.store)
    world.services = replace(services, store=held)
    async with world.worker(SLOW_TO_ERASE):
        second = await world.submit(model, kind=kind)
        await until(held.reached.is_set)
        await delete_task(services, first.id, None)
        await erase(services, settled_s=0)
        assert await bytes_are_gone(world, first.outputs[0])
        held.go_on.set()
        ended = await world.ended(second)
    assert ended.outputs[0].content.sha256 == first.outputs[0].content.sha256
    assert ended.outputs[0].content.key != first.outputs[0].content.key
    assert await world.content(ended.outputs[0])
    assert world.shop.sold <= 2
    assert ended.attempt == 1


class HeldEnds:
    """A store that holds up the first end."""

    def __init__(self, store):
        self._store = store
        self.reached, self.go_on = asyncio.Event(), asyncio.Event()

    def __getattr__(self, name):
        return getattr(self._store, name)

    async def finish(self, end):
        self.reached.set()
        await self.go_on.wait()
        return await self._store.finish(end)


async def test_an_upload_goes_and_the_same_file_comes_back(world):
    services = world.services
    for _ in range(2):
        kept = await upload(services, stream(b"photo"), limit_bytes=100)
        assert await world.content(kept) == b"photo"
        await delete_asset(services, kept.id, None)
        assert (await erase(services, settled_s=0)).objects == 1
        assert await bytes_are_gone(world, kept)


async def test_a_watcher_is_let_go(world):
    world.painter.hold = asyncio.Event()
    async with world.worker(SLOW_TO_ERASE):
        task = await world.submit("art/painter")
        updates = watch(world.services, task.id)
        await anext(updates)
        await delete_task(world.services, task.id, None)
        async with asyncio.timeout(60):
            async for _ in updates:
                pass
        world.painter.hold.set()
        await erased(world)


async def test_a_task_that_is_kept_for_no_time_goes_by_itself(world):
    async with world.worker(SLOW_TO_ERASE):
        task = await world.ended(await world.submit("art/painter", retain_s=0))
    done = await erased(world)
    assert (done.tasks, done.objects) == (1, 1)
    assert await is_gone(world, task.id)
    await world.services.deletions.forget(timedelta(0), 10)
