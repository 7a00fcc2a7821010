"""One attempt at a task, with a real worker around it."""

import asyncio
import time
from dataclasses import replace

import pytest

from genpulse.domain.attempt import AttemptStatus, Claim
from genpulse.domain.errors import (
    ModerationBlocked,
    ProviderRejected,
    ProviderUnavailable,
    RateLimited,
)
from genpulse.domain.failure import Charged, FailureCode
from genpulse.domain.task import TaskStatus
from genpulse.lifecycle.cancel import cancel
from genpulse.lifecycle.retry import retry
from genpulse.provider import Progress


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
    assert await world.services.queue.depth() == 0


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
    world.studio.hold_submit = asyncio.Event()
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


async def test_a_deadline_stops_what_runs(world):
    world.painter.hold = asyncio.Event()
    async with world.worker():
        started = time.monotonic()
        ended = await world.ended(await world.submit("art/painter", deadline_s=0.2))
    assert ended.error.code is FailureCode.DEADLINE_EXCEEDED
    assert time.monotonic() - started < 3


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
    store, queue, services = world.services.store, world.services.queue, world.services
    task = await world.submit("art/painter")
    (claim,) = await queue.claim(["art"], 1)
    begun = await store.begin(claim, attempt_id=services.new_id(), worker="lost", now=services.now())
    world.painter.hold.set()
    async with world.worker():
        ended = await world.ended(task)
    assert ended.status is TaskStatus.SUCCEEDED
    assert await attempts(world, task) == [AttemptStatus.ABANDONED, AttemptStatus.SUCCEEDED]
    assert begun.attempt.number == 1


async def test_a_paid_request_of_a_lost_worker_is_not_sent_again(world):
    services = world.services
    task = await world.submit("art/shop", kind="text-to-image")
    (claim,) = await services.queue.claim(["art"], 1)
    begun = await services.store.begin(claim, attempt_id=services.new_id(), worker="lost", now=services.now())
    await services.store.journal_submitting(begun.lease, services.now())
    async with world.worker():
        ended = await world.ended(task)
    assert ended.error.code is FailureCode.UNKNOWN_OUTCOME
    assert world.shop.sold == 0


async def test_a_job_of_a_lost_worker_is_found_by_its_reference(world):
    services = world.services
    task = await world.submit("art/studio")
    (claim,) = await services.queue.claim(["art"], 1)
    begun = await services.store.begin(claim, attempt_id=services.new_id(), worker="lost", now=services.now())
    await services.store.journal_submitting(begun.lease, services.now())
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


async def test_a_second_queue_entry_of_a_running_task_is_dropped(world):
    services = world.services
    task = await world.submit("art/painter")
    (claim,) = await services.queue.claim(["art"], 1)
    await services.store.begin(claim, attempt_id=services.new_id(), worker="one", now=services.now())
    other = services.queue.enqueue("art", task.id, 0)
    second = await services.store.begin(
        Claim(other, task.id), attempt_id=services.new_id(), worker="two", now=services.now()
    )
    assert second is None
