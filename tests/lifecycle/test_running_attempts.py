"""What a worker does with the attempts that it runs, without the background jobs around it."""

import asyncio

import pytest

from genpulse.background.loops import Loops
from genpulse.domain.attempt import End, HeldLease, Released, Worker
from genpulse.domain.errors import ProviderRejected, StorageUnavailable
from genpulse.domain.task import TaskStatus
from genpulse.lifecycle.attempt.interruption import Interruption
from genpulse.worker.claiming import Claimer
from tests.lifecycle.conftest import QUICK


def alive(world, name):
    return Worker(world.services.new_id(), name, QUICK.lease_s)


async def taken_over_and_given_back(world, slow):
    other, store = alive(world, "other"), world.services.store
    await store.renew(other, world.services.now())
    await store.leave(slow)
    (taken,) = await store.take_over(other, ["art"], [world.services.new_id()])
    await store.finish(End(taken.lease, Released(), order_open=True))


async def claimed(world, worker):
    await world.services.store.renew(worker, world.services.now())
    (begun,) = await world.services.store.claim(worker, "art", [world.services.new_id()])
    return begun


@pytest.fixture
async def twice(world, until):
    """A worker that was lost for a while, and runs a second attempt at a task whose first one still orders."""
    world.studio.finished, world.studio.hold_submit = False, asyncio.Event()
    task = await world.submit("art/studio")
    slow = alive(world, "slow")
    claimer = Claimer(world.services, QUICK, slow, Loops())
    first = await claimed(world, slow)
    claimer.running.start(first)
    await until(lambda: world.studio.submits == 1)
    await taken_over_and_given_back(world, slow)
    second = await claimed(world, slow)
    claimer.running.start(second)
    return task, claimer, first, second


async def finished(world, until, claimer):
    world.studio.hold_submit.set()
    await until(lambda: len(claimer.running) == 0)


async def test_a_lease_that_is_lost_stops_its_own_attempt_and_not_the_next_one_of_the_task(world, until, twice):
    task, claimer, first, second = twice
    both = {first.lease.attempt_id, second.lease.attempt_id}
    await claimer.reconcile([HeldLease(second.lease)], both)
    world.studio.finished = True
    assert (await world.ended(task)).status is TaskStatus.SUCCEEDED
    assert world.studio.submits == 1
    await finished(world, until, claimer)


async def test_a_worker_stops_in_order_while_an_attempt_that_it_has_lost_still_orders(world, until, twice):
    task, claimer, _, _ = twice
    world.studio.finished = True
    await world.ended(task)
    await until(lambda: len(claimer.running) == 1)
    draining = asyncio.create_task(claimer.running.drain(grace_s=QUICK.grace_s, stop_s=QUICK.stop_s))
    await finished(world, until, claimer)
    await draining


BROKEN = [ConnectionResetError("closed"), ProviderRejected("gone"), StorageUnavailable("away")]


@pytest.fixture(params=["run", "poll", "stream"])
def clumsy(world, request):
    """The model whose engine is at work for ever, and how to see that it is."""
    studio, painter = world.studio, world.painter
    match request.param:
        case "run":
            painter.hold = asyncio.Event()
            return "art/painter", lambda: painter.runs
        case "poll":
            studio.hanging_polls = 1
            return "art/studio", lambda: not studio.hanging_polls
        case _:
            studio.hanging_streams = 1
            return "art/studio", lambda: not studio.hanging_streams


@pytest.fixture(params=BROKEN, ids=lambda error: type(error).__name__)
async def at_work(world, until, clumsy, request):
    """A task, and who runs it with an engine that raises this in place of being cut off."""
    model, is_at_work = clumsy
    world.studio.clumsy = world.painter.clumsy = request.param
    task = await world.submit(model)
    worker = alive(world, "clumsy")
    claimer = Claimer(world.services, QUICK, worker, Loops())
    claimer.running.start(await claimed(world, worker))
    await until(is_at_work)
    return task, claimer


async def test_an_attempt_that_is_abandoned_ends_and_writes_nothing_whatever_its_engine_raises(world, at_work):
    task, claimer = at_work
    async with asyncio.timeout(5):
        await claimer.running.abandon()
    assert not len(claimer.running)
    assert (await world.services.store.get(task.id)).status is TaskStatus.RUNNING


async def test_a_task_that_is_canceled_is_no_failure_whatever_its_engine_raises(world, at_work):
    task, claimer = at_work
    await world.services.store.cancel(task.id)
    claimer.running.interrupt_task(task.id, Interruption.CANCELED)
    ended = await world.ended(task)
    assert (ended.status, ended.warnings) == (TaskStatus.CANCELED, ())


async def test_a_task_that_is_given_back_is_whole_whatever_its_engine_raises(world, until, at_work):
    task, claimer = at_work
    claimer.running.interrupt_task(task.id, Interruption.RELEASED)
    await until(lambda: not len(claimer.running))
    given_back = await world.services.store.get(task.id)
    assert (given_back.status, given_back.failures) == (TaskStatus.QUEUED, 0)


async def test_a_run_that_ends_as_cancelled_by_nobody_is_told(world, until, caplog):
    worker, loops = alive(world, "w"), Loops()
    world.painter.errors = [asyncio.CancelledError()]
    await world.submit("art/painter")
    claimer = Claimer(world.services, QUICK, worker, loops)
    claimer.running.start(await claimed(world, worker))
    await until(lambda: not len(claimer.running))
    assert loops.failures == {"a run that nobody has cancelled": 1}
