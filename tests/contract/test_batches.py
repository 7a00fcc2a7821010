"""Batches: written once, counted by their tasks."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest
import uuid_utils.compat

from genpulse.adapters.database.removal.retention import PostgresRetention
from genpulse.adapters.memory.removal.retention import MemoryRetention
from genpulse.adapters.memory.tasks.store import MemoryTaskStore
from genpulse.domain.attempt import Failed, Succeeded
from genpulse.domain.errors import BudgetExceeded, IdempotencyKeyReuse, UnknownBatch
from genpulse.domain.failure import Actor, Charged, Failure, FailureCode
from genpulse.domain.money.cost import Cost
from genpulse.domain.money.spending import SpendingLimits
from genpulse.domain.search.task_query import TaskFilter, TaskQuery
from genpulse.domain.task import TaskStatus
from genpulse.domain.task_batch import BatchQuery, NewBatch
from tests.contract.conftest import new_task
from tests.queues import depth_of

BLOCKED = Failure(FailureCode.MODERATION_BLOCKED, "no", False, Charged.NO, Actor.CALLER)
AWAY = Failure(FailureCode.PROVIDER_UNAVAILABLE, "away", True, Charged.NO, Actor.PROVIDER)


def new_batch(**changes) -> NewBatch:
    return NewBatch(uuid_utils.compat.uuid7(), "dev", **changes)


def tasks_of(batch: NewBatch, *keys: str | None, **changes):
    return [
        new_task(
            batch_id=batch.id, idempotency_key=key, fingerprint="f" if key else "", owner=batch.owner, **changes
        )
        for key in keys
    ]


async def submitted(backend, *keys, **changes) -> UUID:
    batch = new_batch(**changes)
    await backend.store.submit_batch(tasks_of(batch, *keys), batch=batch)
    return batch.id


async def test_a_batch_is_written_with_its_tasks_and_counted_by_them(backend):
    batch_id = await submitted(backend, None, None, None, None)
    batch = await backend.batches.get(batch_id)
    assert (batch.id, batch.environment, batch.owner, batch.size) == (batch_id, "dev", "", 4)
    assert batch.statuses == {TaskStatus.QUEUED: 4}
    assert (batch.live, batch.removed, batch.ended, batch.finished_at, batch.cost) == (4, 0, False, None, None)

    first, second, third = await backend.claim(at_most=3)
    await backend.end(first.lease, Succeeded((), cost=Cost(Decimal("0.04"), estimated=False)))
    await backend.end(second.lease, Failed(BLOCKED))
    await backend.end(third.lease, Failed(AWAY))
    batch = await backend.batches.get(batch_id)
    assert batch.statuses == {TaskStatus.SUCCEEDED: 1, TaskStatus.FAILED: 2, TaskStatus.QUEUED: 1}
    assert (batch.retryable, batch.ended) == (1, False)
    assert batch.cost == Cost(Decimal("0.04"), estimated=False)

    ends = await backend.batches.ends(batch_id)
    assert {end.task_id for end in ends} == {first.task.id, second.task.id, third.task.id}
    assert list(ends) == sorted(ends)
    (left,) = await backend.store.find(TaskQuery(filter=TaskFilter(batch=batch_id, statuses=(TaskStatus.QUEUED,))))
    await backend.store.cancel(left.id)
    batch = await backend.batches.get(batch_id)
    assert (batch.ended, batch.finished_at) == (True, (await backend.batches.ends(batch_id))[-1].at)


async def test_tasks_are_found_by_their_batch(backend):
    await backend.store.submit(new_task())
    one, other = await submitted(backend, None, None), await submitted(backend, None)
    found = await backend.store.find(TaskQuery(filter=TaskFilter(batch=one)))
    assert [task.batch_id for task in found] == [one, one]
    (single,) = await backend.store.find(TaskQuery(filter=TaskFilter(batch=other, kinds=("noop",))))
    assert (await backend.store.get(single.id)).batch_id == other
    groups = await backend.store.groups(TaskFilter(batch=one))
    assert sum(group.count for group in groups) == 2


async def test_an_unknown_batch_is_said(backend):
    unknown = new_batch().id
    with pytest.raises(UnknownBatch):
        await backend.batches.get(unknown)
    assert await backend.batches.ends(unknown) == ()


async def test_the_key_of_a_whole_batch_gives_its_tasks_again(backend):
    batch = new_batch(idempotency_key="k", fingerprint="f", owner="somebody")
    first = await backend.store.submit_batch(tasks_of(batch, None, None, None), batch=batch)
    again = new_batch(idempotency_key="k", fingerprint="f", owner="somebody")
    replayed = await backend.store.submit_batch(tasks_of(again, None, None, None), batch=again)
    assert [each.task.id for each in replayed] == [each.task.id for each in first]
    assert all(each.replayed for each in replayed)
    assert await depth_of(backend.queue) == 3
    earlier = await backend.store.earlier_batch(again)
    assert (earlier.id, earlier.tasks) == (batch.id, replayed)
    assert await backend.store.earlier_batch(replace(again, owner="another")) is None
    assert await backend.store.earlier_batch(new_batch()) is None


async def test_the_key_of_a_whole_batch_with_another_body_is_refused(backend):
    batch = new_batch(idempotency_key="k", fingerprint="f")
    await backend.store.submit_batch(tasks_of(batch, None), batch=batch)
    other = new_batch(idempotency_key="k", fingerprint="other")
    with pytest.raises(IdempotencyKeyReuse):
        await backend.store.submit_batch(tasks_of(other, None), batch=other)
    with pytest.raises(IdempotencyKeyReuse):
        await backend.store.earlier_batch(other)
    assert await depth_of(backend.queue) == 1


async def test_the_same_batch_at_the_same_moment_is_written_once(backend):
    async def one():
        batch = new_batch(idempotency_key="k", fingerprint="f")
        return await backend.store.submit_batch(tasks_of(batch, None, None), batch=batch)

    answers = await asyncio.gather(*(one() for _ in range(4)))
    assert len({tuple(each.task.id for each in answer) for answer in answers}) == 1
    assert await depth_of(backend.queue) == 2
    assert len(await backend.batches.find(BatchQuery())) == 1


async def test_the_same_orders_at_the_same_moment_are_written_once(backend):
    answers = await asyncio.gather(*(submitted(backend, "a", "b", "c") for _ in range(4)))
    assert await depth_of(backend.queue) == 3
    (batch,) = await backend.batches.find(BatchQuery())
    assert batch.id in answers
    assert batch.size == 3


async def test_of_orders_with_keys_only_the_new_ones_are_of_the_new_batch(backend):
    first = await submitted(backend, "a", "b")
    second = new_batch()
    answer = await backend.store.submit_batch(tasks_of(second, "b", "c", None), batch=second)
    assert [each.replayed for each in answer] == [True, False, False]
    assert [each.task.batch_id for each in answer] == [first, second.id, second.id]
    assert (await backend.batches.get(second.id)).size == 2
    known = await backend.store.known(tasks_of(new_batch(), "c", "d", None))
    assert [each and each.task.id for each in known] == [answer[1].task.id, None, None]


async def test_a_batch_of_which_all_is_known_is_none(backend):
    await submitted(backend, "a", "b")
    again = await submitted(backend, "a", "b")
    with pytest.raises(UnknownBatch):
        await backend.batches.get(again)


async def test_a_batch_that_does_not_fit_leaves_nothing_behind(backend):
    batch = new_batch(idempotency_key="k", fingerprint="f")
    tasks = tasks_of(batch, None, None, price_usd=Decimal(3))
    with pytest.raises(BudgetExceeded):
        await backend.store.submit_batch(tasks, SpendingLimits(Decimal(5)), batch)
    assert await backend.store.earlier_batch(batch) is None
    assert await backend.batches.find(BatchQuery()) == ()
    assert len(await backend.store.submit_batch(tasks, SpendingLimits(Decimal(6)), batch)) == 2


async def test_an_old_batch_goes_with_its_last_task(backend):
    batch_id = await submitted(backend, None, None)
    begun = await backend.claim(at_most=2)
    tasks = [await backend.ended(each.lease, Succeeded(())) for each in begun]
    if isinstance(backend.store, MemoryTaskStore):
        retention = MemoryRetention(backend.store, backend.deliveries)
        batch = backend.store._batches[batch_id]
        backend.store._batches[batch_id] = replace(batch, created_at=batch.created_at - timedelta(days=2))
    else:
        retention = PostgresRetention(backend.store._pool, "dev")
        await backend.store._pool.execute("UPDATE batches SET created_at = created_at - interval '2 days'")
    for task, kept in zip(tasks, (1, 0), strict=True):
        await backend.age(task, timedelta(days=2))
        async with retention.turn() as pruning:
            await pruning.tasks(timedelta(days=1), 10)
        assert len(await backend.batches.find(BatchQuery())) == kept
        if kept:
            assert (await backend.batches.get(batch_id)).removed == 1


async def test_pages_hold_the_newest_first_and_one_owner_s(backend):
    ids = [await submitted(backend, None, owner=owner) for owner in ("a", "b", "a", "")]
    assert [batch.id for batch in await backend.batches.find(BatchQuery())] == ids[::-1]
    assert [batch.id for batch in await backend.batches.find(BatchQuery(owner="a"))] == [ids[2], ids[0]]
    assert [batch.id for batch in await backend.batches.find(BatchQuery(limit=1, before=ids[2]))] == [ids[1]]
    assert [batch.id for batch in await backend.batches.find(BatchQuery(before=ids[2], owner="a"))] == [ids[0]]
