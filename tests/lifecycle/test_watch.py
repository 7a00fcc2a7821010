"""Row and events as one stream."""

import asyncio

import pytest

from genpulse.domain.errors import UnknownTask
from genpulse.domain.event import TaskEvent
from genpulse.domain.task import TaskStatus
from genpulse.lifecycle.watch import wait, watch


async def collected(world, task, **options):
    return [update async for update in watch(world.services, task.id, **options)]


async def test_a_stream_opened_before_the_start_tells_everything_in_order(world):
    task = await world.submit("art/painter")
    watching = asyncio.create_task(collected(world, task))
    await asyncio.sleep(0.05)
    async with world.worker():
        updates = await watching
    states = [update.task.status for update in updates if update.task]
    assert states[0] is TaskStatus.QUEUED
    assert states[-1] is TaskStatus.SUCCEEDED
    assert TaskStatus.RUNNING in states
    assert [update.seq for update in updates] == sorted({update.seq for update in updates})


async def test_a_stream_opened_after_the_end_tells_the_end(world):
    async with world.worker():
        ended = await world.ended(await world.submit("art/painter"))
    (update,) = await collected(world, ended)
    assert update.task == ended


async def test_a_stream_that_has_seen_the_end_tells_nothing(world):
    async with world.worker():
        ended = await world.ended(await world.submit("art/painter"))
    assert await collected(world, ended, after=ended.seq) == []


async def test_a_stream_that_comes_back_gets_only_what_is_new(world):
    task = await world.submit("art/painter")
    async with world.worker():
        ended = await world.ended(task)
    (update,) = await collected(world, task, after=task.seq)
    assert update.seq == ended.seq


async def test_silence_is_told(world):
    task = await world.submit("art/painter")
    stream = watch(world.services, task.id, idle_s=0.05)
    assert (await anext(stream)).task == task
    assert await anext(stream) is None
    await stream.aclose()


async def test_progress_is_told_and_old_events_are_not(world):
    task = await world.submit("art/painter")
    stream = watch(world.services, task.id, after=10)
    told = asyncio.create_task(anext(stream))
    await asyncio.sleep(0.05)
    world.services.events.publish(TaskEvent(task.id, 9, 0.1))
    world.services.events.publish(TaskEvent(task.id, 11, 0.2, "half"))
    update = await told
    assert (update.seq, update.progress, update.message, update.task) == (11, 0.2, "half", None)
    await stream.aclose()


async def test_an_end_whose_event_got_lost_is_still_told(world):
    """Nothing publishes the cancellation: the row alone tells of it."""
    task = await world.submit("art/painter")
    watching = asyncio.create_task(collected(world, task))
    await asyncio.sleep(0.05)
    await world.services.store.cancel(task.id)
    updates = await asyncio.wait_for(watching, 10)
    assert updates[-1].task.status is TaskStatus.CANCELED


async def test_an_unknown_task_is_said_at_the_first_step(world):
    with pytest.raises(UnknownTask):
        await anext(watch(world.services, world.services.new_id()))


async def test_waiting_ends_with_the_time_or_with_the_task(world):
    task = await world.submit("art/painter")
    assert (await wait(world.services, task.id, 0.05)).status is TaskStatus.QUEUED
    async with world.worker():
        assert (await wait(world.services, task.id, 10)).status is TaskStatus.SUCCEEDED
