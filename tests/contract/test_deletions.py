"""What every store of deletions does."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest
import uuid_utils.compat

from genpulse.adapters.database.removal.deletion import PostgresDeletions
from genpulse.adapters.database.removal.retention import PostgresRetention
from genpulse.adapters.memory.removal.deletion import MemoryDeletions
from genpulse.adapters.memory.removal.retention import MemoryRetention
from genpulse.adapters.memory.tasks.store import MemoryTaskStore
from genpulse.domain.assets.asset import Asset, Content, key_of
from genpulse.domain.attempt import Canceled, End, Failed, Released, RetryLater, Succeeded
from genpulse.domain.deletion import Deletion
from genpulse.domain.errors import (
    AssetInUse,
    BytesErased,
    LeaseLost,
    NotRetryable,
    ProviderUnavailable,
    TaskDeleted,
    UnknownAsset,
    UnknownTask,
)
from genpulse.domain.money.cost import Cost
from genpulse.domain.result.task_result import TaskResult
from genpulse.domain.retention import Pruned, StoredObject
from genpulse.domain.search.task_query import TaskQuery
from genpulse.domain.search.usage import UsageField, UsageQuery
from genpulse.domain.task import Task
from genpulse.domain.webhook_delivery import Answer
from genpulse.ports import DeletionStore, Retention
from tests.contract.conftest import Backend, new_task, now
from tests.queues import depth_of

DOWN = ProviderUnavailable("down").failure
ME = "https://example.org/"
NONE = timedelta(0)


@dataclass
class Place:
    """A backend in which things are deleted."""

    backend: Backend
    retention: Retention
    deletions: DeletionStore

    async def ended(self, *outputs: Asset, result: TaskResult | None = None, **changes) -> Task:
        begun = await self.backend.begun(**changes)
        made = tuple(replace(output, task_id=begun.task.id, owner=begun.task.owner) for output in outputs)
        for output in made:
            await self.retention.expect(output.content.key, output.content.size, begun.task.id)
        return await self.backend.ended(begun.lease, Succeeded(made, result=result))

    async def texts(self) -> str:
        """All that is left of tasks, as text."""
        store = self.backend.store
        if isinstance(store, MemoryTaskStore):
            return repr((store._tasks, store.deleted, self.backend.deliveries.__dict__))
        rows = await store._pool.fetch(
            "SELECT to_jsonb(tasks)::text AS text FROM tasks UNION ALL SELECT to_jsonb(deliveries)::text"
            " FROM deliveries UNION ALL SELECT to_jsonb(tombstones)::text FROM tombstones"
        )
        return " ".join(row["text"] for row in rows)

    async def delete(self, *ids: UUID, owner: str | None = None) -> Deletion:
        return await self.deletions.delete_tasks(ids, owner=owner, deleted_by="me")

    async def erased(self) -> Pruned:
        tasks = await self.deletions.erase_tasks(100, 0)
        assets = await self.deletions.erase_assets(100)
        return tasks.pruned + assets.pruned

    async def objects(self) -> list[str]:
        return [stored.key for stored in await self.deletions.erased_objects(100)]

    async def is_shown(self, task_id: UUID) -> bool:
        try:
            await self.backend.store.get(task_id)
        except UnknownTask:
            listed = [task.id for task in await self.backend.store.find(TaskQuery(limit=100))]
            assert task_id not in listed
            assert await self.backend.store.attempts(task_id) == ()
            return False
        return True

    async def has(self, asset: Asset) -> bool:
        try:
            await self.backend.store.asset(asset.id)
        except UnknownAsset:
            return False
        return True


@pytest.fixture
async def place(backend: Backend) -> AsyncIterator[Place]:
    if isinstance(backend.store, MemoryTaskStore):
        retention = MemoryRetention(backend.store, backend.deliveries)
        yield Place(backend, retention, MemoryDeletions(backend.store, backend.deliveries, retention))
        return
    pool = backend.deliveries._pool
    kept = PostgresRetention(pool)
    yield Place(backend, kept, PostgresDeletions(pool))
    await kept.close()


def asset(content: str = "a") -> Asset:
    sha256 = content * 64
    kept = Content(key_of(sha256, now()), sha256, 5, "image/png")
    return Asset(uuid_utils.compat.uuid7(), kept, now(), "dev")


async def test_a_task_that_is_deleted_is_gone_with_all_that_is_its_own(place):
    output = asset()
    task = await place.ended(output, webhook_url=ME)
    done = await place.delete(task.id)
    assert done == Deletion(deleted=(task.id,))
    assert not await place.is_shown(task.id)
    assert await place.backend.deliveries.due(10, 60, per_origin=10, room={}) == ()
    assert await place.erased() == Pruned(tasks=1, attempts=1, assets=1)
    assert not await place.has(output)
    assert await place.objects() == [output.content.key]
    await place.deletions.removed_objects([output.content.key])
    assert await place.objects() == []
    assert not await place.is_shown(task.id)
    assert await place.erased() == Pruned()


async def test_deleting_again_tells_that_it_was_known(place):
    task = await place.ended()
    assert await place.delete(task.id, task.id) == Deletion(deleted=(task.id,))
    assert await place.delete(task.id) == Deletion(deleted_before=(task.id,))
    await place.erased()
    assert await place.delete(task.id) == Deletion(deleted_before=(task.id,))
    assert await place.delete(uuid_utils.compat.uuid7()) == Deletion()


async def test_nobody_deletes_what_belongs_to_another_owner(place):
    theirs = await place.ended(asset("a"), owner="them")
    assert await place.delete(theirs.id, owner="me") == Deletion()
    assert await place.is_shown(theirs.id)
    with pytest.raises(UnknownAsset):
        await place.deletions.delete_asset(theirs.outputs[0].id, owner="me")
    await place.delete(theirs.id, owner="them")
    assert await place.delete(theirs.id, owner="me") == Deletion()


async def test_many_are_deleted_at_once(place):
    tasks = [await place.ended() for _ in range(3)]
    queued = (await place.backend.store.submit(new_task())).task
    done = await place.delete(*(task.id for task in tasks), queued.id, uuid_utils.compat.uuid7())
    assert set(done.deleted) == {*(task.id for task in tasks), queued.id}
    assert done.live == (queued.id,)


async def test_a_queued_task_ends_by_a_cancel_and_then_goes(place):
    task = (await place.backend.store.submit(new_task(webhook_url=ME))).task
    await place.delete(task.id)
    assert await place.deletions.unended(10) == (task.id,)
    assert await place.erased() == Pruned()
    ended = await place.backend.store.cancel(task.id)
    assert ended.status == "canceled"
    assert await place.deletions.unended(10) == ()
    assert await place.backend.deliveries.due(10, 60, per_origin=10, room={}) == ()
    assert await place.erased() == Pruned(tasks=1)
    assert await place.backend.claim() == []
    assert await depth_of(place.backend.queue) == 0


@pytest.mark.parametrize("outcome", ["succeeded", "failed", "retry", "released", "canceled"])
async def test_the_late_end_of_a_running_task_leaves_nothing(place, outcome):
    begun = await place.backend.begun(webhook_url=ME, idempotency_key="k")
    output = replace(asset(), task_id=begun.task.id)
    await place.retention.expect(output.content.key, 5, begun.task.id)
    assert (await place.delete(begun.task.id)).live == (begun.task.id,)
    await place.backend.store.cancel(begun.task.id)
    (held,) = await place.backend.store.renew(place.backend.worker, now())
    assert held.unwanted
    assert await place.erased() == Pruned()
    ends = {
        "succeeded": Succeeded((output,)),
        "failed": Failed(DOWN),
        "retry": RetryLater(DOWN, 0.0),
        "released": Released(),
        "canceled": Canceled(),
    }
    await place.backend.store.finish(end_of(begun, ends[outcome]))
    assert not await place.is_shown(begun.task.id)
    assert await place.backend.deliveries.due(10, 60, per_origin=10, room={}) == ()
    assert (await place.erased()).tasks == 1
    assert await place.objects() == [output.content.key]
    assert not await place.has(output)
    assert await place.backend.claim() == []


def end_of(begun, outcome):
    return End(begun.lease, outcome)


async def test_an_open_order_is_taken_up_to_be_stopped(place):
    begun = await place.backend.begun()
    order = await place.backend.store.journal_order(begun.lease)
    await place.backend.end(begun.lease, Released(), order_open=True, ordered_at=order.sent_at)
    await place.delete(begun.task.id)
    await place.backend.store.cancel(begun.task.id)
    assert await place.erased() == Pruned()
    (again,) = await place.backend.claim()
    assert again.task.cancel_requested
    assert again.task.order == order
    await place.backend.end(again.lease, Canceled())
    assert (await place.erased()).tasks == 1


async def test_what_is_still_to_be_stopped_at_the_vendor_is_due_at_once_and_holds_the_task_up(place):
    begun = await place.backend.begun()
    order = await place.backend.store.journal_order(begun.lease)
    await place.backend.store.cancel(begun.task.id)
    await place.backend.end(begun.lease, Canceled(), order_open=True, ordered_at=order.sent_at, stop_later=True)
    assert await place.backend.store.to_stop(["sandbox"], 10) == ()
    await place.delete(begun.task.id)
    assert await place.erased() == Pruned()
    (task,) = await place.backend.store.to_stop(["sandbox"], 10)
    assert task.id == begun.task.id
    await place.backend.store.close_order(task.id, order.reference)
    assert (await place.erased()).tasks == 1


async def test_a_failed_task_that_was_deleted_does_not_come_back_by_a_retry(place):
    begun = await place.backend.begun()
    await place.backend.end(begun.lease, Failed(DOWN))
    await place.delete(begun.task.id)
    with pytest.raises((UnknownTask, NotRetryable)):
        await place.backend.store.retry(begun.task.id)
    assert (await place.erased()).tasks == 1


async def test_the_idempotency_key_of_a_deleted_task_is_refused_until_its_tombstone_goes(place):
    task = await place.ended(idempotency_key="k", owner="me")
    await place.delete(task.id)
    again = new_task(idempotency_key="k", owner="me")
    for _ in range(2):
        with pytest.raises(TaskDeleted):
            await place.backend.store.submit(again)
        with pytest.raises(TaskDeleted):
            await place.backend.store.earlier(again)
        with pytest.raises(TaskDeleted):
            await place.backend.store.submit_batch([new_task(), again])
        await place.erased()
    assert not (await place.backend.store.submit(new_task(idempotency_key="k", owner="you"))).replayed
    assert len(await place.backend.store.find(TaskQuery())) == 1
    await place.deletions.forget(timedelta(days=1), 10)
    with pytest.raises(TaskDeleted):
        await place.backend.store.submit(again)
    await place.deletions.forget(NONE, 10)
    assert not (await place.backend.store.submit(again)).replayed
    assert await place.delete(task.id) == Deletion()


async def test_a_refused_key_takes_no_other_submit_along(place):
    task = await place.ended(idempotency_key="k")
    await place.delete(task.id)
    answers = await asyncio.gather(
        *(place.backend.store.submit(new_task(idempotency_key=key)) for key in ("a", "k", "b", None)),
        return_exceptions=True,
    )
    assert [isinstance(answer, TaskDeleted) for answer in answers] == [False, True, False, False]


async def test_bytes_that_another_asset_has_stay(place):
    first, second = asset("a"), asset("a")
    task = await place.ended(first)
    other = await place.ended(second)
    await place.delete(task.id)
    assert (await place.erased()).assets == 1
    assert await place.objects() == []
    assert await place.has(second)
    await place.delete(other.id)
    await place.erased()
    assert await place.objects() == [second.content.key]


async def test_what_a_task_has_stored_and_never_had_goes_too(place):
    begun = await place.backend.begun()
    left = asset("b").content.key
    assert await place.retention.expect(left, 7, begun.task.id) == left
    await place.backend.end(begun.lease, Failed(DOWN))
    await place.delete(begun.task.id)
    await place.erased()
    assert await place.deletions.erased_objects(10) == (StoredObject(left, 7),)


async def test_under_a_key_that_is_erased_nothing_is_stored_again(place):
    output = asset()
    task = await place.ended(output)
    await place.delete(task.id)
    await place.erased()
    key = output.content.key
    elsewhere = await place.retention.expect(key, 5)
    assert elsewhere == f"{key}-1"
    assert await place.retention.expect(key, 5) == elsewhere
    upload = replace(asset(), content=replace(output.content, key=elsewhere))
    await place.backend.store.add_asset(upload)
    await place.deletions.delete_asset(upload.id, owner=None)
    await place.erased()
    assert set(await place.objects()) == {key, elsewhere}
    keys = {await place.retention.expect(key, 5) for _ in range(3)}
    assert keys == {f"{key}-2"}


async def test_whoever_has_stored_bytes_that_were_erased_since_then_is_told(place):
    output = asset()
    task = await place.ended(output)
    begun = await place.backend.begun()
    await place.retention.expect(output.content.key, 5, begun.task.id)
    await place.delete(task.id)
    await place.erased()
    late = replace(asset(), task_id=begun.task.id)
    assert late.content.key == output.content.key
    with pytest.raises(BytesErased):
        await place.backend.end(begun.lease, Succeeded((late,)))
    with pytest.raises(BytesErased):
        await place.backend.store.add_asset(asset())
    assert (await place.backend.store.get(begun.task.id)).status == "running"
    again = replace(late, content=replace(late.content, key=await place.retention.expect(late.content.key, 5)))
    assert (await place.backend.ended(begun.lease, Succeeded((again,)))).outputs == (again,)


async def test_nothing_is_stored_for_a_task_that_is_gone(place):
    task = await place.ended()
    await place.delete(task.id)
    assert await place.retention.expect(asset().content.key, 5, task.id)
    await place.erased()
    with pytest.raises(LeaseLost):
        await place.retention.expect(asset("b").content.key, 5, task.id)
    both = await asyncio.gather(
        place.retention.expect(asset("c").content.key, 5),
        place.retention.expect(asset("c").content.key, 5, task.id),
        return_exceptions=True,
    )
    assert both[0] == asset("c").content.key
    assert isinstance(both[1], LeaseLost)


async def test_an_output_that_an_unfinished_task_needs_goes_after_that(place):
    output = asset()
    task = await place.ended(output)
    user = await place.backend.begun(input={"image": f"asset:{output.id}"})
    await place.delete(task.id)
    assert await place.erased() == Pruned(tasks=1, attempts=1)
    assert await place.has(output)
    assert await place.backend.store.owners_of_assets([output.id]) == {}
    await place.backend.end(user.lease, Succeeded(()))
    assert not await place.has(output)
    assert await place.erased() == Pruned(assets=1)
    assert await place.objects() == [output.content.key]


async def test_an_asset_that_is_deleted_is_missing_from_its_task(place):
    first, second = asset("a"), asset("b")
    task = await place.ended(first, second)
    await place.deletions.delete_asset(first.id, owner=None)
    await place.deletions.delete_asset(first.id, owner=None)
    assert not await place.has(first)
    assert await place.backend.store.owners_of_assets([first.id, second.id]) == {second.id: ""}
    shown = await place.backend.store.get(task.id)
    assert [output.id for output in shown.outputs] == [second.id]
    ((code, index, message),) = [(one.code, one.index, one.message) for one in shown.warnings]
    assert (code, index) == ("output_missing", 0)
    assert message == f"The output {first.id} was deleted."
    assert await place.erased() == Pruned(assets=1)
    assert await place.objects() == [first.content.key]
    with pytest.raises(UnknownAsset):
        await place.deletions.delete_asset(first.id, owner=None)


async def test_each_output_that_is_deleted_is_missing_at_its_own_place(place):
    made = [asset(word) for word in "abcd"]
    task = await place.ended(*made)
    for number in (1, 0, 3):
        await place.deletions.delete_asset(made[number].id, owner=None)
    shown = await place.backend.store.get(task.id)
    assert [output.id for output in shown.outputs] == [made[2].id]
    assert [warning.index for warning in shown.warnings] == [1, 0, 3]


async def test_an_upload_that_an_unfinished_task_needs_is_refused(place):
    upload = asset()
    await place.backend.store.add_asset(upload)
    user = await place.backend.begun(input={"image": f"asset:{upload.id}"})
    with pytest.raises(AssetInUse, match=str(user.task.id)):
        await place.deletions.delete_asset(upload.id, owner=None)
    assert await place.has(upload)
    await place.backend.end(user.lease, Succeeded(()))
    await place.deletions.delete_asset(upload.id, owner=None)
    assert await place.erased() == Pruned(assets=1)


async def test_a_task_with_its_own_retention_is_deleted_after_it(place):
    short = await place.ended(retain_s=60, idempotency_key="k")
    long, usual = await place.ended(retain_s=600), await place.ended()
    assert await place.deletions.delete_overdue(10, 0) == 0
    for task in (short, long, usual):
        await place.backend.age(task, timedelta(seconds=61))
    assert await place.deletions.delete_overdue(10, 0) == 1
    assert [await place.is_shown(task.id) for task in (short, long, usual)] == [False, True, True]
    assert (await place.erased()).tasks == 1
    with pytest.raises(TaskDeleted):
        await place.backend.store.submit(new_task(idempotency_key="k"))


async def test_a_task_that_is_kept_for_no_time_waits_for_its_message(place):
    task = await place.ended(retain_s=0, webhook_url=ME)
    assert await place.deletions.delete_overdue(10, 0) == 0
    ((delivery, told),) = await place.backend.deliveries.due(10, 60, per_origin=10, room={})
    assert told.id == task.id
    await place.backend.deliveries.taken(delivery.id, Answer(200))
    assert await place.deletions.delete_overdue(10, 60) == 0
    assert await place.deletions.delete_overdue(10, 0) == 1
    assert not await place.is_shown(task.id)


async def test_what_a_message_in_flight_learns_changes_nothing(place):
    task = await place.ended(webhook_url=ME)
    ((delivery, _),) = await place.backend.deliveries.due(10, 0, per_origin=10, room={})
    await place.delete(task.id)
    assert await place.backend.deliveries.not_taken(delivery.id, Answer(500, "no"), 0.0) is None
    await place.backend.deliveries.taken(delivery.id, Answer(200))
    assert await place.backend.deliveries.due(10, 60, per_origin=10, room={}) == ()


async def test_what_was_used_does_not_shrink(place):
    for price, cost in ((Decimal("0.5"), Cost(Decimal("0.25"), estimated=False)), (None, None)):
        begun = await place.backend.begun(owner="me", price_usd=price, metadata={"customer": "a"})
        await place.backend.end(begun.lease, Succeeded((), cost))
    left = await place.backend.begun(owner="me", price_usd=Decimal(1))
    await place.backend.end(left.lease, Failed(DOWN))
    day = timedelta(days=1)
    fields = (UsageField.DAY, UsageField.PROVIDER, UsageField.MODEL, UsageField.KEY, UsageField.STATUS)
    query = UsageQuery(now() - day, now() + day, fields, owner="me")
    before = await place.backend.store.usage_by(query)
    assert sum(row.count for row in before) == 3
    await place.delete(begun.task.id, left.task.id)
    for erases in (False, True):
        if erases:
            assert (await place.erased()).tasks == 2
        assert await place.backend.store.usage_by(query) == before
        by_customer = await place.backend.store.usage_by(replace(query, fields=(), metadata=("customer",)))
        assert {row.metadata: row.count for row in by_customer} == {("a",): 1, (None,): 2}


async def test_what_was_spent_does_not_shrink(place):
    begun = await place.backend.begun(owner="me", price_usd=Decimal("0.5"))
    await place.backend.end(begun.lease, Succeeded((), Cost(Decimal("0.25"), estimated=False)))
    running = await place.backend.begun(owner="me", price_usd=Decimal("0.5"))
    await place.delete(begun.task.id, running.task.id)
    await place.backend.store.cancel(running.task.id)
    await place.backend.end(running.lease, Succeeded((), Cost(Decimal("0.3"), estimated=False)))
    await place.erased()
    assert await place.backend.store.spent_usd() == Decimal("0.55")


async def test_what_the_provider_answered_goes_with_the_task(place):
    task = await place.ended(result=TaskResult('{"words":"a secret"}'), webhook_url=ME)
    assert "a secret" in await place.texts()
    await place.delete(task.id)
    await place.erased()
    assert "a secret" not in await place.texts()
