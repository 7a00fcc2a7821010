"""One attempt at a task, with a real worker around it."""

import asyncio
import time
from dataclasses import asdict, replace

import pytest

from genpulse.domain.attempt import AttemptStatus, Worker
from genpulse.domain.errors import (
    ModerationBlocked,
    ProviderRejected,
    ProviderUnavailable,
    RateLimited,
)
from genpulse.domain.failure import Charged, FailureCode
from genpulse.domain.retry import RetryPolicy
from genpulse.domain.task import TaskStatus, WaitsFor
from genpulse.lifecycle.attempt.attempt_run import AttemptRun
from genpulse.lifecycle.attempt.run import run_attempt
from genpulse.lifecycle.cancel import cancel
from genpulse.lifecycle.retry import retry
from genpulse.provider import Progress
from tests.lifecycle.conftest import QUICK
from tests.queues import depth_of


async def attempts(world, task):
    return [attempt.status for attempt in await world.services.store.attempts(task.id)]


@pytest.mark.parametrize("model", ["art/painter", "art/studio"])
async def test_a_task_succeeds_and_its_output_is_stored(world, model):
    async with world.worker():
        ended = await world.ended(await world.submit(model))
    assert ended.status is TaskStatus.SUCCEEDED
    assert ended.progress == 1.0
    assert ended.started_at <= ended.finished_at
    (asset,) = ended.outputs
    assert await world.content(asset) in {b"a fox", b"made by job-1"}
    assert (await world.services.store.asset(asset.id)) == asset
    assert asset.task_id == ended.id
    assert await attempts(world, ended) == [AttemptStatus.SUCCEEDED]
    assert await depth_of(world.services.queue) == 0


@pytest.mark.parametrize(
    ("model", "kind", "came_to"),
    [
        ("art/painter", None, ("done_ms", "collected_ms", "stored_ms")),
        ("art/shop", "text-to-image", ("done_ms", "collected_ms", "stored_ms")),
        (
            "art/studio",
            None,
            ("taken_ms", "first_polled_ms", "last_polled_ms", "done_ms", "collected_ms", "stored_ms"),
        ),
    ],
)
async def test_it_is_kept_when_an_attempt_came_how_far(world, model, kind, came_to):
    async with world.worker():
        ended = await world.ended(await world.submit(model, kind=kind))
    assert ended.status is TaskStatus.SUCCEEDED
    (attempt,) = await world.services.store.attempts(ended.id)
    times = asdict(attempt.times)
    assert (times.pop("polls") > 0) is (model == "art/studio")
    known = {name: after_ms for name, after_ms in times.items() if after_ms is not None}
    assert tuple(known) == came_to
    assert list(known.values()) == sorted(known.values())


async def test_an_attempt_that_broke_off_tells_how_far_it_came(world):
    world.studio.poll_errors = [ProviderUnavailable("502")]
    world.studio.failures = [Progress(failed=ModerationBlocked("not this"))]
    async with world.worker():
        ended = await world.ended(await world.submit("art/studio"))
    (attempt,) = await world.services.store.attempts(ended.id)
    times = attempt.times
    assert (times.polls, times.first_polled_ms, times.done_ms) == (1, times.last_polled_ms, None)
    assert times.taken_ms <= times.last_polled_ms


async def test_an_outage_of_the_provider_is_tried_again(world):
    world.painter.errors = [ProviderUnavailable("down"), RateLimited("slow down", retry_after_s=0.01)]
    async with world.worker():
        ended = await world.ended(await world.submit("art/painter"))
    assert ended.status is TaskStatus.SUCCEEDED
    assert await attempts(world, ended) == [
        AttemptStatus.FAILED,
        AttemptStatus.FAILED,
        AttemptStatus.SUCCEEDED,
    ]


async def test_attempts_come_to_an_end(world):
    world.painter.errors = [ProviderUnavailable("down") for _ in range(9)]
    async with world.worker():
        ended = await world.ended(await world.submit("art/painter"))
    assert ended.status is TaskStatus.FAILED
    assert ended.error.code is FailureCode.PROVIDER_UNAVAILABLE
    assert world.painter.runs == 3


@pytest.mark.parametrize("model", ["art/painter", "art/shop"])
async def test_moderation_ends_at_once(world, model):
    world.painter.errors = [ModerationBlocked("not this")]
    world.shop.errors = [ModerationBlocked("not this")]
    async with world.worker():
        ended = await world.ended(await world.submit(model, kind="text-to-image"))
    assert ended.error.code is FailureCode.MODERATION_BLOCKED
    assert len(await attempts(world, ended)) == 1


async def test_a_failed_task_runs_again_when_somebody_asks(world):
    world.painter.errors = [ProviderRejected("no")]
    async with world.worker():
        failed = await world.ended(await world.submit("art/painter"))
        queued = await retry(world.services, failed.id)
        assert queued.status is TaskStatus.QUEUED
        assert queued.error is None
        ended = await world.ended(queued)
    assert ended.status is TaskStatus.SUCCEEDED
    assert ended.seq > failed.seq


async def test_an_answer_that_got_lost_is_an_unknown_outcome_and_is_not_asked_for_again(world):
    world.shop.errors = [ConnectionResetError("peer went away")]
    async with world.worker():
        ended = await world.ended(await world.submit("art/shop", kind="text-to-image"))
    assert ended.error.code is FailureCode.UNKNOWN_OUTCOME
    assert ended.error.charged is Charged.MAYBE
    assert "peer went away" in ended.error.message
    assert world.shop.sold == 1


async def test_a_bug_in_a_plug_in_fails_the_task_and_not_the_worker(world):
    world.painter.errors = [KeyError("oops")]
    async with world.worker():
        failed = await world.ended(await world.submit("art/painter"))
        assert failed.error.code is FailureCode.INTERNAL
        assert (await world.ended(await world.submit("art/painter"))).status is TaskStatus.SUCCEEDED


@pytest.mark.parametrize("returned", ["a sketch", b"bytes", ("a sketch",), {"outputs": []}, 5, [], ...])
@pytest.mark.parametrize("model", ["art/painter", "art/shop"])
async def test_an_engine_that_returns_no_result_is_told_what_it_has_to_return(world, caplog, model, returned):
    world.painter.mistaken = world.shop.mistaken = returned
    async with world.worker():
        failed = await world.ended(await world.submit(model, kind="text-to-image" if "shop" in model else None))
    is_paid = model == "art/shop"
    assert failed.error.code is (FailureCode.UNKNOWN_OUTCOME if is_paid else FailureCode.INTERNAL)
    words = f"the engine of {model} has to return a Result, and returned {type(returned).__name__}: {returned!r}"
    assert words in caplog.text


async def test_a_vendor_that_cannot_be_asked_keeps_its_job(world):
    world.studio.poll_errors = [ProviderUnavailable("502"), RateLimited("429", retry_after_s=0.01)]
    async with world.worker():
        ended = await world.ended(await world.submit("art/studio"))
    assert ended.status is TaskStatus.SUCCEEDED
    assert world.studio.submits == 1


async def test_a_job_that_failed_for_a_passing_reason_is_submitted_again(world):
    world.studio.failures = [Progress(failed=ProviderUnavailable("the vendor's node died"))]
    async with world.worker():
        ended = await world.ended(await world.submit("art/studio"))
    assert ended.status is TaskStatus.SUCCEEDED
    assert world.studio.submits == 2


async def test_a_submit_whose_answer_got_lost_is_looked_up_and_not_sent_again(world):
    world.studio.submit_errors = [TimeoutError()]
    async with world.worker():
        ended = await world.ended(await world.submit("art/studio"))
    assert ended.status is TaskStatus.SUCCEEDED
    assert world.studio.submits == 1
    (attempt,) = await world.services.store.attempts(ended.id)
    assert attempt.job_id == "job-1"


async def test_a_lost_submit_that_the_vendor_does_not_know_is_sent_again(world):
    world.studio.submit_errors = [TimeoutError()]
    world.studio.forgets = True
    async with world.worker():
        ended = await world.ended(await world.submit("art/studio"))
    assert ended.status is TaskStatus.SUCCEEDED
    assert world.studio.submits == 2
    first, second = await world.services.store.attempts(ended.id)
    assert first.error.code is FailureCode.PROVIDER_UNAVAILABLE
    assert first.error.charged is Charged.NO
    assert second.job_id == "job-2"


async def test_a_submit_that_hangs_is_an_unknown_outcome_where_nothing_can_be_looked_up(world):
    world.shop.hold = asyncio.Event()
    world.shop.answer_s = 0.05
    async with world.worker():
        ended = await world.ended(await world.submit("art/shop", kind="text-to-image"))
    assert ended.error.code is FailureCode.UNKNOWN_OUTCOME
    assert world.shop.sold == 1


async def test_an_unknown_outcome_is_submitted_again_where_the_operator_wants_that(world):
    world.shop.errors = [ConnectionResetError("peer went away")]
    world.services = replace(world.services, retry=replace(world.services.retry, resubmits=frozenset({"art"})))
    async with world.worker():
        ended = await world.ended(await world.submit("art/shop", kind="text-to-image"))
    assert ended.status is TaskStatus.SUCCEEDED
    assert world.shop.sold == 2
    first, _ = await world.services.store.attempts(ended.id)
    assert first.error.code is FailureCode.UNKNOWN_OUTCOME
    assert first.error.charged is Charged.MAYBE


async def test_a_poll_that_hangs_is_made_again(world):
    world.studio.answer_s = 0.05
    world.studio.hanging_polls = 2
    async with world.worker():
        ended = await world.ended(await world.submit("art/studio"))
    assert ended.status is TaskStatus.SUCCEEDED
    assert world.studio.submits == 1


async def test_a_job_that_never_ends_is_given_up_and_stopped_and_not_submitted_again(world):
    world.studio.finished = False
    world.studio.longest_s = 0.1
    async with world.worker():
        ended = await world.ended(await world.submit("art/studio"))
    assert ended.error.code is FailureCode.TIMEOUT
    assert ended.error.charged is Charged.MAYBE
    assert world.studio.submits == 1
    assert world.studio.canceled == ["job-1"]


async def test_an_output_that_breaks_off_is_fetched_again(world):
    world.studio.broken_streams = 2
    async with world.worker():
        ended = await world.ended(await world.submit("art/studio"))
    assert await world.content(ended.outputs[0]) == b"made by job-1"
    assert world.studio.submits == 1


async def test_an_output_that_is_too_large_is_not_kept(world):
    world.services = replace(world.services, output_limit_bytes=5)
    async with world.worker():
        streamed = await world.ended(await world.submit("art/studio"))
        whole = await world.ended(await world.submit("art/painter", input={"prompt": "longer than five"}))
    for ended in (streamed, whole):
        assert ended.error.code is FailureCode.OUTPUT_UNAVAILABLE
        assert "5 bytes" in ended.error.message
    assert world.studio.submits == 1


async def test_a_running_task_is_canceled_and_so_is_its_job(world, until):
    world.studio.finished = False
    async with world.worker():
        task = await world.submit("art/studio")
        await until(lambda: world.studio.submits == 1)
        await cancel(world.services, task.id)
        ended = await world.ended(task)
    assert ended.status is TaskStatus.CANCELED
    assert world.studio.canceled == ["job-1"]
    assert await attempts(world, task) == [AttemptStatus.CANCELED]


async def test_a_cancel_in_the_middle_of_a_submit_waits_for_the_job_and_stops_it(world, until):
    world.studio.hold_submit, world.studio.finished = asyncio.Event(), False
    async with world.worker():
        task = await world.submit("art/studio")
        await until(lambda: world.studio.submits == 1)
        await cancel(world.services, task.id)
        await asyncio.sleep(0.05)
        world.studio.hold_submit.set()
        ended = await world.ended(task)
    assert ended.status is TaskStatus.CANCELED
    assert world.studio.canceled == ["job-1"]
    (attempt,) = await world.services.store.attempts(task.id)
    assert attempt.job_id == "job-1"


async def test_a_queued_task_is_canceled_at_once_and_never_runs(world):
    task = await world.submit("art/painter")
    assert (await cancel(world.services, task.id)).status is TaskStatus.CANCELED
    async with world.worker():
        await world.ended(await world.submit("art/painter"))
    assert world.painter.runs == 1


async def test_an_ended_task_stays_as_it_is_when_it_is_canceled(world):
    async with world.worker():
        ended = await world.ended(await world.submit("art/painter"))
    assert await cancel(world.services, ended.id) == ended


@pytest.mark.parametrize(
    ("model", "kind"),
    [("art/painter", "text-to-image"), ("art/shop", "text-to-image"), ("art/studio", "text-to-video")],
)
async def test_nothing_is_ordered_for_a_task_whose_deadline_passed_while_it_waited(world, model, kind):
    """A worker may claim it before anybody has swept it away."""
    task = await world.submit(model, kind=kind, deadline_s=0.05)
    await asyncio.sleep(0.1)
    await run_attempt(AttemptRun(world.services, await world.begun()))
    ended = await world.services.store.get(task.id)
    assert (ended.error.code, ended.error.charged) == (FailureCode.DEADLINE_EXCEEDED, Charged.NO)
    assert (world.painter.runs, world.shop.sold, world.studio.submits) == (0, 0, 0)


async def test_a_deadline_stops_what_runs(world):
    world.painter.hold = asyncio.Event()
    async with world.worker():
        ended = await world.ended(await world.submit("art/painter", deadline_s=0.2))
    assert ended.error.code is FailureCode.DEADLINE_EXCEEDED


async def test_a_worker_that_stops_gives_its_tasks_back(world, until):
    world.painter.hold = asyncio.Event()
    async with world.worker():
        task = await world.submit("art/painter")
        await until(lambda: world.painter.runs == 1)
    released = await world.services.store.get(task.id)
    assert released.status is TaskStatus.QUEUED
    world.painter.hold.set()
    async with world.worker():
        assert (await world.ended(task)).status is TaskStatus.SUCCEEDED
    assert await attempts(world, task) == [AttemptStatus.RELEASED, AttemptStatus.SUCCEEDED]


async def test_a_job_given_back_is_resumed_and_not_submitted_again(world, until):
    world.studio.finished = False
    async with world.worker():
        task = await world.submit("art/studio")
        await until(lambda: world.studio.submits == 1)
        await asyncio.sleep(0.05)
    assert world.studio.canceled == []
    world.studio.finished = True
    async with world.worker():
        ended = await world.ended(task)
    assert await world.content(ended.outputs[0]) == b"made by job-1"
    assert world.studio.submits == 1


async def test_a_lost_worker_is_succeeded_and_cannot_write_any_more(world, until):
    """The first worker holds the task and is dead to the queue: nobody renews its claim."""
    world.painter.hold = asyncio.Event()
    task = await world.submit("art/painter")
    begun = await world.begun()
    world.painter.hold.set()
    async with world.worker():
        ended = await world.ended(task)
    assert ended.status is TaskStatus.SUCCEEDED
    assert await attempts(world, task) == [AttemptStatus.ABANDONED, AttemptStatus.SUCCEEDED]
    assert begun.attempt.number == 1


async def test_a_paid_request_of_a_lost_worker_is_not_sent_again(world):
    task = await world.submit("art/shop", kind="text-to-image")
    begun = await world.begun()
    await world.services.store.journal_order(begun.lease)
    async with world.worker():
        ended = await world.ended(task)
    assert ended.error.code is FailureCode.UNKNOWN_OUTCOME
    assert world.shop.sold == 0


async def test_a_job_of_a_lost_worker_is_found_by_its_reference(world):
    task = await world.submit("art/studio")
    begun = await world.begun()
    await world.services.store.journal_order(begun.lease)
    world.studio.jobs[begun.attempt.client_reference] = "job-of-the-lost"
    async with world.worker():
        ended = await world.ended(task)
    assert await world.content(ended.outputs[0]) == b"made by job-of-the-lost"
    assert world.studio.submits == 0


async def test_a_task_of_another_environment_is_not_run(world):
    foreign = replace(world.services.environment, name="test")
    services = replace(world.services, environment=foreign)
    task = await world.submit("art/painter")
    async with replace(world, services=services).worker():
        ended = await world.ended(task)
    assert ended.error.code is FailureCode.FOREIGN_ENVIRONMENT
    assert world.painter.runs == 0


async def test_a_job_that_is_known_is_given_back_at_once_when_a_worker_stops(world, until):
    world.studio.finished = False
    began = time.monotonic()
    async with world.worker(replace(QUICK, grace_s=600, stop_s=600)):
        task = await world.submit("art/studio")
        await until(lambda: world.studio.submits == 1)
        await asyncio.sleep(0.05)
    assert time.monotonic() - began < 100
    released = await world.services.store.get(task.id)
    assert (released.status, released.order.job_id) == (TaskStatus.QUEUED, "job-1")


async def test_a_request_that_was_sent_is_awaited_when_a_worker_stops(world, until):
    world.shop.hold = asyncio.Event()
    async with world.worker(replace(QUICK, grace_s=0, stop_s=30)) as stop:
        task = await world.submit("art/shop", kind="text-to-image")
        await until(lambda: world.shop.sold == 1)
        stop.set()
        await asyncio.sleep(0.3)
        world.shop.hold.set()
        ended = await world.ended(task)
    assert ended.status is TaskStatus.SUCCEEDED
    assert world.shop.sold == 1


async def test_what_is_not_answered_within_the_time_of_a_stop_is_named(world, until, caplog):
    world.shop.hold = asyncio.Event()
    async with world.worker(replace(QUICK, grace_s=0, stop_s=0)):
        task = await world.submit("art/shop", kind="text-to-image")
        await until(lambda: world.shop.sold == 1)
    assert f"task {task.id} is not done within worker.stop_s" in caplog.text
    async with world.worker():
        ended = await world.ended(task)
    assert ended.error.code is FailureCode.UNKNOWN_OUTCOME
    assert world.shop.sold == 1


async def test_a_request_that_was_sent_and_is_canceled_is_awaited_and_its_output_kept(world, until):
    world.shop.hold = asyncio.Event()
    async with world.worker():
        task = await world.submit("art/shop", kind="text-to-image")
        await until(lambda: world.shop.sold == 1)
        assert (await cancel(world.services, task.id)).cancel_requested
        await asyncio.sleep(0.05)
        assert (await world.services.store.get(task.id)).status is TaskStatus.RUNNING
        world.shop.hold.set()
        ended = await world.ended(task)
    assert ended.status is TaskStatus.SUCCEEDED
    assert await world.content(ended.outputs[0]) == b"sold"


async def test_a_canceled_job_that_waits_for_a_worker_is_stopped_at_the_vendor(world, until):
    world.studio.finished = False
    async with world.worker():
        task = await world.submit("art/studio")
        await until(lambda: world.studio.submits == 1)
        await asyncio.sleep(0.05)
    wished = await cancel(world.services, task.id)
    assert (wished.status, wished.cancel_requested) == (TaskStatus.QUEUED, True)
    async with world.worker():
        ended = await world.ended(task)
    assert (ended.status, ended.order) == (TaskStatus.CANCELED, None)
    assert world.studio.canceled == ["job-1"]
    assert world.studio.submits == 1


async def test_a_job_whose_deadline_passes_while_it_waits_for_a_worker_is_stopped_at_the_vendor(world, until):
    world.studio.finished = False
    async with world.worker():
        task = await world.submit("art/studio", deadline_s=3600)
        await until(lambda: world.studio.submits == 1)
        await asyncio.sleep(0.05)
    await world.next_day()
    assert await world.services.store.expire() == ()
    async with world.worker():
        ended = await world.ended(task)
    assert ended.error.code is FailureCode.DEADLINE_EXCEEDED
    assert ended.error.charged is Charged.MAYBE
    assert world.studio.canceled == ["job-1"]


async def test_an_order_of_a_lost_worker_is_looked_up_and_stopped_when_it_is_canceled(world):
    task = await world.submit("art/studio")
    begun = await world.begun()
    await world.services.store.journal_order(begun.lease)
    world.studio.jobs[begun.attempt.client_reference] = "job-of-the-lost"
    await cancel(world.services, task.id)
    async with world.worker():
        ended = await world.ended(task)
    assert ended.status is TaskStatus.CANCELED
    assert world.studio.canceled == ["job-of-the-lost"]
    assert world.studio.submits == 0


async def test_orderly_stops_are_no_failures(world, until):
    world.painter.hold = asyncio.Event()
    for number in range(1, 6):
        async with world.worker(replace(QUICK, grace_s=0)):
            if number == 1:
                task = await world.submit("art/painter")
            await until(lambda number=number: world.painter.runs == number)
    world.painter.hold.set()
    world.painter.errors = [ProviderUnavailable("503")]
    async with world.worker():
        ended = await world.ended(task)
    assert (ended.status, ended.attempt, ended.failures) == (TaskStatus.SUCCEEDED, 7, 1)


async def test_a_task_that_is_retried_by_hand_has_all_its_retries(world):
    world.painter.errors = [ProviderRejected("no"), ProviderUnavailable("503"), ProviderUnavailable("503")]
    async with world.worker():
        failed = await world.ended(await world.submit("art/painter"))
        ended = await world.ended(await retry(world.services, failed.id))
    assert ended.status is TaskStatus.SUCCEEDED


async def test_a_task_that_has_lost_three_workers_in_a_row_is_not_run_by_a_fourth(world):
    task = await world.submit("art/painter")
    await world.begun()
    for number in range(2):
        await taken_over(world, f"lost too {number}")
    async with world.worker():
        ended = await world.ended(task)
    assert ended.error.code is FailureCode.WORKER_LOST
    assert ended.error.charged is Charged.NO
    assert world.painter.runs == 0
    assert await attempts(world, task) == [*[AttemptStatus.ABANDONED] * 3, AttemptStatus.FAILED]
    async with world.worker():
        assert (await world.ended(await retry(world.services, task.id))).status is TaskStatus.SUCCEEDED


async def taken_over(world, name):
    services, worker = world.services, Worker(world.services.new_id(), name, QUICK.lease_s)
    async with asyncio.timeout(60):
        while True:
            await services.store.renew(worker, services.now())
            if taken := await services.store.take_over(worker, ["art"], [services.new_id()]):
                return taken[0]
            await asyncio.sleep(QUICK.lease_s / 6)


async def lost_three_times(world):
    """A task with a job that is known, whose three workers are lost."""
    task = await world.submit("art/studio")
    begun = await world.begun()
    await world.services.store.journal_order(begun.lease)
    await world.services.store.journal_job(begun.lease, "job-9")
    for number in range(2):
        await taken_over(world, f"lost too {number}")
    return task


async def test_a_job_of_a_task_that_has_lost_three_workers_is_taken_up_after_a_pause(world):
    task = await lost_three_times(world)
    async with world.worker():
        ended = await world.ended(task)
    assert await world.content(ended.outputs[0]) == b"made by job-9"
    assert world.studio.submits == 0
    *_, last, won = await world.services.store.attempts(task.id)
    assert (last.error.code, last.error.charged) == (FailureCode.WORKER_LOST, Charged.MAYBE)
    assert won.status is AttemptStatus.SUCCEEDED


async def test_a_job_whose_task_goes_on_losing_workers_is_left_to_a_retry_by_hand(world):
    world.services = replace(world.services, retry=RetryPolicy(max_attempts=1))
    task = await lost_three_times(world)
    async with world.worker():
        failed = await world.ended(task)
        assert (failed.error.code, failed.error.charged) == (FailureCode.WORKER_LOST, Charged.MAYBE)
        ended = await world.ended(await retry(world.services, task.id))
    assert await world.content(ended.outputs[0]) == b"made by job-9"
    assert world.studio.submits == 0


async def test_an_overdue_job_is_asked_for_and_not_ordered_again_by_a_retry(world):
    world.studio.finished, world.studio.longest_s, world.studio.can_cancel = False, 0.1, False
    async with world.worker():
        failed = await world.ended(await world.submit("art/studio"))
        assert failed.error.code is FailureCode.TIMEOUT
        world.studio.finished = True
        ended = await world.ended(await retry(world.services, failed.id))
    assert ended.status is TaskStatus.SUCCEEDED
    assert world.studio.submits == 1


async def test_a_vendor_that_answers_questions_with_nonsense_keeps_its_job(world):
    world.studio.poll_errors = [KeyError("state"), ValueError("not JSON"), RecursionError()]
    async with world.worker():
        ended = await world.ended(await world.submit("art/studio"))
    assert ended.status is TaskStatus.SUCCEEDED
    assert world.studio.submits == 1


async def test_a_task_says_what_it_waits_for(world, until):
    world.studio.poll_errors = [ProviderUnavailable("the vendor is away") for _ in range(200)]
    async with world.worker():
        task = await world.submit("art/studio")
        async with asyncio.timeout(60):
            while (waiting := await world.services.store.get(task.id)).waiting_for is None:
                await asyncio.sleep(0.005)
        assert waiting.waiting_for is WaitsFor.PROVIDER
        assert waiting.last_error.message == "the vendor is away"
        world.studio.poll_errors.clear()
        ended = await world.ended(task)
    assert (ended.status, ended.waiting_for) == (TaskStatus.SUCCEEDED, None)
