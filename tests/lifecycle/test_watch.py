"""Row and events as one stream."""

import asyncio
from datetime import timedelta

import pytest

from genpulse.domain.errors import ProviderUnavailable, UnknownTask
from genpulse.domain.event import TaskEvent
from genpulse.domain.task import TaskStatus, WaitsFor
from genpulse.lifecycle.cancel import cancel
from genpulse.lifecycle.watch import wait, watch


async def collected(world, task, **options):
    return [update async for update in watch(world.services, task.id, **options)]


def numbers_grow(updates):
    numbers = [update.seq for update in updates]
    return numbers == sorted(set(numbers))


async def test_a_stream_opened_before_the_start_tells_everything_in_order(world):
    world.painter.hold = asyncio.Event()
    stream = watch(world.services, (await world.submit("art/painter")).id)
    updates = [await anext(stream)]
    async with world.worker():
        async for update in stream:
            updates.append(update)
            if update.task is None or update.task.status is TaskStatus.RUNNING:
                world.painter.hold.set()
    states = [update.task.status for update in updates if update.task]
    assert states[0] is TaskStatus.QUEUED
    assert states[-1] is TaskStatus.SUCCEEDED
    assert numbers_grow(updates)


async def test_that_it_runs_is_told(world):
    world.painter.hold = asyncio.Event()
    task = await world.submit("art/painter")
    async with world.worker():
        async for update in watch(world.services, task.id, after=task.seq):
            if update.task and update.task.status is TaskStatus.RUNNING:
                break
        world.painter.hold.set()
        assert (await world.ended(task)).status is TaskStatus.SUCCEEDED


async def waiting_in(stream, what):
    """The first update that tells that the task waits for this; None: that it goes on."""
    async with asyncio.timeout(60):
        async for update in stream:
            if update and update.task and update.task.waiting_for is what and not update.task.status.ended:
                return update
    raise AssertionError(f"the stream ended without {what}")


async def test_a_cancel_while_waiting_for_the_next_attempt_ends_every_stream(world):
    world.painter.errors = [ProviderUnavailable("The provider answered 503.", retry_after_s=30)]
    task = await world.submit("art/painter")
    stream = watch(world.services, task.id)
    async with world.worker():
        waiting = await waiting_in(stream, WaitsFor.NEXT_ATTEMPT)
        assert waiting.task.last_error.message == "The provider answered 503."
        assert waiting.task.next_try_at - waiting.task.waiting_since > timedelta(seconds=25)
        resumed = asyncio.create_task(collected(world, task, after=waiting.seq))
        await asyncio.sleep(0.05)
        await cancel(world.services, task.id)
        async with asyncio.timeout(60):
            (end,) = [update async for update in stream]
            assert await resumed == [end]
            assert await collected(world, task, after=waiting.seq) == [end]
    assert end.task.status is TaskStatus.CANCELED
    assert end.seq > waiting.seq


async def test_a_wish_to_cancel_is_told_before_the_end(world, until):
    world.studio.hold_submit = asyncio.Event()
    task = await world.submit("art/studio")
    async with world.worker():
        await until(lambda: world.studio.submits == 1)
        watching = asyncio.create_task(collected(world, task))
        await asyncio.sleep(0.05)
        await cancel(world.services, task.id)
        wished = [update async for update in first_of(watch(world.services, task.id, after=task.seq))]
        assert wished[0].task.cancel_requested
        assert wished[0].task.status is TaskStatus.RUNNING
        world.studio.hold_submit.set()
        async with asyncio.timeout(60):
            updates = await watching
    told = [(one.task.status, one.task.cancel_requested) for one in updates if one.task]
    assert told[0] == (TaskStatus.RUNNING, False)
    assert (TaskStatus.RUNNING, True) in told
    assert told[-1] == (TaskStatus.CANCELED, True)
    assert numbers_grow(updates)


async def first_of(stream):
    """The first update alone."""
    yield await anext(stream)
    await stream.aclose()


async def test_what_a_running_task_waits_for_is_told_and_that_it_goes_on(world):
    world.studio.poll_errors = [ProviderUnavailable("No answer.") for _ in range(4)]
    world.studio.finished = False
    task = await world.submit("art/studio")
    stream = watch(world.services, task.id)
    async with world.worker():
        waiting = await waiting_in(stream, WaitsFor.PROVIDER)
        assert waiting.task.waiting_since is not None
        going_on = await waiting_in(stream, None)
        assert going_on.seq > waiting.seq
        world.studio.finished = True
        rest = [update async for update in stream]
    assert rest[-1].task.status is TaskStatus.SUCCEEDED
    assert numbers_grow([waiting, going_on, *rest])


async def test_a_change_after_a_wish_to_cancel_is_told(world):
    """The worker that writes it does not know of the wish, and counts from where it was."""
    task = await world.submit("art/studio")
    begun = await world.begun()
    await cancel(world.services, task.id)
    stream = watch(world.services, task.id)
    wish = await anext(stream)
    await world.services.store.save_waiting(begun.lease, WaitsFor.STORAGE, None, begun.task.seq + 1)
    world.services.events.publish(TaskEvent(task.id, begun.task.seq + 1))
    async with asyncio.timeout(1.5):
        waiting = await anext(stream)
    assert waiting.task.waiting_for is WaitsFor.STORAGE
    assert waiting.seq > wish.seq
    await stream.aclose()


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
    updates = await asyncio.wait_for(watching, 60)
    assert updates[-1].task.status is TaskStatus.CANCELED


async def test_an_unknown_task_is_said_at_the_first_step(world):
    with pytest.raises(UnknownTask):
        await anext(watch(world.services, world.services.new_id()))


async def test_waiting_ends_with_the_time_or_with_the_task(world):
    task = await world.submit("art/painter")
    assert (await wait(world.services, task.id, 0.05)).status is TaskStatus.QUEUED
    async with world.worker():
        assert (await wait(world.services, task.id, 10)).status is TaskStatus.SUCCEEDED
