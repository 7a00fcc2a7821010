"""What every task store does."""

import asyncio
import random
import struct
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from math import isfinite

import pytest
import uuid_utils.compat

from genpulse.domain.assets.asset import Asset, Content, key_of
from genpulse.domain.attempt import (
    AttemptStatus,
    Canceled,
    Failed,
    HeldLease,
    Released,
    RetryLater,
    Succeeded,
    reference_of,
)
from genpulse.domain.attempt_times import AttemptTimes
from genpulse.domain.errors import (
    AssetExists,
    IdempotencyKeyReuse,
    LeaseLost,
    ModerationBlocked,
    NotRetryable,
    ProviderUnavailable,
    UnknownAsset,
    UnknownOutcome,
    UnknownTask,
)
from genpulse.domain.failure import Actor, Charged, Failure, FailureCode
from genpulse.domain.money.cost import Cost
from genpulse.domain.result.task_result import TaskResult
from genpulse.domain.search.task_query import TaskFilter, TaskQuery
from genpulse.domain.task import Priority, TaskStatus, WaitsFor
from genpulse.domain.text.id_prefix import ids_beginning_with
from genpulse.domain.warning import TaskWarning, WarningCode
from genpulse.ports import TaskNotification
from tests.contract.conftest import LEASE_S, brief_worker, new_ids, new_task, new_worker, now
from tests.queues import depth_of

NO = ModerationBlocked("no").failure
DOWN = ProviderUnavailable("down").failure


def new_asset(task_id=None):
    sha256 = "ab" * 32
    content = Content(key_of(sha256, now()), sha256, 5, "image/png", 2, 3, None)
    return Asset(uuid_utils.compat.uuid7(), content, now(), "dev", task_id)


async def test_what_was_submitted_can_be_read(backend):
    new = new_task(
        priority=Priority.HIGH,
        metadata={"a": "b"},
        webhook_url="https://example.org/",
        deadline_s=3600.0,
        owner="me",
    )
    submitted = await backend.store.submit(new)
    task = await backend.store.get(new.id)
    assert task == submitted.task
    assert (task.status, task.attempt, task.seq, task.progress) == (TaskStatus.QUEUED, 0, 0, None)
    assert (task.input, task.metadata, task.priority) == (new.input, new.metadata, new.priority)
    assert task.owner == "me"
    assert abs(now() - task.created_at) < timedelta(minutes=1)
    assert task.deadline_at == task.created_at + timedelta(hours=1)


async def test_many_submits_at_once_are_all_written(backend):
    tasks = [new_task() for _ in range(300)]
    answers = await asyncio.gather(*map(backend.store.submit, tasks))
    assert [answer.task.id for answer in answers] == [task.id for task in tasks]
    assert await depth_of(backend.queue) == 300


async def test_a_hundred_equal_submits_with_one_key_are_one_task(backend):
    tasks = [new_task(idempotency_key="k", fingerprint="f") for _ in range(100)]
    answers = await asyncio.gather(*map(backend.store.submit, tasks))
    assert len({answer.task.id for answer in answers}) == 1
    assert sum(not answer.replayed for answer in answers) == 1
    assert await depth_of(backend.queue) == 1


async def test_a_key_with_another_body_is_refused_alone(backend):
    keyed = new_task(idempotency_key="k", fingerprint="f")
    await backend.store.submit(keyed)
    answers = await asyncio.gather(
        backend.store.submit(new_task()),
        backend.store.submit(new_task(idempotency_key="k", fingerprint="other")),
        backend.store.submit(new_task()),
        return_exceptions=True,
    )
    assert [type(answer).__name__ for answer in answers] == ["Submitted", "IdempotencyKeyReuse", "Submitted"]


async def test_a_batch_is_all_or_nothing(backend):
    await backend.store.submit(new_task(idempotency_key="k", fingerprint="f"))
    with pytest.raises(IdempotencyKeyReuse):
        await backend.store.submit_batch([new_task(), new_task(idempotency_key="k", fingerprint="other")])
    assert await depth_of(backend.queue) == 1
    answers = await backend.store.submit_batch(
        [new_task(), new_task(idempotency_key="k", fingerprint="f"), new_task()]
    )
    assert [answer.replayed for answer in answers] == [False, True, False]
    assert await depth_of(backend.queue) == 3


async def test_an_unknown_task_is_said(backend):
    for call in (
        backend.store.get(new_task().id),
        backend.store.cancel(new_task().id),
        backend.store.retry(new_task().id),
    ):
        with pytest.raises(UnknownTask):
            await call


async def test_pages_hold_the_newest_first_and_keep_to_their_filters(backend):
    tasks = [new_task(kind=kind) for kind in ("a", "b", "a", "b", "a")]
    for task in tasks:
        await backend.store.submit(task)
    newest = [task.id for task in reversed(tasks)]
    first = await backend.store.find(TaskQuery(limit=2))
    assert [task.id for task in first] == newest[:2]
    second = await backend.store.find(TaskQuery(limit=10, before=first[-1].id))
    assert [task.id for task in second] == newest[2:]
    assert [task.kind for task in await backend.store.find(TaskQuery(filter=TaskFilter(kinds=("b",))))] == [
        "b",
        "b",
    ]
    assert await backend.store.find(TaskQuery(filter=TaskFilter(statuses=(TaskStatus.FAILED,)))) == ()
    assert (
        len(
            await backend.store.find(
                TaskQuery(filter=TaskFilter(providers=("sandbox",), statuses=(TaskStatus.QUEUED,)))
            )
        )
        == 5
    )
    assert await backend.store.find(TaskQuery(filter=TaskFilter(owners=("nobody",)))) == ()


async def test_an_attempt_begins(backend):
    begun = await backend.begun()
    assert (begun.task.status, begun.task.attempt) == (TaskStatus.RUNNING, 1)
    assert begun.task == await backend.store.get(begun.task.id)
    assert begun.task.order is None
    (attempt,) = await backend.store.attempts(begun.task.id)
    assert attempt == begun.attempt
    assert begun.attempt.client_reference.startswith("gp-")
    assert begun.task.seq > 0


async def test_success_stores_outputs_and_settles_the_queue(backend):
    begun = await backend.begun()
    asset = new_asset(begun.task.id)
    cost = Cost(Decimal("0.120"), estimated=True)
    ended = await backend.ended(begun.lease, Succeeded((asset,), cost))
    assert (ended.status, ended.progress, ended.outputs, ended.cost) == (
        TaskStatus.SUCCEEDED,
        1.0,
        (asset,),
        cost,
    )
    assert ended == await backend.store.get(ended.id)
    assert await backend.store.asset(asset.id) == asset
    assert ended.seq > begun.task.seq
    await asyncio.sleep(LEASE_S * 1.5)
    assert await backend.claim() == []


async def test_what_is_odd_about_outputs_is_kept_and_told(backend):
    begun = await backend.begun(webhook_url="https://example.org/")
    warnings = (
        TaskWarning(WarningCode.OUTPUT_MISSING, "Filtered: \x00 \ud83d", 1),
        TaskWarning(WarningCode.FLAGGED, "nsfw"),
    )
    task = await backend.ended(begun.lease, Succeeded((new_asset(begun.task.id),), warnings=warnings))
    assert task.warnings == warnings
    assert [(one.code, one.index) for one in task.warnings] == [("output_missing", 1), ("flagged", None)]
    ((_, told),) = await backend.deliveries.due(1, 60.0, per_origin=1, room={})
    assert told.warnings == warnings
    assert (await backend.store.find(TaskQuery(limit=1)))[0].warnings == warnings


FAR = AttemptTimes(40, 60, 2**31 - 1, 2**31 - 1, None, None, polls=2**31 - 1)


@pytest.mark.parametrize("times", [None, AttemptTimes(), AttemptTimes(1, 2, 3, 4, 5, 6, 7), FAR])
async def test_how_far_an_attempt_came_is_written_with_its_end(backend, times):
    begun, other = await backend.begun(), await backend.begun()
    assert (await backend.store.attempts(begun.task.id))[0].times is None
    await backend.ended(begun.lease, RetryLater(DOWN, 0.0), times=times)
    await backend.ended(other.lease, Succeeded((), result=TaskResult('{"a": 1}')), times=times)
    for task in (begun.task, other.task):
        (attempt,) = await backend.store.attempts(task.id)
        assert attempt.times == times


async def test_of_a_lost_worker_it_is_known_what_it_had_ordered_and_no_more(backend):
    begun = await backend.begun()
    order = await backend.store.journal_order(begun.lease)
    await backend.store.journal_job(begun.lease, "job-1")
    assert await backend.taken_over()
    lost, running = await backend.store.attempts(begun.task.id)
    assert (lost.submitting_at, lost.job_id, lost.times) == (order.sent_at, "job-1", None)
    assert running.times is None


async def test_a_canceled_task_says_what_it_may_have_cost(backend):
    begun = await backend.begun()
    await backend.store.journal_order(begun.lease)
    await backend.store.cancel(begun.task.id)
    lost = UnknownOutcome("The answer never came.").failure
    task = await backend.ended(begun.lease, Canceled(lost), order_open=True)
    assert (task.status, task.error, task.order is None) == (TaskStatus.CANCELED, lost, False)
    (attempt,) = await backend.store.attempts(task.id)
    assert (attempt.status, attempt.error) == (AttemptStatus.CANCELED, lost)
    assert await backend.store.find(TaskQuery(filter=TaskFilter(statuses=(TaskStatus.FAILED,)))) == ()
    assert await backend.store.find(TaskQuery(filter=TaskFilter(codes=(FailureCode.UNKNOWN_OUTCOME,)))) == ()


async def unstopped(backend, outcome=None, **known):
    begun = await backend.begun()
    await backend.store.journal_order(begun.lease)
    known = {"order_open": True, "stop_later": True, **known}
    return await backend.ended(begun.lease, outcome or Canceled(), **known)


async def test_an_order_that_could_not_be_stopped_comes_again_later_and_later_for_a_day(backend):
    task = await unstopped(backend)
    assert await backend.store.to_stop(["sandbox"], 10) == ()
    came = []
    for hours in range(30):
        came += [hours] if (found := await backend.store.to_stop(["sandbox"], 10)) else []
        assert [each.id for each in found] in ([], [task.id])
        assert await backend.store.to_stop(["sandbox"], 10) == ()
        task = await backend.age(await backend.store.get(task.id), timedelta(hours=1))
    assert 3 < len(came) < 12
    assert came[-1] >= 24
    assert (await backend.store.get(task.id)).order == task.order


async def test_an_order_that_is_stopped_comes_no_more(backend):
    tasks = [await unstopped(backend) for _ in range(3)]
    for task in tasks:
        await backend.age(task, timedelta(minutes=2))
    assert await backend.store.to_stop(["other"], 10) == ()
    (first,) = await backend.store.to_stop(["sandbox"], 1)
    await backend.store.close_order(first.id, "gp-another")
    assert (await backend.store.get(first.id)).order == first.order
    await backend.store.close_order(first.id, first.order.reference)
    again = await backend.store.get(first.id)
    assert (again.order, again.status) == (None, TaskStatus.CANCELED)
    assert len(await backend.store.to_stop(["sandbox"], 10)) == 2


async def test_an_order_that_is_to_be_stopped_is_due_once_its_job_is_known(backend):
    begun = await backend.begun()
    await backend.store.journal_order(begun.lease)
    await backend.ended(begun.lease, Canceled(), order_open=True, stop_later=True)
    with pytest.raises(LeaseLost):
        await backend.store.journal_job(begun.lease, "job-1")
    (task,) = await backend.store.to_stop(["sandbox"], 10)
    assert task.order.job_id == "job-1"


@pytest.mark.parametrize("known", [{"order_open": False}, {"stop_later": False}])
async def test_only_an_open_order_is_to_be_stopped(backend, known):
    await backend.age(await unstopped(backend, **known), timedelta(hours=1))
    assert await backend.store.to_stop(["sandbox"], 10) == ()


async def test_an_order_that_a_retry_takes_up_is_stopped_by_nobody(backend):
    task = await unstopped(backend, Failed(NO))
    await backend.age(task, timedelta(hours=1))
    again = await backend.store.retry(task.id)
    await backend.store.close_order(task.id, task.order.reference)
    assert await backend.store.to_stop(["sandbox"], 10) == ()
    assert (await backend.store.get(task.id)).order == again.order == task.order


async def test_a_failure_is_kept_with_all_its_words(backend):
    begun = await backend.begun()
    failed = await backend.ended(begun.lease, Failed(NO))
    assert (failed.status, failed.error) == (TaskStatus.FAILED, NO)
    (attempt,) = await backend.store.attempts(failed.id)
    assert (attempt.status, attempt.error) == (AttemptStatus.FAILED, NO)


async def test_a_retry_waits_for_its_time_and_says_so(backend):
    begun = await backend.begun()
    waiting = await backend.ended(begun.lease, RetryLater(DOWN, 0.3))
    assert (waiting.status, waiting.error, waiting.finished_at) == (TaskStatus.QUEUED, None, None)
    assert (waiting.waiting_for, waiting.last_error, waiting.failures) == (WaitsFor.NEXT_ATTEMPT, DOWN, 1)
    assert waiting.next_try_at - waiting.waiting_since == timedelta(seconds=0.3)
    assert await backend.claim() == []
    await asyncio.sleep(0.35)
    (again,) = await backend.claim()
    assert (again.task.attempt, again.task.order) == (2, None)
    assert (again.task.waiting_for, again.task.next_try_at, again.task.last_error) == (None, None, DOWN)
    assert again.task.started_at == begun.task.started_at
    assert again.task.seq > waiting.seq > begun.task.seq


async def test_a_failure_that_does_not_count_is_not_counted(backend):
    begun = await backend.begun()
    assert (await backend.ended(begun.lease, RetryLater(DOWN, 0.0, counts=False))).failures == 0
    (again,) = await backend.claim()
    assert (await backend.ended(again.lease, RetryLater(DOWN, 0.0))).failures == 1
    (last,) = await backend.claim()
    failed = await backend.ended(last.lease, Failed(DOWN))
    assert (failed.failures, failed.waiting_for, failed.next_try_at) == (1, None, None)
    assert (await backend.store.retry(failed.id)).failures == 0


async def test_an_order_belongs_to_its_task_however_many_attempts_pass(backend):
    begun = await backend.begun()
    order = await backend.store.journal_order(begun.lease)
    assert (order.reference, order.account, order.job_id) == (begun.attempt.client_reference, "sandbox", None)
    await backend.store.journal_job(begun.lease, "job-7")
    known = replace(order, job_id="job-7")
    lease = begun.lease
    for _ in range(3):
        released = await backend.ended(lease, Released(), order_open=True)
        assert (released.status, released.order) == (TaskStatus.QUEUED, known)
        (again,) = await backend.claim()
        assert again.task.order == known
        lease = again.lease
    (lost,) = await backend.taken_over()
    assert (lost.task.order, lost.task.losses) == (known, 1)
    (taken,) = await backend.taken_over(by="a third")
    assert (taken.task.order, taken.task.losses) == (known, 2)
    ended = await backend.ended(taken.lease, Succeeded(()))
    assert (ended.order, ended.losses) == (None, 0)


async def test_the_journal_is_told_with_the_attempt(backend):
    begun = await backend.begun()
    order = await backend.store.journal_order(begun.lease)
    await backend.store.journal_job(begun.lease, "job-7")
    (attempt,) = await backend.store.attempts(begun.task.id)
    assert (attempt.submitting_at, attempt.job_id) == (order.sent_at, "job-7")
    await backend.end(begun.lease, RetryLater(DOWN, 0.0), ordered_at=order.sent_at, job_id="job-7")
    (second,) = await backend.claim()
    first, running = await backend.store.attempts(begun.task.id)
    assert (first.submitting_at, first.job_id) == (order.sent_at, "job-7")
    assert (running.id, running.submitting_at, running.job_id) == (second.attempt.id, None, None)


async def test_the_name_of_an_order_is_kept_though_its_lease_is_lost(backend):
    """A worker was frozen while the vendor answered; the next one has not ordered anything."""
    begun = await backend.begun()
    order = await backend.store.journal_order(begun.lease)
    (taken,) = await backend.taken_over()
    with pytest.raises(LeaseLost):
        await backend.store.journal_job(begun.lease, "job-7")
    assert (await backend.store.get(begun.task.id)).order == replace(order, job_id="job-7")
    with pytest.raises(LeaseLost):
        await backend.store.journal_job(begun.lease, "job-8")
    second = await backend.store.journal_order(taken.lease)
    with pytest.raises(LeaseLost):
        await backend.store.journal_job(begun.lease, "job-7")
    assert (await backend.store.get(begun.task.id)).order == second


async def test_orders_that_are_made_at_once_are_noted_each_for_itself(backend):
    """Also where a lost attempt tells the name of its order while the next one tells that of its own."""
    left = await backend.begun()
    await backend.store.journal_order(left.lease)
    (taken,) = await backend.taken_over()
    begun = [taken, *[await backend.begun() for _ in range(20)]]
    attempts = [*begun[:7], left, *begun[7:]]
    made = await asyncio.gather(
        *(backend.store.journal_order(one.lease) for one in attempts), return_exceptions=True
    )
    assert isinstance(made.pop(7), LeaseLost)
    assert [order.reference for order in made] == [reference_of(one.lease.attempt_id) for one in begun]

    told = await asyncio.gather(
        *(backend.store.journal_job(one.lease, f"job of {one.lease.attempt_id}") for one in attempts),
        return_exceptions=True,
    )
    assert isinstance(told.pop(7), LeaseLost)
    assert told == [None] * len(begun)
    for one, order in zip(begun, made, strict=True):
        kept = (await backend.store.get(one.task.id)).order
        assert kept == replace(order, job_id=f"job of {one.lease.attempt_id}")


@pytest.mark.parametrize("is_first", [True, False])
async def test_of_two_that_tell_the_name_of_one_order_at_once_both_are_answered(backend, is_first):
    """A frozen worker hears it from the vendor as late as the next one, which has asked for it."""
    left = await backend.begun()
    order = await backend.store.journal_order(left.lease)
    (taken,) = await backend.taken_over()
    leases = [left.lease, taken.lease] if is_first else [taken.lease, left.lease]
    told = await asyncio.gather(
        *(backend.store.journal_job(lease, "job-7") for lease in leases), return_exceptions=True
    )
    assert [type(one) for one in told] == ([LeaseLost, type(None)] if is_first else [type(None), LeaseLost])
    assert (await backend.store.get(left.task.id)).order == replace(order, job_id="job-7")


async def test_the_name_of_an_order_is_kept_after_the_task_has_ended_as_unknown(backend):
    begun = await backend.begun()
    order = await backend.store.journal_order(begun.lease)
    (taken,) = await backend.taken_over()
    await backend.end(taken.lease, Failed(NO), order_open=True)
    with pytest.raises(LeaseLost):
        await backend.store.journal_job(begun.lease, "job-7")
    assert (await backend.store.retry(begun.task.id)).order == replace(order, job_id="job-7")


async def test_a_job_is_of_an_order(backend):
    begun = await backend.begun()
    with pytest.raises(LeaseLost):
        await backend.store.journal_job(begun.lease, "job")


@pytest.mark.parametrize("is_open", [True, False])
async def test_an_end_closes_the_order_unless_nobody_knows_what_became_of_it(backend, is_open):
    begun = await backend.begun()
    order = await backend.store.journal_order(begun.lease)
    failed = await backend.ended(begun.lease, Failed(NO), order_open=is_open)
    assert failed.order == (order if is_open else None)
    assert (await backend.store.retry(failed.id)).order == (order if is_open else None)


async def test_a_retry_may_forget_the_order(backend):
    begun = await backend.begun()
    await backend.store.journal_order(begun.lease)
    failed = await backend.ended(begun.lease, Failed(NO), order_open=True)
    assert (await backend.store.retry(failed.id, keeps_order=False)).order is None


async def test_a_lost_worker_is_taken_over_and_its_writes_are_refused(backend):
    begun = await backend.begun()
    (again,) = await backend.taken_over()
    assert (again.task.attempt, again.task.losses) == (2, 1)
    first, second = await backend.store.attempts(begun.task.id)
    assert (first.status, second.status) == (AttemptStatus.ABANDONED, AttemptStatus.RUNNING)
    for write in (
        backend.store.journal_order(begun.lease),
        backend.store.journal_job(begun.lease, "job"),
        backend.end(begun.lease, Succeeded(())),
    ):
        with pytest.raises(LeaseLost):
            await write
    await backend.store.save_progress(begun.lease, 0.9, 10**9)
    await backend.store.save_waiting(begun.lease, WaitsFor.STORAGE, None, 10**9)
    task = await backend.store.get(begun.task.id)
    assert (task.status, task.progress, task.seq) == (TaskStatus.RUNNING, None, again.task.seq)
    assert task.waiting_for is None
    assert (await backend.ended(again.lease, Succeeded(()))).status is TaskStatus.SUCCEEDED


async def test_an_end_and_an_order_tell_that_no_more_workers_are_lost_in_a_row(backend):
    await backend.begun()
    (second,) = await backend.taken_over()
    assert second.task.losses == 1
    await backend.store.journal_order(second.lease)
    (third,) = await backend.taken_over(by="a third")
    assert third.task.losses == 1
    await backend.end(third.lease, RetryLater(DOWN, 0.0))
    (fourth,) = await backend.claim()
    assert fourth.task.losses == 0


async def test_what_a_task_waits_for_is_kept(backend):
    begun = await backend.begun()
    await backend.store.save_waiting(begun.lease, WaitsFor.PROVIDER, DOWN, begun.task.seq + 1)
    waiting = await backend.store.get(begun.task.id)
    assert (waiting.waiting_for, waiting.last_error) == (WaitsFor.PROVIDER, DOWN)
    assert waiting.seq == begun.task.seq + 1
    await backend.store.save_waiting(begun.lease, WaitsFor.PROVIDER, NO, begun.task.seq + 2)
    longer = await backend.store.get(begun.task.id)
    assert (longer.waiting_since, longer.last_error) == (waiting.waiting_since, NO)
    await backend.store.save_waiting(begun.lease, None, None, begun.task.seq + 3)
    task = await backend.store.get(begun.task.id)
    assert (task.waiting_for, task.waiting_since, task.last_error) == (None, None, NO)


async def test_nothing_can_be_written_after_the_end(backend):
    begun = await backend.begun()
    await backend.end(begun.lease, Succeeded(()))
    with pytest.raises(LeaseLost):
        await backend.end(begun.lease, Failed(NO))


async def test_progress_is_kept_and_the_newest_wins(backend):
    begun = await backend.begun()
    seq = begun.task.seq
    await asyncio.gather(
        *(backend.store.save_progress(begun.lease, step / 10, seq + step) for step in range(1, 6))
    )
    task = await backend.store.get(begun.task.id)
    assert (task.progress, task.seq) == (0.5, seq + 5)


async def test_a_queued_task_is_canceled_at_once(backend):
    task = (await backend.store.submit(new_task())).task
    canceled = await backend.store.cancel(task.id)
    assert canceled.status is TaskStatus.CANCELED
    assert canceled.finished_at is not None
    assert canceled.seq > task.seq
    assert await depth_of(backend.queue) == 0
    assert await backend.queue.due(["sandbox"]) == ()
    assert await backend.claim() == []


async def test_the_worker_of_a_running_task_is_told(backend):
    heard = backend.queue.notifications(backend.worker)
    first = asyncio.ensure_future(anext(heard))
    await asyncio.sleep(0.3)
    begun = await backend.begun()
    task = await backend.store.cancel(begun.task.id)
    assert (task.status, task.cancel_requested) == (TaskStatus.RUNNING, True)
    assert task.seq > begun.task.seq
    async with asyncio.timeout(60):
        while not first.done():  # it may not have listened yet
            await backend.store.cancel(begun.task.id)
            await asyncio.sleep(0.1)
    assert first.result() == TaskNotification(begun.task.id, unwanted=True)
    assert await backend.store.renew(backend.worker, now()) == (HeldLease(begun.lease, unwanted=True),)
    assert (await backend.store.cancel(begun.task.id)).seq == task.seq
    ended = await backend.ended(begun.lease, Canceled())
    assert ended.status is TaskStatus.CANCELED
    assert await backend.store.cancel(task.id) == ended
    await heard.aclose()


async def test_a_canceled_task_of_a_lost_worker_goes_to_another_one_that_knows(backend):
    begun = await backend.begun()
    await backend.store.cancel(begun.task.id)
    (taken,) = await backend.taken_over()
    assert taken.task.cancel_requested
    assert (await backend.ended(taken.lease, Canceled())).status is TaskStatus.CANCELED
    assert await depth_of(backend.queue) == 0


@pytest.mark.parametrize("outcome", [RetryLater(DOWN, 60.0), Released()])
async def test_a_task_that_nobody_wants_does_not_wait_for_another_attempt(backend, outcome):
    begun = await backend.begun()
    wished = await backend.store.cancel(begun.task.id)
    ended = await backend.ended(begun.lease, outcome)
    assert (ended.status, ended.waiting_for) == (TaskStatus.CANCELED, None)
    assert ended.seq > wished.seq
    assert await depth_of(backend.queue) == 0


async def test_an_unwanted_task_with_an_open_order_goes_to_a_worker_at_once(backend):
    for cancel_first in (True, False):
        begun = await backend.begun(provider="limited")
        order = await backend.store.journal_order(begun.lease)
        if cancel_first:
            await backend.store.cancel(begun.task.id)
        waiting = await backend.ended(begun.lease, RetryLater(DOWN, 60.0), order_open=True)
        assert waiting.status is TaskStatus.QUEUED
        if not cancel_first:
            wished = await backend.store.cancel(begun.task.id)
            assert (wished.status, wished.cancel_requested) == (TaskStatus.QUEUED, True)
            assert wished.seq > waiting.seq
        (again,) = await backend.store.claim_resumed(await backend.alive(new_worker("w")), ["limited"], new_ids(5))
        assert (again.task.cancel_requested, again.task.order) == (True, order)
        assert (await backend.ended(again.lease, Canceled())).status is TaskStatus.CANCELED


async def test_end_and_cancel_at_the_same_time_leave_one_end(backend):
    for _ in range(10):
        begun = await backend.begun()
        await asyncio.gather(
            backend.store.cancel(begun.task.id),
            backend.end(begun.lease, Succeeded(())),
        )
        assert (await backend.store.get(begun.task.id)).status is TaskStatus.SUCCEEDED


async def test_a_failed_task_is_queued_again(backend):
    begun = await backend.begun(deadline_s=3600.0)
    failed = await backend.ended(begun.lease, Failed(NO))
    again = await backend.store.retry(failed.id)
    assert (again.status, again.error, again.finished_at) == (TaskStatus.QUEUED, None, None)
    assert again.deadline_at is None
    assert again.seq > failed.seq
    (second,) = await backend.claim()
    assert second.task.attempt == 2
    assert (second.task.last_error, second.task.retried_at is not None) == (NO, True)


@pytest.mark.parametrize("outcome", [Succeeded(()), Canceled(), None])
async def test_only_a_failed_task_is_queued_again(backend, outcome):
    begun = await backend.begun()
    if outcome:
        await backend.end(begun.lease, outcome)
    with pytest.raises(NotRetryable):
        await backend.store.retry(begun.task.id)


async def test_retries_at_the_same_time_queue_one_entry(backend):
    begun = await backend.begun()
    await backend.end(begun.lease, Failed(NO))
    answers = await asyncio.gather(*(backend.store.retry(begun.task.id) for _ in range(5)), return_exceptions=True)
    assert sum(isinstance(answer, NotRetryable) for answer in answers) == 4
    assert await depth_of(backend.queue) == 1


async def test_queued_tasks_past_their_deadline_end(backend):
    late = await backend.store.submit(new_task(deadline_s=-1.0))
    await backend.store.submit(new_task(deadline_s=3600.0))
    await backend.store.submit(new_task())
    (expired,) = await backend.store.expire()
    assert expired.id == late.task.id
    assert (expired.status, expired.error.code) == (TaskStatus.FAILED, FailureCode.DEADLINE_EXCEEDED)
    assert await backend.store.expire() == ()
    assert await depth_of(backend.queue) == 2


async def test_one_that_has_to_begin_in_time_may_end_late(backend):
    late = await backend.store.submit(new_task(deadline_s=-1.0, deadline_is_for_start=True))
    (expired,) = await backend.store.expire()
    assert (expired.id, expired.error.code) == (late.task.id, FailureCode.DEADLINE_EXCEEDED)
    begun = await backend.begun(deadline_s=-1.0, deadline_is_for_start=True)
    assert begun.task.deadline_is_for_start
    await backend.end(begun.lease, RetryLater(NO, 0.0))
    assert (await backend.store.get(begun.task.id)).status is TaskStatus.QUEUED
    assert await backend.store.expire() == ()


async def test_a_task_that_is_put_off_begins_when_its_time_has_come(backend):
    run_at = now() + timedelta(seconds=1)
    new = new_task(run_at=run_at, deadline_s=60.0)
    task = (await backend.store.submit(new)).task
    assert task == await backend.store.get(task.id)
    assert (task.status, task.run_at, task.next_try_at, task.is_put_off) == (
        TaskStatus.QUEUED,
        run_at,
        run_at,
        True,
    )
    assert task.deadline_at == run_at + timedelta(seconds=60)
    assert await backend.claim() == []
    while not (begun := await backend.claim()):
        await asyncio.sleep(0.05)
    assert begun[0].attempt.started_at >= run_at
    assert (begun[0].task.run_at, begun[0].task.next_try_at, begun[0].task.is_put_off) == (run_at, None, False)


async def test_a_worker_that_waits_wakes_for_a_task_that_is_put_off(backend):
    await backend.alive()
    run_at = now() + timedelta(seconds=0.5)
    mark = backend.queue.mark()
    await backend.store.submit(new_task(run_at=run_at))
    async with asyncio.timeout(30):
        while not (begun := await backend.claim()):
            await backend.queue.wait(mark, ["sandbox"], 60.0)
            mark = backend.queue.mark()
    assert begun[0].attempt.started_at >= run_at


async def test_what_became_due_after_the_look_is_not_waited_for(backend):
    """However long ago that was: whoever looked may have been held up since."""
    await backend.queue.wait(backend.queue.mark(), ["sandbox"], 0.5)
    await backend.store.submit(new_task(run_at=now() + timedelta(seconds=1.0)))
    await asyncio.sleep(0.3)
    mark = backend.queue.mark()
    await asyncio.sleep(1.7)
    await asyncio.wait_for(backend.queue.wait(mark, ["sandbox"], 600.0), 30)
    assert len(await backend.claim()) == 1


@pytest.mark.parametrize("run_at", [datetime(1970, 1, 1, tzinfo=UTC), datetime.min.replace(tzinfo=UTC)])
async def test_a_time_that_has_passed_is_now(backend, run_at):
    task = (await backend.store.submit(new_task(run_at=run_at, deadline_s=60.0))).task
    assert task == await backend.store.get(task.id)
    assert (task.run_at, task.is_put_off) == (run_at, False)
    assert task.deadline_at == task.created_at + timedelta(seconds=60)
    assert len(await backend.claim()) == 1


async def test_a_task_that_is_put_off_is_canceled_at_once(backend):
    task = (await backend.store.submit(new_task(run_at=now() + timedelta(hours=1), price_usd=Decimal(1)))).task
    assert await backend.store.spent_usd() == 1
    canceled = await backend.store.cancel(task.id)
    assert (canceled.status, canceled.next_try_at) == (TaskStatus.CANCELED, None)
    assert await depth_of(backend.queue) == 0
    assert await backend.store.spent_usd() == 0


async def test_a_late_task_with_an_open_order_goes_to_a_worker_at_once(backend):
    begun = await backend.begun(deadline_s=2)
    order = await backend.store.journal_order(begun.lease)
    await backend.end(begun.lease, RetryLater(DOWN, 60.0), order_open=True)
    await asyncio.sleep(2.1)
    assert await backend.store.expire() == ()
    (again,) = await backend.claim()
    assert (again.task.order, again.task.deadline_at < again.attempt.started_at) == (order, True)


async def test_an_upload_is_an_asset_without_a_task(backend):
    asset = new_asset()
    await backend.store.add_asset(asset)
    assert await backend.store.asset(asset.id) == asset
    with pytest.raises(UnknownAsset):
        await backend.store.asset(uuid_utils.compat.uuid7())


async def test_an_id_is_one_asset_whoever_comes_second(backend):
    first, other = new_asset(), new_asset()
    second = replace(other, id=first.id)
    await backend.store.add_asset(first)
    for again in (first, second):
        with pytest.raises(AssetExists):
            await backend.store.add_asset(again)
    at_once = [replace(other, id=other.id, owner=str(number)) for number in range(5)]
    came = await asyncio.gather(*map(backend.store.add_asset, at_once), return_exceptions=True)
    assert sorted(map(type, came), key=str) == sorted([type(None), *[AssetExists] * 4], key=str)
    assert await backend.store.asset(first.id) == first
    assert await backend.store.asset(other.id) == at_once[came.index(None)]


async def test_open_tasks_are_counted(backend):
    assert await backend.store.counts() == {"queued": 0, "running": 0}
    await backend.begun()
    await backend.store.submit(new_task())
    assert await backend.store.counts() == {"queued": 1, "running": 1}


async def test_many_attempts_begin_and_end_at_once(backend):
    await backend.store.submit_batch([new_task() for _ in range(120)])
    begun = await backend.claim(at_most=200)
    ended = await asyncio.gather(*(backend.ended(one.lease, Succeeded(())) for one in begun))
    assert {task.status for task in ended} == {TaskStatus.SUCCEEDED}
    assert len({task.id for task in ended}) == 120


async def test_one_lost_lease_does_not_hurt_its_neighbours(backend):
    await backend.store.submit_batch([new_task(), new_task()])
    one, two = await backend.claim(at_most=2)
    stranger = replace(one.lease, attempt_id=uuid_utils.compat.uuid7())
    lost, kept = await asyncio.gather(
        backend.end(stranger, Succeeded(())),
        backend.ended(two.lease, Succeeded(())),
        return_exceptions=True,
    )
    assert isinstance(lost, LeaseLost)
    assert kept.status is TaskStatus.SUCCEEDED


async def test_what_was_spent_today(backend):
    price = Decimal("0.25")
    assert await backend.store.spent_usd() == 0

    async def ended(outcome, *, orders=False):
        begun = await backend.begun(price_usd=price)
        if orders:
            await backend.store.journal_order(begun.lease)
        await backend.end(begun.lease, outcome)

    def failed(charged):
        return Failed(
            Failure(FailureCode.TIMEOUT, "", retryable=False, charged=charged, who_must_act=Actor.NOBODY)
        )

    await ended(Succeeded((), Cost(Decimal("0.10"))))
    assert await backend.store.spent_usd() == Decimal("0.10")
    await ended(Succeeded(()))
    assert await backend.store.spent_usd() == Decimal("0.35")
    await ended(failed(Charged.NO))
    assert await backend.store.spent_usd() == Decimal("0.35")
    await ended(failed(Charged.MAYBE))
    assert await backend.store.spent_usd() == Decimal("0.60")
    await ended(Canceled())
    assert await backend.store.spent_usd() == Decimal("0.60")
    await ended(Canceled(), orders=True)
    assert await backend.store.spent_usd() == Decimal("0.85")
    waiting = (await backend.store.submit(new_task(price_usd=price))).task
    assert await backend.store.spent_usd() == Decimal("1.10")
    assert (await backend.store.get(waiting.id)).price_usd == price
    await backend.store.cancel(waiting.id)
    assert await backend.store.spent_usd() == Decimal("0.85")
    await backend.store.submit(new_task(price_usd=None))
    assert await backend.store.spent_usd() == Decimal("0.85")


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "-Infinity", "-0.01", "1E+40", "1E+200000", "1E-30000"])
async def test_a_cost_that_is_no_number_of_dollars_counts_as_the_price(backend, amount):
    price = Decimal("0.25")
    begun = await backend.begun(price_usd=price)
    await backend.end(begun.lease, Succeeded((), Cost(Decimal(amount))))
    assert await backend.store.spent_usd() == price


async def test_an_attempt_that_may_have_been_charged_counts_whatever_follows(backend):
    price = Decimal("0.25")

    async def after(outcome):
        (begun,) = await backend.claim()
        await backend.end(begun.lease, outcome)
        return await backend.store.spent_usd()

    def failure(charged):
        return Failure(FailureCode.TIMEOUT, "", retryable=True, charged=charged, who_must_act=Actor.PROVIDER)

    task = (await backend.store.submit(new_task(price_usd=price))).task
    assert await after(RetryLater(failure(Charged.NO), 0.0)) == price
    assert await after(RetryLater(failure(Charged.MAYBE), 0.0)) == 2 * price
    assert await after(Failed(failure(Charged.NO))) == price
    await backend.store.retry(task.id)
    assert await backend.store.spent_usd() == 2 * price
    assert await after(Failed(failure(Charged.YES))) == 2 * price
    await backend.store.retry(task.id)
    assert await after(Succeeded((), Cost(Decimal("0.40")))) == 2 * price + Decimal("0.40")


async def test_owners_of_assets_are_told_of_those_that_are_there(backend):
    mine, nobodys = replace(new_asset(), owner="me"), new_asset()
    for asset in (mine, nobodys):
        await backend.store.add_asset(asset)
    wanted = [mine.id, uuid_utils.compat.uuid7(), nobodys.id]
    assert await backend.store.owners_of_assets(wanted) == {mine.id: "me", nobodys.id: ""}
    assert await backend.store.owners_of_assets([]) == {}
    assert await backend.store.media_types(wanted) == dict.fromkeys((mine.id, nobodys.id), mine.content.media_type)


NUMBERS = (0, 1.0, 1.5, 0.1 + 0.2, 10**20, -(10**4000), 2**63, 1e-7, 5e-324)
CHANGED_BY_JSONB = (-0.0, 1e16, 1e20, 1e22, -1e22, 1e300)


async def test_numbers_come_back_as_they_were_sent(backend):
    alone = [{"n": number} for number in CHANGED_BY_JSONB]
    documents = [{"n": [*NUMBERS]}, {"n": [*NUMBERS, *CHANGED_BY_JSONB]}, {"a": [0, {"b": [1e22]}]}, *alone]
    for document in documents:
        new = new_task(input=document, webhook_url="https://a.example/")
        submitted = (await backend.store.submit(new)).task
        (begun,) = await backend.claim()
        await backend.end(begun.lease, Canceled())
        ended = await backend.store.get(new.id)
        (found,) = await backend.store.find(TaskQuery(limit=1))
        ((_, told),) = await backend.deliveries.due(10, 60.0, per_origin=5, room={})
        for task in (submitted, begun.task, ended, found, told):
            assert repr(task.input) == repr(document)


async def test_whatever_numbers_there_are_come_back_as_they_were_sent(backend):
    drawn = random.Random(11)
    bits = (drawn.getrandbits(64).to_bytes(8, "big") for _ in range(2000))
    numbers = [number for each in bits if isfinite(number := struct.unpack(">d", each)[0])]
    document = {"n": numbers, "texts": ["1e+22", "[1e+22]", ",-0.0,"]}
    submitted = (await backend.store.submit(new_task(input=document))).task
    assert repr((await backend.store.get(submitted.id)).input) == repr(document)


async def test_the_task_of_a_known_key_has_its_numbers(backend):
    wanted = {"idempotency_key": "k", "fingerprint": "f", "input": {"n": [1e22, -0.0]}}
    await backend.store.submit(new_task(**wanted))
    again = await backend.store.submit(new_task(**wanted))
    assert again.replayed
    assert repr(again.task.input) == repr(wanted["input"])


async def test_a_price_keeps_all_its_digits(backend):
    prices = [Decimal("0.1"), Decimal("0.2"), Decimal("0.000000000000000001"), Decimal(0)]
    for price in prices:
        task = (await backend.store.submit(new_task(price_usd=price))).task
        assert (await backend.store.get(task.id)).price_usd == price
    assert await backend.store.spent_usd() == sum(prices)


async def test_the_earlier_task_of_a_key(backend):
    assert await backend.store.earlier(new_task()) is None
    keyed = new_task(idempotency_key="k", fingerprint="f", owner="o")
    assert await backend.store.earlier(keyed) is None
    await backend.store.submit(keyed)
    again = new_task(idempotency_key="k", fingerprint="f", owner="o")
    found = await backend.store.earlier(again)
    assert (found.task.id, found.replayed) == (keyed.id, True)
    assert await backend.store.earlier(replace(again, owner="somebody else")) is None
    with pytest.raises(IdempotencyKeyReuse):
        await backend.store.earlier(replace(again, fingerprint="g"))
    assert await depth_of(backend.queue) == 1


async def test_failed_tasks_are_found_by_their_code(backend):
    ids = {}
    for code, failure in (("down", DOWN), ("no", NO), ("down again", DOWN)):
        begun = await backend.begun()
        await backend.end(begun.lease, Failed(failure))
        ids[code] = begun.task.id
    waiting = await backend.begun()
    await backend.end(waiting.lease, RetryLater(DOWN, 60.0))
    down = TaskQuery(filter=TaskFilter(codes=(FailureCode.PROVIDER_UNAVAILABLE,)))
    assert [task.id for task in await backend.store.find(down)] == [ids["down again"], ids["down"]]
    older = replace(down, before=ids["down again"])
    assert [task.id for task in await backend.store.find(older)] == [ids["down"]]
    assert await backend.store.find(TaskQuery(filter=replace(down.filter, statuses=(TaskStatus.QUEUED,)))) == ()
    await backend.store.retry(ids["down"])
    assert [task.id for task in await backend.store.find(down)] == [ids["down again"]]


async def test_tasks_are_found_by_the_beginning_of_their_id(backend):
    ids = sorted([(await backend.begun()).task.id for _ in range(3)], reverse=True)
    for task_id in ids:
        for length in range(1, 37):
            prefix = str(task_id)[:length]
            found = [
                task.id
                for task in await backend.store.find(
                    TaskQuery(filter=TaskFilter(id_range=ids_beginning_with(prefix)))
                )
            ]
            assert found == [each for each in ids if str(each).startswith(prefix)]


async def test_every_change_of_state_has_a_number_of_its_own(backend):
    begun = await backend.begun()
    numbers = [0, begun.task.seq]
    for _ in range(2):
        numbers.append((await backend.ended(begun.lease, RetryLater(DOWN, 0.0))).seq)
        (begun,) = await backend.claim()
        numbers.append(begun.task.seq)
    numbers.append((await backend.ended(begun.lease, RetryLater(DOWN, 60.0))).seq)
    numbers.append((await backend.store.cancel(begun.task.id)).seq)
    assert numbers == sorted(set(numbers))


async def test_a_worker_holds_what_it_claimed_and_nothing_else(backend):
    begun = await backend.begun()
    other = await backend.alive(new_worker("other"))
    assert await backend.store.renew(other, now()) == ()
    assert await backend.store.renew(backend.worker, now()) == (HeldLease(begun.lease),)
    assert [one.task for one in await backend.store.claims_of([begun.lease])] == [begun.task]
    await backend.end(begun.lease, Succeeded(()))
    assert await backend.store.renew(backend.worker, now()) == ()
    assert await backend.store.claims_of([begun.lease]) == ()


async def test_a_worker_whose_own_lease_has_run_out_claims_nothing(backend):
    worker = await backend.alive(brief_worker("slow"))
    await backend.store.submit(new_task())
    await asyncio.sleep(LEASE_S * 1.2)
    assert await backend.store.claim(worker, "sandbox", new_ids(1)) == ()
    assert await backend.store.claim_resumed(worker, ["sandbox"], new_ids(1)) == ()
    assert await backend.store.take_over(worker, ["sandbox"], new_ids(1)) == ()
    assert len(await backend.claim(worker=worker)) == 1


async def test_nobody_is_lost_while_nobody_could_renew(backend):
    """Watched for less than a lease: where the machine has paused for longer, once more."""
    loop = asyncio.get_running_loop()
    watched_s = LEASE_S
    while watched_s >= LEASE_S:
        begun, taken = await backend.begun(), []
        await asyncio.sleep(LEASE_S * 2)
        other, began_at = brief_worker("other"), loop.time()
        while loop.time() - began_at < LEASE_S * 0.7:
            await backend.alive(other)
            taken += await backend.store.take_over(other, ["sandbox"], new_ids(1))
            await asyncio.sleep(LEASE_S / 6)
        held = await backend.store.renew(backend.worker, now())
        taken += await backend.store.take_over(other, ["sandbox"], new_ids(1))
        watched_s = loop.time() - began_at
    assert (taken, HeldLease(begun.lease) in held) == ([], True)


async def test_what_a_worker_leaves_behind_goes_to_others_at_once(backend):
    backend.worker = new_worker("w")
    await backend.begun()
    await backend.store.leave(backend.worker)
    other = await backend.alive(new_worker("other"))
    (taken,) = await backend.store.take_over(other, ["sandbox"], new_ids(1))
    assert taken.task.attempt == 2
