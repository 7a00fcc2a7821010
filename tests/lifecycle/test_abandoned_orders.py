"""Orders that outlived their tasks are stopped at their vendors later."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from genpulse.adapters.memory.tasks.store import MemoryTaskStore
from genpulse.domain.attempt import Lease
from genpulse.domain.errors import LeaseLost, ProviderUnavailable
from genpulse.domain.failure import FailureCode
from genpulse.domain.task import TaskStatus
from genpulse.lifecycle.abandoned_orders import stop_unwanted
from genpulse.lifecycle.cancel import cancel
from genpulse.lifecycle.retry import retry
from genpulse.provider import Progress
from tests.lifecycle.test_odd_answers import ENDS_WITHIN_S, FOR_EVER, KIND, SHORT, Script, odd

LAGGING = replace(SHORT, missing_s=30.0)
"""A vendor whose list shows a job half a minute after it was taken."""

_EARLIER = """
UPDATE tasks SET order_stop_at = order_stop_at - $2::interval, order_sent_at = order_sent_at - $2::interval
WHERE id = $1
"""


async def later(world, task, by=timedelta(minutes=2)):
    """Some time after the task has ended."""
    store = world.services.store
    if not isinstance(store, MemoryTaskStore):
        await store._pool.execute(_EARLIER, task.id, by)
        return
    if task.id in (due_at := store._unstopped._due_at):
        due_at[task.id] -= by
    if order := store._tasks[task.id].order:
        earlier = replace(order, sent_at=order.sent_at - by)
        store._tasks[task.id] = replace(store._tasks[task.id], order=earlier)


async def canceled(world, until, studio):
    task = await world.submit("art/studio", kind=KIND)
    await until(lambda: studio.submits == 1)
    await cancel(world.services, task.id)
    return await world.ended(task, ENDS_WITHIN_S)


async def test_a_job_that_could_not_be_stopped_is_stopped_later(world, until):
    script = {
        "poll": Script(lambda: Progress(0.5), FOR_EVER),
        "cancel": Script(lambda: ProviderUnavailable("503"), 2),
    }
    async with odd(world, script) as (studio, _):
        ended = await canceled(world, until, studio)
        assert (ended.status, ended.order.job_id) == (TaskStatus.CANCELED, "job-1")
    assert await stop_unwanted(world.services, ["art"]) == 0
    assert studio.asked["cancel"] == 1
    for stopped in (0, 1, 0):
        await later(world, ended)
        assert await stop_unwanted(world.services, ["art"]) == stopped
    assert studio.canceled == ["job-1"] * 3
    assert (await world.services.store.get(ended.id)).order is None


async def test_one_that_cannot_be_stopped_keeps_none_beside_it_open(world, until):
    """The vendor hangs behind a group that has failed: its time-out looks like a cancellation."""

    async def refuse(job):
        raise ProviderUnavailable("503")

    world.studio.finished, world.studio.cancel = False, refuse
    async with world.worker():
        tasks = [await world.submit("art/studio") for _ in range(3)]
        await until(lambda: world.studio.submits == len(tasks))
        for task in tasks:
            await cancel(world.services, task.id)
        ended = [await world.ended(task) for task in tasks]
    del world.studio.cancel
    world.studio.careless, world.studio.hanging_cancels = True, 1
    world.services = replace(world.services, bounds=replace(world.services.bounds, stop_s=0.2))
    for stopped in (2, 1, 0):
        for task in ended:
            await later(world, task)
        assert await stop_unwanted(world.services, ["art"]) == stopped
    assert sorted(set(world.studio.canceled)) == ["job-1", "job-2", "job-3"]
    assert len(world.studio.canceled) == len(tasks) + 1


async def test_a_worker_stops_what_nobody_wants_any_more(world, until):
    script = {
        "poll": Script(lambda: Progress(0.5), FOR_EVER),
        "cancel": Script(lambda: ProviderUnavailable("503"), 1),
    }
    async with odd(world, script) as (studio, _):
        ended = await canceled(world, until, studio)
    await later(world, ended)
    async with world.worker():
        async with asyncio.timeout(60):
            while (await world.services.store.get(ended.id)).order is not None:
                await asyncio.sleep(0.01)
    assert studio.canceled == ["job-1"] * 2


async def test_an_order_whose_answer_never_came_is_looked_up_and_stopped_later(world, until):
    """The vendor does not know of it yet when the task is canceled."""
    script = {"submit": Script(lambda: None, 1)}
    async with odd(world, script, finds=True, keeps=False, bounds=LAGGING) as (studio, _):
        ended = await canceled(world, until, studio)
    assert (ended.status, ended.error.code) == (TaskStatus.CANCELED, FailureCode.UNKNOWN_OUTCOME)
    studio.jobs[ended.order.reference] = "job-1"
    await later(world, ended)
    assert await stop_unwanted(world.services, ["other"]) == 0
    assert await stop_unwanted(world.services, ["art"]) == 1
    assert studio.canceled == ["job-1"]
    again = await world.services.store.get(ended.id)
    assert (again.status, again.error, again.order) == (TaskStatus.CANCELED, ended.error, None)


async def test_an_order_that_was_never_taken_is_over_once_the_list_would_show_it(world, until):
    script = {"submit": Script(lambda: None, 1)}
    async with odd(world, script, finds=True, keeps=False, bounds=LAGGING) as (studio, _):
        ended = await canceled(world, until, studio)
    await later(world, ended)
    assert await stop_unwanted(world.services, ["art"]) == 1
    assert (studio.canceled, studio.submits) == ([], 1)


async def test_a_job_that_is_named_after_the_end_is_stopped_then(world, until):
    """Whoever ordered it was cut off from the database meanwhile, and nobody can look it up."""
    script = {"submit": Script(lambda: None, 1)}
    async with odd(world, script, finds=False) as (studio, _):
        ended = await canceled(world, until, studio)
    assert await stop_unwanted(world.services, ["art"]) == 0
    (attempt,) = await world.services.store.attempts(ended.id)
    with pytest.raises(LeaseLost):
        await world.services.store.journal_job(Lease(ended.id, attempt.id), "job-1")
    assert await stop_unwanted(world.services, ["art"]) == 1
    assert studio.canceled == ["job-1"]
    assert (await world.services.store.get(ended.id)).order is None


@pytest.mark.parametrize(("finds", "cancels"), [(False, True), (True, False)])
async def test_what_cannot_be_stopped_is_not_asked_about(world, until, finds, cancels):
    script = {"submit": Script(lambda: None, 1)}
    async with odd(world, script, finds=finds, cancels=cancels) as (studio, _):
        ended = await canceled(world, until, studio)
    await later(world, ended, timedelta(hours=1))
    assert await stop_unwanted(world.services, ["art"]) == 0
    assert ended.order is not None


async def test_a_job_whose_deadline_is_over_is_stopped_later(world):
    script = {
        "poll": Script(lambda: Progress(0.5), FOR_EVER),
        "cancel": Script(lambda: ConnectionResetError("gone"), 1),
    }
    async with odd(world, script) as (studio, _):
        studio.longest_s = 600.0
        task = await world.submit("art/studio", kind=KIND, deadline_s=3)
        ended = await world.ended(task, ENDS_WITHIN_S)
    assert ended.error.code is FailureCode.DEADLINE_EXCEEDED
    await later(world, ended)
    assert await stop_unwanted(world.services, ["art"]) == 1
    assert studio.canceled == ["job-1"] * 2


async def test_a_job_whose_task_is_wanted_again_is_not_stopped(world):
    script = {
        "poll": Script(lambda: Progress(0.5), FOR_EVER),
        "cancel": Script(lambda: ConnectionResetError("gone"), 1),
    }
    async with odd(world, script) as (studio, _):
        studio.longest_s = 600.0
        task = await world.submit("art/studio", kind=KIND, deadline_s=3)
        ended = await world.ended(task, ENDS_WITHIN_S)
        await later(world, ended)
        script["poll"].times = 0
        again = await world.ended(await retry(world.services, ended.id), ENDS_WITHIN_S)
        assert await stop_unwanted(world.services, ["art"]) == 0
    assert (again.status, studio.submits) == (TaskStatus.SUCCEEDED, 1)
