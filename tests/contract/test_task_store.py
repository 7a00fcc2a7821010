"""What every task store does."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
import uuid_utils.compat

from genpulse.domain.asset import Asset, Content, key_of
from genpulse.domain.attempt import (
    AttemptStatus,
    Canceled,
    Claim,
    Failed,
    Released,
    RetryLater,
    Succeeded,
)
from genpulse.domain.cost import Cost
from genpulse.domain.errors import (
    IdempotencyKeyReuse,
    LeaseLost,
    ModerationBlocked,
    NotRetryable,
    ProviderUnavailable,
    UnknownAsset,
    UnknownTask,
)
from genpulse.domain.failure import Actor, Charged, Failure, FailureCode
from genpulse.domain.task import Priority, TaskQuery, TaskStatus
from tests.contract.conftest import LEASE_S, new_task, now

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
        deadline_at=now() + timedelta(hours=1),
        owner="me",
    )
    submitted = await backend.store.submit(new)
    task = await backend.store.get(new.id)
    assert task == submitted.task
    assert (task.status, task.attempt, task.seq, task.progress) == (TaskStatus.QUEUED, 0, 0, None)
    assert (task.input, task.metadata, task.priority) == (new.input, new.metadata, new.priority)
    assert (task.deadline_at, task.created_at, task.owner) == (new.deadline_at, new.created_at, "me")


async def test_many_submits_at_once_are_all_written(backend):
    tasks = [new_task() for _ in range(300)]
    answers = await asyncio.gather(*map(backend.store.submit, tasks))
    assert [answer.task.id for answer in answers] == [task.id for task in tasks]
    assert await backend.queue.depth() == 300


async def test_a_hundred_equal_submits_with_one_key_are_one_task(backend):
    tasks = [new_task(idempotency_key="k", fingerprint="f") for _ in range(100)]
    answers = await asyncio.gather(*map(backend.store.submit, tasks))
    assert len({answer.task.id for answer in answers}) == 1
    assert sum(not answer.replayed for answer in answers) == 1
    assert await backend.queue.depth() == 1


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
    assert await backend.queue.depth() == 1
    answers = await backend.store.submit_batch(
        [new_task(), new_task(idempotency_key="k", fingerprint="f"), new_task()]
    )
    assert [answer.replayed for answer in answers] == [False, True, False]
    assert await backend.queue.depth() == 3


async def test_an_unknown_task_is_said(backend):
    for call in (
        backend.store.get(new_task().id),
        backend.store.cancel(new_task().id, now()),
        backend.store.retry(new_task().id, now()),
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
    assert [task.kind for task in await backend.store.find(TaskQuery(kind="b"))] == ["b", "b"]
    assert await backend.store.find(TaskQuery(status=TaskStatus.FAILED)) == ()
    assert len(await backend.store.find(TaskQuery(provider="sandbox", status=TaskStatus.QUEUED))) == 5
    assert await backend.store.find(TaskQuery(owner="nobody")) == ()


async def test_an_attempt_begins(backend):
    begun = await backend.begun()
    assert (begun.task.status, begun.task.attempt) == (TaskStatus.RUNNING, 1)
    assert begun.task == await backend.store.get(begun.task.id)
    assert begun.previous is None
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
    assert await backend.queue.claim(["sandbox"], 1) == ()


async def test_a_failure_is_kept_with_all_its_words(backend):
    begun = await backend.begun()
    failed = await backend.ended(begun.lease, Failed(NO))
    assert (failed.status, failed.error) == (TaskStatus.FAILED, NO)
    (attempt,) = await backend.store.attempts(failed.id)
    assert (attempt.status, attempt.error) == (AttemptStatus.FAILED, NO)


async def test_a_retry_waits_for_its_time(backend):
    begun = await backend.begun()
    waiting = await backend.ended(begun.lease, RetryLater(DOWN, 0.3))
    assert (waiting.status, waiting.error, waiting.finished_at) == (TaskStatus.QUEUED, None, None)
    assert await backend.queue.claim(["sandbox"], 1) == ()
    await asyncio.sleep(0.35)
    again = await backend.begin(await backend.claim())
    assert (again.task.attempt, again.previous) == (2, None)
    assert again.task.started_at == begun.task.started_at
    assert again.task.seq > waiting.seq > begun.task.seq


async def test_a_released_task_can_be_taken_at_once_and_tells_of_its_job(backend):
    begun = await backend.begun()
    await backend.store.journal_submitting(begun.lease, now())
    await backend.store.journal_job(begun.lease, "job-7")
    released = await backend.ended(begun.lease, Released())
    assert released.status is TaskStatus.QUEUED
    again = await backend.begin(await backend.claim())
    assert again.previous.status is AttemptStatus.RELEASED
    assert again.previous.job_id == "job-7"
    assert again.previous.submitting_at is not None


async def test_a_lost_worker_is_taken_over_and_its_writes_are_refused(backend):
    begun = await backend.begun()
    await backend.store.journal_submitting(begun.lease, now())
    await asyncio.sleep(LEASE_S * 1.2)
    again = await backend.begin(await backend.claim())
    assert again.task.attempt == 2
    assert again.previous.status is AttemptStatus.ABANDONED
    assert again.previous.id == begun.attempt.id
    for write in (
        backend.store.journal_submitting(begun.lease, now()),
        backend.store.journal_job(begun.lease, "job"),
        backend.store.finish(begun.lease, Succeeded(()), now()),
    ):
        with pytest.raises(LeaseLost):
            await write
    await backend.store.save_progress(begun.lease, 0.9, 10**9)
    task = await backend.store.get(begun.task.id)
    assert (task.status, task.progress, task.seq) == (TaskStatus.RUNNING, None, again.task.seq)
    assert (await backend.ended(again.lease, Succeeded(()))).status is TaskStatus.SUCCEEDED


async def test_nothing_can_be_written_after_the_end(backend):
    begun = await backend.begun()
    await backend.store.finish(begun.lease, Succeeded(()), now())
    with pytest.raises(LeaseLost):
        await backend.store.finish(begun.lease, Failed(NO), now())


async def test_a_second_entry_of_a_running_task_is_dropped(backend):
    begun = await backend.begun()
    other = Claim(begun.lease.ticket + 1_000_000, begun.task.id)
    assert await backend.begin(other) is None
    assert (await backend.ended(begun.lease, Succeeded(()))).attempt == 1


async def test_an_entry_of_an_unknown_task_is_dropped(backend):
    assert await backend.begin(Claim(1_000_000, new_task().id)) is None


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
    canceled = await backend.store.cancel(task.id, now())
    assert canceled.status is TaskStatus.CANCELED
    assert canceled.finished_at is not None
    assert canceled.seq > task.seq
    for claim in await backend.queue.claim(["sandbox"], 1):
        assert await backend.begin(claim) is None
    assert await backend.queue.depth() == 0


async def test_the_worker_of_a_running_task_is_told(backend):
    heard = backend.queue.cancellations()
    first = asyncio.ensure_future(anext(heard))
    await asyncio.sleep(0.2)
    begun = await backend.begun()
    task = await backend.store.cancel(begun.task.id, now())
    assert (task.status, task.cancel_requested) == (TaskStatus.RUNNING, True)
    assert await asyncio.wait_for(first, 5) == begun.task.id
    assert await backend.store.cancel_requested([begun.task.id, new_task().id]) == {begun.task.id}
    ended = await backend.ended(begun.lease, Canceled())
    assert ended.status is TaskStatus.CANCELED
    assert await backend.store.cancel(task.id, now()) == ended
    await heard.aclose()


async def test_a_canceled_task_of_a_lost_worker_ends(backend):
    begun = await backend.begun()
    await backend.store.cancel(begun.task.id, now())
    await asyncio.sleep(LEASE_S * 1.2)
    assert await backend.begin(await backend.claim()) is None
    task = await backend.store.get(begun.task.id)
    assert task.status is TaskStatus.CANCELED
    (attempt,) = await backend.store.attempts(task.id)
    assert attempt.status is AttemptStatus.ABANDONED


async def test_end_and_cancel_at_the_same_time_leave_one_end(backend):
    for _ in range(10):
        begun = await backend.begun()
        await asyncio.gather(
            backend.store.cancel(begun.task.id, now()),
            backend.store.finish(begun.lease, Succeeded(()), now()),
        )
        assert (await backend.store.get(begun.task.id)).status is TaskStatus.SUCCEEDED


async def test_a_failed_task_is_queued_again(backend):
    begun = await backend.begun(deadline_at=now() + timedelta(hours=1))
    failed = await backend.ended(begun.lease, Failed(NO))
    again = await backend.store.retry(failed.id, now())
    assert (again.status, again.error, again.finished_at) == (TaskStatus.QUEUED, None, None)
    assert again.deadline_at is None
    assert again.seq > failed.seq
    second = await backend.begin(await backend.claim())
    assert second.task.attempt == 2


@pytest.mark.parametrize("outcome", [Succeeded(()), Canceled(), None])
async def test_only_a_failed_task_is_queued_again(backend, outcome):
    begun = await backend.begun()
    if outcome:
        await backend.store.finish(begun.lease, outcome, now())
    with pytest.raises(NotRetryable):
        await backend.store.retry(begun.task.id, now())


async def test_retries_at_the_same_time_queue_one_entry(backend):
    begun = await backend.begun()
    await backend.store.finish(begun.lease, Failed(NO), now())
    answers = await asyncio.gather(
        *(backend.store.retry(begun.task.id, now()) for _ in range(5)), return_exceptions=True
    )
    assert sum(isinstance(answer, NotRetryable) for answer in answers) == 4
    assert await backend.queue.depth() == 1


async def test_queued_tasks_past_their_deadline_end(backend):
    late = await backend.store.submit(new_task(deadline_at=now() - timedelta(seconds=1)))
    await backend.store.submit(new_task(deadline_at=now() + timedelta(hours=1)))
    await backend.store.submit(new_task())
    (expired,) = await backend.store.expire(now())
    assert expired.id == late.task.id
    assert (expired.status, expired.error.code) == (TaskStatus.FAILED, FailureCode.DEADLINE_EXCEEDED)
    assert await backend.store.expire(now()) == ()


async def test_an_upload_is_an_asset_without_a_task(backend):
    asset = new_asset()
    await backend.store.add_asset(asset)
    assert await backend.store.asset(asset.id) == asset
    with pytest.raises(UnknownAsset):
        await backend.store.asset(uuid_utils.compat.uuid7())


async def test_open_tasks_are_counted(backend):
    assert await backend.store.counts() == {"queued": 0, "running": 0}
    await backend.begun()
    await backend.store.submit(new_task())
    assert await backend.store.counts() == {"queued": 1, "running": 1}


async def test_many_attempts_begin_and_end_at_once(backend):
    await backend.store.submit_batch([new_task() for _ in range(120)])
    claims = await backend.queue.claim(["sandbox"], 200)
    begun = await asyncio.gather(*map(backend.begin, claims))
    ended = await asyncio.gather(*(backend.ended(one.lease, Succeeded(())) for one in begun))
    assert {task.status for task in ended} == {TaskStatus.SUCCEEDED}
    assert len({task.id for task in ended}) == 120


async def test_one_lost_lease_does_not_hurt_its_neighbours(backend):
    await backend.store.submit_batch([new_task(), new_task()])
    one, two = [await backend.begin(claim) for claim in await backend.queue.claim(["sandbox"], 2)]
    stranger = replace(one.lease, attempt_id=uuid_utils.compat.uuid7())
    lost, kept = await asyncio.gather(
        backend.store.finish(stranger, Succeeded(()), now()),
        backend.ended(two.lease, Succeeded(())),
        return_exceptions=True,
    )
    assert isinstance(lost, LeaseLost)
    assert kept.status is TaskStatus.SUCCEEDED


async def test_what_was_spent_since_a_moment(backend):
    began = now()
    price = Decimal("0.25")
    assert await backend.store.spent_usd(began) == 0

    async def ended(outcome, **changes):
        begun = await backend.begun(price_usd=price, **changes)
        await backend.store.finish(begun.lease, outcome, now())

    def failed(charged):
        return Failed(
            Failure(FailureCode.TIMEOUT, "", retryable=False, charged=charged, who_must_act=Actor.NOBODY)
        )

    await ended(Succeeded((), Cost(Decimal("0.10"))))
    assert await backend.store.spent_usd(began) == Decimal("0.10")
    await ended(Succeeded(()))
    assert await backend.store.spent_usd(began) == Decimal("0.35")
    await ended(failed(Charged.NO))
    assert await backend.store.spent_usd(began) == Decimal("0.35")
    await ended(failed(Charged.MAYBE))
    assert await backend.store.spent_usd(began) == Decimal("0.60")
    await ended(Canceled())
    assert await backend.store.spent_usd(began) == Decimal("0.85")
    waiting = (await backend.store.submit(new_task(price_usd=price))).task
    assert await backend.store.spent_usd(began) == Decimal("1.10")
    assert (await backend.store.get(waiting.id)).price_usd == price
    await backend.store.cancel(waiting.id, now())
    assert await backend.store.spent_usd(began) == Decimal("0.85")
    await backend.store.submit(new_task(price_usd=None))
    assert await backend.store.spent_usd(began) == Decimal("0.85")
    assert await backend.store.spent_usd(now()) == 0


async def test_a_cost_that_is_no_number_counts_as_the_price(backend):
    began, price = now(), Decimal("0.25")
    begun = await backend.begun(price_usd=price)
    await backend.store.finish(begun.lease, Succeeded((), Cost(Decimal("NaN"))), now())
    assert await backend.store.spent_usd(began) == price


async def test_an_attempt_that_may_have_been_charged_counts_whatever_follows(backend):
    began, price = now(), Decimal("0.25")

    async def after(outcome):
        begun = await backend.begin(await backend.claim())
        await backend.store.finish(begun.lease, outcome, now())
        return await backend.store.spent_usd(began)

    def failure(charged):
        return Failure(FailureCode.TIMEOUT, "", retryable=True, charged=charged, who_must_act=Actor.PROVIDER)

    task = (await backend.store.submit(new_task(price_usd=price))).task
    assert await after(RetryLater(failure(Charged.NO), 0.0)) == price
    assert await after(RetryLater(failure(Charged.MAYBE), 0.0)) == 2 * price
    assert await after(Failed(failure(Charged.NO))) == price
    await backend.store.retry(task.id, now())
    assert await backend.store.spent_usd(began) == 2 * price
    assert await after(Failed(failure(Charged.YES))) == 2 * price
    await backend.store.retry(task.id, now())
    assert await after(Succeeded((), Cost(Decimal("0.40")))) == 2 * price + Decimal("0.40")


async def test_a_price_keeps_all_its_digits(backend):
    prices = [Decimal("0.1"), Decimal("0.2"), Decimal("0.000000000000000001"), Decimal(0)]
    for price in prices:
        task = (await backend.store.submit(new_task(price_usd=price))).task
        assert (await backend.store.get(task.id)).price_usd == price
    assert await backend.store.spent_usd(now() - timedelta(hours=1)) == sum(prices)


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
    assert await backend.queue.depth() == 1


async def test_failed_tasks_are_found_by_their_code(backend):
    ids = {}
    for code, failure in (("down", DOWN), ("no", NO), ("down again", DOWN)):
        begun = await backend.begun()
        await backend.store.finish(begun.lease, Failed(failure), now())
        ids[code] = begun.task.id
    waiting = await backend.begun()
    await backend.store.finish(waiting.lease, RetryLater(DOWN, 60.0), now())
    down = TaskQuery(code=FailureCode.PROVIDER_UNAVAILABLE)
    assert [task.id for task in await backend.store.find(down)] == [ids["down again"], ids["down"]]
    older = replace(down, before=ids["down again"])
    assert [task.id for task in await backend.store.find(older)] == [ids["down"]]
    assert await backend.store.find(replace(down, status=TaskStatus.QUEUED)) == ()
    await backend.store.retry(ids["down"], now())
    assert [task.id for task in await backend.store.find(down)] == [ids["down again"]]
