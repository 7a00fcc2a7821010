"""Tasks that wait for the outputs of others."""

import asyncio
from datetime import timedelta

import pytest
import uuid_utils.compat

from genpulse.domain.attempt import Canceled, Failed, Succeeded
from genpulse.domain.errors import InvalidInput
from genpulse.domain.task import TaskStatus
from tests.contract.conftest import new_task, now
from tests.queues import depth_of

NO = Failed(InvalidInput("no").failure)


async def chained(backend, *sources, **changes):
    new = new_task(depends_on=tuple(source.id for source in sources), **changes)
    return (await backend.store.submit(new)).task


async def test_a_task_is_not_claimed_before_its_source_has_ended(backend):
    source = await backend.begun()
    task = await chained(backend, source.task)
    assert task == await backend.store.get(task.id)
    assert (task.depends_on, task.awaits_sources) == ((source.task.id,), True)
    assert await backend.claim() == []
    assert await backend.store.wake() == 0
    await backend.end(source.lease, Succeeded(()))
    assert (await backend.store.get(task.id)).awaits_sources is False
    (begun,) = await backend.claim()
    assert begun.task.id == task.id


@pytest.mark.parametrize("outcome", [NO, Canceled()], ids=["failed", "canceled"])
async def test_a_source_without_an_output_is_waited_for_no_longer(backend, outcome):
    source, other = await backend.begun(), await backend.begun()
    task = await chained(backend, source.task, other.task)
    await backend.end(source.lease, outcome)
    assert [one.task.id for one in await backend.claim()] == [task.id]


async def test_a_source_that_is_canceled_or_expires_in_the_queue_is_waited_for_no_longer(backend):
    canceled = (await backend.store.submit(new_task(run_at=now() + timedelta(hours=1)))).task
    late = (await backend.store.submit(new_task(deadline_s=-1.0))).task
    tasks = [await chained(backend, source) for source in (canceled, late)]
    await backend.store.cancel(canceled.id)
    assert [one.id for one in await backend.store.expire()] == [late.id]
    assert {one.task.id for one in await backend.claim(at_most=3)} == {one.id for one in tasks}


async def test_all_of_several_sources_are_waited_for_also_when_they_end_at_once(backend):
    sources = [await backend.begun() for _ in range(3)]
    task = await chained(backend, *(source.task for source in sources))
    await backend.end(sources[0].lease, Succeeded(()))
    assert await backend.claim() == []
    await asyncio.gather(*(backend.end(source.lease, Succeeded(())) for source in sources[1:]))
    await backend.store.wake()
    assert [one.task.id for one in await backend.claim()] == [task.id]


async def test_a_source_that_ends_while_the_task_is_submitted_wakes_it(backend):
    for _ in range(15):
        source = await backend.begun()
        task, _ = await asyncio.gather(chained(backend, source.task), backend.end(source.lease, Succeeded(())))
        begun = await backend.claim()
        if (
            not begun
        ):  # the end looked before the task was there, and had locked nothing yet: the next sweep finds it
            await backend.store.wake()
            begun = await backend.claim()
        (begun,) = begun
        assert begun.task.id == task.id
        await backend.end(begun.lease, Succeeded(()))


async def test_sources_that_have_ended_or_are_not_there_are_not_waited_for(backend):
    source = await backend.begun()
    await backend.end(source.lease, Succeeded(()))
    task = await chained(backend, source.task)
    unknown = (await backend.store.submit(new_task(depends_on=(uuid_utils.compat.uuid7(),)))).task
    assert {one.task.id for one in await backend.claim(at_most=2)} == {task.id, unknown.id}


async def test_a_task_that_waits_is_canceled_at_once_and_ends_at_its_deadline(backend):
    source = await backend.begun()
    canceled, late = await chained(backend, source.task), await chained(backend, source.task, deadline_s=-1.0)
    assert (await backend.store.cancel(canceled.id)).status is TaskStatus.CANCELED
    assert [one.id for one in await backend.store.expire()] == [late.id]
    await backend.end(source.lease, Succeeded(()))
    assert await depth_of(backend.queue) == 0


async def test_a_chain_goes_on_link_by_link_and_ends_with_its_first(backend):
    first = await backend.begun()
    second = await chained(backend, first.task)
    third = await chained(backend, second)
    await backend.end(first.lease, Succeeded(()))
    (begun,) = await backend.claim(at_most=2)
    assert begun.task.id == second.id
    await backend.end(begun.lease, NO)
    (begun,) = await backend.claim(at_most=2)
    assert begun.task.id == third.id


async def test_a_task_that_is_asked_for_again_waits_for_a_source_that_is_too(backend):
    source = await backend.begun()
    task = await chained(backend, source.task)
    await backend.end(source.lease, NO)
    (begun,) = await backend.claim()
    await backend.end(begun.lease, NO)
    assert (await backend.store.retry(task.id)).awaits_sources is False
    (begun,) = await backend.claim()
    await backend.end(begun.lease, NO)
    await backend.store.retry(source.task.id)
    assert (await backend.store.retry(task.id)).awaits_sources is True
    (again,) = await backend.claim(at_most=2)
    assert again.task.id == source.task.id
    await backend.end(again.lease, Succeeded(()))
    assert [one.task.id for one in await backend.claim()] == [task.id]


async def test_a_task_that_is_put_off_waits_for_both(backend):
    source = await backend.begun()
    run_at = now() + timedelta(seconds=1)
    await chained(backend, source.task, run_at=run_at)
    await backend.end(source.lease, Succeeded(()))
    assert await backend.claim() == []
    while not (begun := await backend.claim()):
        await asyncio.sleep(0.05)
    assert begun[0].attempt.started_at >= run_at
