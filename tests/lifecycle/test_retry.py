"""Somebody asks for a failed task to run again, and its order may still run at the vendor, or be paid for."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from genpulse.domain.attempt import End, Failed
from genpulse.domain.errors import (
    KeyLimitExceeded,
    MayBeCharged,
    NotRetryable,
    ProviderRejected,
    UnknownOutcome,
)
from genpulse.domain.failure import Charged, FailureCode
from genpulse.domain.keys.api_key import ApiKey, KeyLimits, Scope
from genpulse.domain.keys.caller import Caller
from genpulse.domain.retry import RetryPolicy
from genpulse.domain.task import TaskStatus
from genpulse.lifecycle.retry import retry


async def of_unknown_outcome(world):
    """A failed task whose vendor answers with the output itself, and whose answer got lost."""
    world.shop.errors = [ConnectionResetError("peer went away")]
    failed = await world.ended(await world.submit("art/shop", kind="text-to-image"))
    assert (failed.error.code, failed.error.charged) == (FailureCode.UNKNOWN_OUTCOME, Charged.MAYBE)
    return failed


async def test_what_would_be_ordered_twice_is_refused_and_says_what_may_run_and_what_to_do(world):
    async with world.worker():
        failed = await of_unknown_outcome(world)
        with pytest.raises(MayBeCharged) as refused:
            await retry(world.services, failed.id)
    message = str(refused.value)
    assert f"it was ordered at {failed.order.sent_at:%Y-%m-%d %H:%M:%S} UTC" in message
    assert failed.order.reference in message
    assert '{"even_if_charged": true}' in message
    assert f"genpulse tasks retry {failed.id} --even-if-charged" in message
    assert await world.services.store.get(failed.id) == failed
    assert world.shop.sold == 1


async def test_who_says_so_orders_it_anew(world):
    async with world.worker():
        failed = await of_unknown_outcome(world)
        ended = await world.ended(await retry(world.services, failed.id, even_if_charged=True))
    assert (ended.status, ended.order, world.shop.sold) == (TaskStatus.SUCCEEDED, None, 2)


async def test_a_job_that_can_be_looked_up_needs_no_word(world):
    world.studio.can_find = False
    world.studio.submit_errors = [TimeoutError()]
    async with world.worker():
        failed = await world.ended(await world.submit("art/studio"))
        with pytest.raises(MayBeCharged):
            await retry(world.services, failed.id)
        world.studio.can_find = True
        ended = await world.ended(await retry(world.services, failed.id))
    assert (ended.status, world.studio.submits) == (TaskStatus.SUCCEEDED, 1)


async def test_a_job_of_which_the_vendor_knows_nothing_any_more_is_ordered_anew_with_the_word(world):
    """Without it the same job is asked for again, which is all that costs nothing."""
    world.studio.finished, world.studio.longest_s, world.studio.can_cancel = False, 0.1, False
    async with world.worker():
        failed = await world.ended(await world.submit("art/studio"))
        assert failed.order.job_id == "job-1"
        world.studio.finished = True
        ended = await world.ended(await retry(world.services, failed.id, even_if_charged=True))
    assert (ended.status, world.studio.submits) == (TaskStatus.SUCCEEDED, 2)


async def test_what_is_charged_once_at_most_needs_no_word(world):
    async with world.worker():
        failed = await of_unknown_outcome(world)
        world.shop.repeatable = True
        assert (await world.ended(await retry(world.services, failed.id))).status is TaskStatus.SUCCEEDED


async def test_an_operator_who_would_rather_pay_twice_has_said_so_already(world):
    async with world.worker():
        failed = await of_unknown_outcome(world)
        resubmits = replace(world.services, retry=RetryPolicy(resubmits=frozenset({"art"})))
        assert (await world.ended(await retry(resubmits, failed.id))).status is TaskStatus.SUCCEEDED


@pytest.mark.parametrize("even_if_charged", [False, True])
async def test_a_task_that_ordered_nothing_needs_no_word(world, even_if_charged):
    world.painter.errors = [ProviderRejected("no")]
    async with world.worker():
        failed = await world.ended(await world.submit("art/painter"))
        queued = await retry(world.services, failed.id, even_if_charged=even_if_charged)
        assert (await world.ended(queued)).status is TaskStatus.SUCCEEDED


async def test_a_task_that_still_runs_is_no_question_of_money(world):
    task = await world.submit("art/shop", kind="text-to-image")
    begun = await world.begun()
    await world.services.store.journal_order(begun.lease)
    with pytest.raises(NotRetryable):
        await retry(world.services, task.id)


async def test_a_key_runs_its_own_tasks_again_within_its_limits_and_an_operator_beyond_them(world):
    limits = KeyLimits(max_active_tasks=1)
    caller = Caller(ApiKey(uuid4(), "shop", "abcd", frozenset({Scope.WRITE}), datetime.now(UTC), limits))
    world.shop.errors = [ProviderRejected("no")]
    async with world.worker():
        failed = await world.ended(await world.submit("art/shop", kind="text-to-image", caller=caller))
    await world.submit("art/shop", kind="text-to-image", caller=caller)
    with pytest.raises(KeyLimitExceeded, match="may have 1; this would make 2"):
        await retry(world.services, failed.id, caller=caller)
    assert (await world.services.store.get(failed.id)).status is TaskStatus.FAILED
    assert (await retry(world.services, failed.id)).status is TaskStatus.QUEUED


class _FailsMeanwhile:
    """A store in which a task fails right after it was looked at while it ran."""

    def __init__(self, store, fail):
        self._store, self._fail, self._has_failed = store, fail, False

    def __getattr__(self, name):
        return getattr(self._store, name)

    async def get(self, task_id):
        task = await self._store.get(task_id)
        if not self._has_failed:
            self._has_failed = True
            await self._fail()
        return task


async def test_a_task_that_fails_while_a_retry_looks_at_it_is_not_paid_for_twice(world):
    """What the retry saw was that it ran; its order was sent by then, and nobody knows what became of it."""
    task = await world.submit("art/shop", kind="text-to-image")
    begun = await world.begun()
    await world.services.store.journal_order(begun.lease)
    unknown = UnknownOutcome("lost").failure

    async def fail():
        await world.services.store.finish(End(begun.lease, Failed(unknown), order_open=True))

    services = replace(world.services, store=_FailsMeanwhile(world.services.store, fail))
    with pytest.raises(MayBeCharged):
        await retry(services, task.id)
    failed = await world.services.store.get(task.id)
    assert (failed.status, failed.order is not None) == (TaskStatus.FAILED, True)


async def test_a_retry_of_what_was_retried_meanwhile_changes_nothing(world):
    task = await world.submit("art/painter")
    begun = await world.begun()
    await world.services.store.finish(End(begun.lease, Failed(ProviderRejected("no").failure)))
    seen = await world.services.store.get(task.id)
    with pytest.raises(NotRetryable):
        await world.services.store.retry(task.id, seen_seq=seen.seq - 1)
    assert (await world.services.store.retry(task.id, seen_seq=seen.seq)).status is TaskStatus.QUEUED
