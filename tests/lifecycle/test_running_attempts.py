"""What a worker does with the attempts that it runs, without the background jobs around it."""

import asyncio
from contextlib import suppress
from dataclasses import replace

import pytest

from genpulse.background.contained_tasks import NOBODY, ContainedTasks
from genpulse.background.loops import Loops
from genpulse.domain.attempt import End, HeldLease, Released, Worker
from genpulse.domain.errors import DatabaseUnavailable, ProviderRejected, StorageUnavailable
from genpulse.domain.failure import FailureCode
from genpulse.domain.task import TaskStatus
from genpulse.domain.warning import WarningCode
from genpulse.lifecycle.attempt.interruption import Interruption
from genpulse.provider import Output, Result
from genpulse.worker.claiming import Claimer
from genpulse.worker.running_attempts import SETTLE_S
from tests.lifecycle.conftest import MEDIUM, QUICK


def alive(world, name):
    """A worker whose lease does not run out between two lines of a test."""
    return Worker(world.services.new_id(), name, lease_s=60.0)


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


CARELESS = "careless"
BROKEN = [ConnectionResetError("closed"), ProviderRejected("gone"), StorageUnavailable("away"), CARELESS]
"""What is raised in place of the cancellation; the last one tries two things at once, of which one fails."""


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


@pytest.fixture(params=BROKEN, ids=lambda error: error if error == CARELESS else type(error).__name__)
async def at_work(world, until, clumsy, request):
    """A task, and who runs it with an engine that raises this in place of being cut off."""
    model, is_at_work = clumsy
    if request.param == CARELESS:
        world.studio.careless = world.painter.careless = True
    else:
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


@pytest.fixture
def claimer(world):
    return Claimer(world.services, QUICK, alive(world, "w"), Loops())


async def run_one(world, until, claimer, model, **changes):
    task = await world.submit(model, **changes)
    claimer.running.start(await claimed(world, claimer._worker))
    await until(lambda: not len(claimer.running))
    return await world.services.store.get(task.id)


@pytest.mark.parametrize("model", ["art/studio", "art/painter"])
async def test_a_worker_with_nothing_to_keep_stops_although_the_database_is_away(
    world, until, claimer, caplog, model
):
    world.studio.finished, world.painter.hold = False, asyncio.Event()
    task = await world.submit(model)
    claimer.running.start(await claimed(world, claimer._worker))
    await until(lambda: world.studio.submits + world.painter.runs == 1)
    world.services.store.finish = away
    async with asyncio.timeout(60):
        await claimer.running.drain(grace_s=0.1, stop_s=900)
        await claimer.running.abandon()
    assert f"task {task.id} goes to another worker when the lease of this one has run out" in caplog.text
    assert (await world.services.store.get(task.id)).status is TaskStatus.RUNNING


async def test_a_paid_answer_is_kept_for_although_the_database_is_away(world, until, claimer):
    finish = world.services.store.finish
    task = await world.submit("art/shop", kind="text-to-image")
    claimer.running.start(await claimed(world, claimer._worker))
    world.services.store.finish = away
    await until(lambda: world.shop.sold == 1)
    draining = asyncio.create_task(claimer.running.drain(grace_s=0.1, stop_s=900))
    await asyncio.sleep(SETTLE_S + 1)
    world.services.store.finish = finish
    await draining
    assert (await world.services.store.get(task.id)).status is TaskStatus.SUCCEEDED


async def away(*_):
    raise DatabaseUnavailable("away")


async def test_a_run_that_ends_as_cancelled_by_nobody_fails_as_a_mistake(world, until, claimer, caplog):
    world.painter.errors = [asyncio.CancelledError()]
    failed = await run_one(world, until, claimer, "art/painter")
    assert (failed.status, failed.error.code) == (TaskStatus.FAILED, FailureCode.INTERNAL)
    assert NOBODY in caplog.text


async def test_an_engine_whose_own_time_out_is_lost_in_a_group_fails_and_is_not_run_for_ever(
    world, until, claimer
):
    world.painter.careless = world.painter.impatient = True
    failed = await run_one(world, until, claimer, "art/painter")
    assert (failed.status, failed.error.code, world.painter.runs) == (TaskStatus.FAILED, FailureCode.INTERNAL, 1)


async def test_a_request_whose_time_out_is_lost_in_a_group_has_an_unknown_outcome(world, until, claimer):
    world.shop.careless, world.shop.hold, world.shop.answer_s = True, asyncio.Event(), 0.1
    failed = await run_one(world, until, claimer, "art/shop", kind="text-to-image")
    assert (failed.status, failed.error.code) == (TaskStatus.FAILED, FailureCode.UNKNOWN_OUTCOME)
    assert "its answer got lost" in failed.error.message
    assert world.shop.sold == 1


async def test_a_stream_that_ends_as_cancelled_is_missing_and_its_neighbours_are_kept(world, until):
    async def cancelled():
        yield b"begun"
        raise asyncio.CancelledError

    async def collect(job):
        return Result((Output(MEDIUM + b"one"), Output(cancelled()), Output(MEDIUM + b"three")))

    world.studio.collect = collect
    world.services = replace(world.services, bounds=replace(world.services.bounds, unusable_s=0.2))
    ended = await run_one(world, until, Claimer(world.services, QUICK, alive(world, "w"), Loops()), "art/studio")
    assert (ended.status, len(ended.outputs)) == (TaskStatus.SUCCEEDED, 2)
    assert [warning.code for warning in ended.warnings] == [WarningCode.OUTPUT_MISSING]


async def test_what_runs_is_given_up_in_the_moment_in_which_the_worker_is_cancelled(world, until, claimer):
    world.painter.hold = asyncio.Event()
    task = await world.submit("art/painter")
    claiming = asyncio.create_task(claimer.claim_until(asyncio.Event()))
    await world.services.store.renew(claimer._worker, world.services.now())
    await until(lambda: world.painter.runs == 1)
    for one in (*claimer.running._tasks.values(), claiming):
        one.cancel()
    with pytest.raises(asyncio.CancelledError):
        await claiming
    await claimer.running.abandon()
    assert (await world.services.store.get(task.id)).status is TaskStatus.RUNNING


async def test_polls_whose_time_outs_are_lost_in_a_group_are_asked_again(world, until, claimer):
    world.studio.careless, world.studio.hanging_polls, world.studio.answer_s = True, 3, 0.1
    world.studio.poll_errors = [asyncio.CancelledError()]
    assert (await run_one(world, until, claimer, "art/studio")).status is TaskStatus.SUCCEEDED
    assert world.studio.submits == 1


@pytest.mark.parametrize("careless", [True, False])
async def test_a_task_is_canceled_though_its_vendor_hangs_when_it_is_told_to_stop(world, until, careless):
    world.services = replace(world.services, bounds=replace(world.services.bounds, stop_s=0.1))
    world.studio.careless, world.studio.hanging_cancels, world.studio.finished = careless, 1, False
    claimer = Claimer(world.services, QUICK, alive(world, "w"), Loops())
    task = await world.submit("art/studio")
    claimer.running.start(await claimed(world, claimer._worker))
    await until(lambda: world.studio.submits == 1)
    await world.services.store.cancel(task.id)
    claimer.running.interrupt_task(task.id, Interruption.CANCELED)
    assert (await world.ended(task)).status is TaskStatus.CANCELED
    assert world.studio.canceled == ["job-1"]


@pytest.mark.parametrize("error", BROKEN[:-1], ids=lambda error: type(error).__name__)
async def test_nothing_more_is_fetched_of_a_collection_that_takes_too_long(world, until, claimer, error):
    """The time-out is lost in its first stream, which raises in place of being cut off."""
    world.studio.hanging_streams, world.studio.collect_s, world.studio.clumsy = 1, 1.0, error
    assert (await run_one(world, until, claimer, "art/studio")).status is TaskStatus.SUCCEEDED
    assert world.studio.streamed == 2


class Panic(BaseException):
    """As bindings to Rust raise it."""


async def test_an_engine_that_panics_fails_its_task_and_is_not_run_for_ever(world, until, claimer, caplog):
    world.painter.errors = [Panic("at the lock")]
    failed = await run_one(world, until, claimer, "art/painter")
    assert (failed.status, failed.error.code, world.painter.runs) == (TaskStatus.FAILED, FailureCode.INTERNAL, 1)
    assert "RuntimeError: Panic: at the lock" in caplog.text
    assert "raise self.errors.pop(0)" in caplog.text, "the line that raised it"


@pytest.mark.parametrize("error", [SystemExit(2), GeneratorExit()])
async def test_an_engine_that_would_end_its_process_fails_its_task(world, until, claimer, error):
    """As a library does whose command is called from Python."""
    world.painter.errors = [error]
    failed = await run_one(world, until, claimer, "art/painter")
    assert (failed.status, failed.error.code, world.painter.runs) == (TaskStatus.FAILED, FailureCode.INTERNAL, 1)


@pytest.mark.parametrize("error", [Panic("at the lock"), SystemExit(2), GeneratorExit()])
async def test_a_poll_that_panics_is_asked_again(world, until, claimer, error):
    world.studio.poll_errors = [error]
    assert (await run_one(world, until, claimer, "art/studio")).status is TaskStatus.SUCCEEDED
    assert world.studio.submits == 1


@pytest.mark.parametrize("method", ["poll", "collect", "submit", "cancel"])
async def test_a_call_in_which_a_group_is_deaf_is_left_behind(world, until, method):
    """One of the group has lost its cancellation, and asyncio passes no other one on."""
    deaf, plain = asyncio.Event(), getattr(world.studio, method)
    world.studio.answer_s = world.studio.collect_s = 0.2
    world.services = replace(
        world.services,
        bounds=replace(world.services.bounds, stop_s=0.2),
        contained_tasks=ContainedTasks(again_s=0.05),
    )

    async def goes_on(_):
        while not deaf.is_set():
            with suppress(asyncio.CancelledError):
                await deaf.wait()

    async def once(subject):
        setattr(world.studio, method, plain)
        if method == "submit":
            await plain(subject)
        async with asyncio.TaskGroup() as group:
            group.create_task(goes_on(subject))

    setattr(world.studio, method, once)
    claimer = Claimer(world.services, QUICK, alive(world, "w"), Loops())
    if method == "cancel":
        world.studio.finished = False
        task = await world.submit("art/studio")
        claimer.running.start(await claimed(world, claimer._worker))
        await until(lambda: world.studio.submits == 1)
        await world.services.store.cancel(task.id)
        claimer.running.interrupt_task(task.id, Interruption.CANCELED)
        assert (await world.ended(task)).status is TaskStatus.CANCELED
    else:
        assert (await run_one(world, until, claimer, "art/studio")).status is TaskStatus.SUCCEEDED
    assert world.studio.submits == 1
    (left,) = world.services.contained_tasks.left
    deaf.set()
    await asyncio.wait({left})


async def test_a_cancellation_that_a_stream_has_left_drops_no_output_that_is_paid_for(world, until, claimer):
    async def strays():
        asyncio.get_running_loop().call_later(0.05, asyncio.current_task().cancel)
        raise ConnectionResetError("closed")
        yield b""

    class Again:
        def __aiter__(self):
            return strays()

    world.shop.mistaken = Result((Output(MEDIUM + b"one"), Output(Again()), Output(MEDIUM + b"three")))
    ended = await run_one(world, until, claimer, "art/shop", kind="text-to-image")
    assert (ended.status, len(ended.outputs)) == (TaskStatus.SUCCEEDED, 2)
    assert [warning.code for warning in ended.warnings] == [WarningCode.OUTPUT_MISSING]
