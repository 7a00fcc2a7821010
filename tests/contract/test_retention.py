"""What every retention does."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

import pytest
import uuid_utils.compat

from genpulse.adapters.database.removal.retention import PostgresRetention
from genpulse.adapters.memory.removal.retention import MemoryRetention
from genpulse.adapters.memory.tasks.store import MemoryTaskStore
from genpulse.domain.assets.asset import KEY_LASTS, Asset, Content, key_of, referred
from genpulse.domain.attempt import Failed, RetryLater, Succeeded
from genpulse.domain.errors import ProviderUnavailable, UnknownAsset, UnknownTask
from genpulse.domain.retention import Ages, Batch, Pruned, StoredObject
from genpulse.domain.task import Task
from genpulse.domain.webhook_delivery import Answer
from genpulse.ports import Retention
from tests.contract.conftest import Backend, new_task, now

LONG = timedelta(days=100)
NONE = timedelta(0)
DOWN = ProviderUnavailable("down").failure
ME = "https://example.org/"


@dataclass
class Old:
    """A backend with a past."""

    backend: Backend
    retention: Retention
    of: Callable[[str | None], Retention]

    async def ended(self, age: timedelta, *, outputs: tuple[Asset, ...] = (), **changes) -> Task:
        begun = await self.backend.begun(**changes)
        assets = tuple(replace(output, task_id=begun.task.id) for output in outputs)
        return await self.backend.age(await self.backend.ended(begun.lease, Succeeded(assets)), age)

    async def tasks(self, age: timedelta = LONG, limit: int = 100) -> Batch:
        async with self.retention.turn() as pruning:
            assert pruning is not None
            return await pruning.tasks(age, limit)

    async def assets(self, age: timedelta = LONG, limit: int = 100) -> Batch:
        async with self.retention.turn() as pruning:
            assert pruning is not None
            return await pruning.assets(age, limit)

    async def doomed(self, age: timedelta = NONE, limit: int = 100) -> tuple[StoredObject, ...]:
        async with self.retention.turn() as pruning:
            assert pruning is not None
            return (await pruning.doomed(age, limit)).objects

    async def forget(self, *keys: str, age: timedelta = NONE) -> None:
        async with self.retention.turn() as pruning:
            assert pruning is not None
            await pruning.forget(keys, age)

    async def is_there(self, task: Task) -> bool:
        try:
            await self.backend.store.get(task.id)
        except UnknownTask:
            return False
        return True

    async def has(self, asset: Asset) -> bool:
        try:
            await self.backend.store.asset(asset.id)
        except UnknownAsset:
            return False
        return True


@pytest.fixture
async def old(backend: Backend) -> AsyncIterator[Old]:
    made: list[PostgresRetention] = []

    def of(environment: str | None) -> Retention:
        if isinstance(backend.store, MemoryTaskStore):
            retention = MemoryRetention(backend.store, backend.deliveries, environment=environment)
            if shared:
                retention._place = replace(shared[0]._place, environment=environment)
            shared.append(retention)
            return retention
        made.append(PostgresRetention(backend.deliveries._pool, environment))
        return made[-1]

    shared: list[MemoryRetention] = []
    yield Old(backend, of(None), of)
    for retention in made:
        await retention.close()


def asset(age: timedelta, content: str = "a", asset_id: UUID | None = None) -> Asset:
    at, sha256 = now() - age, content * 64
    kept = Content(key_of(sha256, at), sha256, 5, "image/png")
    return Asset(asset_id or uuid_utils.compat.uuid7(), kept, at, "dev")


async def test_tasks_that_ended_long_ago_go_with_all_that_is_theirs(old):
    begun = await old.backend.begun(idempotency_key="key", webhook_url=ME)
    await old.backend.end(begun.lease, RetryLater(DOWN, 0.0))
    (again,) = await old.backend.claim()
    await old.backend.age(await old.backend.ended(again.lease, Succeeded(())), LONG)
    for delivery, _ in await old.backend.deliveries.due(10, 60, per_origin=10, room={}):
        await old.backend.deliveries.taken(delivery.id, Answer(200))
    assert await old.tasks(LONG - timedelta(days=1)) == Batch(Pruned(1, 2, 1), more=False)
    with pytest.raises(UnknownTask):
        await old.backend.store.get(begun.task.id)
    assert await old.backend.store.attempts(begun.task.id) == ()
    assert await old.backend.deliveries.of_task(begun.task.id) == ()
    submitted = await old.backend.store.submit(new_task(idempotency_key="key", fingerprint="another"))
    assert not submitted.replayed


async def test_what_ended_later_and_what_has_not_ended_stays(old):
    young = await old.ended(LONG - timedelta(minutes=1))
    running = (await old.backend.begun()).task
    queued = (await old.backend.store.submit(new_task())).task
    assert await old.tasks() == Batch(Pruned(), more=False)
    assert [await old.is_there(task) for task in (young, running, queued)] == [True] * 3


async def test_a_failed_task_that_was_retried_stays(old):
    begun = await old.backend.begun()
    await old.backend.age(await old.backend.ended(begun.lease, Failed(DOWN)), 2 * LONG)
    await old.backend.store.retry(begun.task.id)
    assert (await old.tasks()).pruned == Pruned()


async def test_a_task_stays_while_a_message_about_it_is_to_be_sent(old):
    task = await old.ended(2 * LONG, webhook_url=ME)
    assert (await old.tasks()).pruned == Pruned()
    ((delivery, _),) = await old.backend.deliveries.due(10, 60, per_origin=10, room={})
    await old.backend.deliveries.not_taken(delivery.id, Answer(500, "no"), 3600.0)
    assert (await old.tasks()).pruned == Pruned()
    await old.backend.deliveries.not_taken(delivery.id, Answer(500, "no"), None)
    assert (await old.tasks()).pruned == Pruned(tasks=1, attempts=1, deliveries=1)
    assert not await old.is_there(task)


async def test_the_oldest_go_first_and_no_more_than_the_batch(old):
    tasks = [await old.ended(LONG + timedelta(days=days)) for days in (1, 3, 2)]
    assert await old.tasks(limit=2) == Batch(Pruned(tasks=2, attempts=2), more=True)
    assert [await old.is_there(task) for task in tasks] == [True, False, False]
    assert await old.tasks(limit=2) == Batch(Pruned(tasks=1, attempts=1), more=False)


async def test_assets_outlive_their_task_until_they_are_old_themselves(old):
    output = asset(2 * LONG)
    task = await old.ended(2 * LONG, outputs=(output,))
    assert (await old.assets()).pruned == Pruned()
    await old.tasks()
    assert (await old.backend.store.asset(output.id)).task_id is None
    assert (await old.assets(3 * LONG)).pruned == Pruned()
    assert not await old.is_there(task)
    assert await old.assets() == Batch(Pruned(assets=1), more=False)
    assert not await old.has(output)


async def test_an_upload_goes_unless_a_task_names_it(old):
    uploads = [asset(2 * LONG, content) for content in "abc"]
    for upload in uploads:
        await old.backend.store.add_asset(upload)
    named = {"frames": [{"url": f"https://example.org/v1/assets/{str(uploads[1].id).upper()}/content"}]}
    naming = await old.ended(2 * LONG, input=named)
    await old.backend.store.submit(new_task(input={"image": str(uploads[2].id), "prompt": "x"}))
    assert (await old.assets()).pruned == Pruned(assets=1)
    assert [await old.has(upload) for upload in uploads] == [False, True, True]
    await old.tasks()
    assert not await old.is_there(naming)
    assert (await old.assets()).pruned == Pruned(assets=1)
    assert [await old.has(upload) for upload in uploads] == [False, False, True]


async def test_the_output_of_a_task_that_is_gone_stays_while_another_one_names_it(old):
    output = asset(2 * LONG)
    await old.ended(2 * LONG, outputs=(output,))
    await old.backend.store.submit(new_task(input={"first_frame": str(output.id)}))
    await old.tasks()
    assert (await old.assets()).pruned == Pruned()
    assert await old.has(output)


async def test_the_oldest_assets_go_first_and_no_more_than_the_batch(old):
    uploads = [asset(LONG + timedelta(days=days), content) for days, content in ((1, "a"), (3, "b"), (2, "c"))]
    for upload in uploads:
        await old.backend.store.add_asset(upload)
    assert await old.assets(limit=2) == Batch(Pruned(assets=2), more=True)
    assert [await old.has(upload) for upload in uploads] == [True, False, False]


async def test_bytes_are_doomed_when_their_last_asset_goes(old):
    first, second = asset(2 * LONG), asset(2 * LONG)
    second = replace(second, content=first.content, created_at=first.created_at + timedelta(days=1))
    for upload in (first, second):
        await old.backend.store.add_asset(upload)
    await old.assets(limit=1)
    assert await old.doomed() == ()
    await old.assets(limit=1)
    assert await old.doomed() == (StoredObject(first.content.key, 5),)
    assert await old.doomed(2 * LONG - timedelta(hours=1)) == ()
    await old.forget(first.content.key)
    assert await old.doomed() == ()


async def test_bytes_that_an_asset_has_again_are_spared(old):
    upload = asset(2 * LONG)
    await old.backend.store.add_asset(upload)
    await old.assets()
    await old.backend.store.add_asset(replace(upload, id=uuid_utils.compat.uuid7(), created_at=now()))
    assert await old.doomed() == ()
    await old.assets(-LONG)
    assert await old.doomed(LONG) == ()
    assert await old.doomed(-LONG) == (StoredObject(upload.content.key, 5),)


async def test_doomed_objects_come_in_batches(old):
    for content in "abc":
        await old.backend.store.add_asset(asset(2 * LONG, content))
    await old.assets()
    async with old.retention.turn() as pruning:
        found = await pruning.doomed(NONE, 2)
        assert (len(found.objects), found.more) == (2, True)
        await pruning.forget([found.objects[0].key], NONE)
        found = await pruning.doomed(NONE, 3)
        assert (len(found.objects), found.more) == (2, False)


async def test_what_is_due_is_told_and_then_done(old):
    shared = asset(2 * LONG, "a")
    outputs = (shared, replace(asset(2 * LONG, "a"), content=shared.content), asset(2 * LONG, "b"))
    await old.ended(2 * LONG, outputs=outputs, webhook_url=ME)
    for delivery, _ in await old.backend.deliveries.due(10, 60, per_origin=10, room={}):
        await old.backend.deliveries.taken(delivery.id, Answer(200))
    young = replace(asset(2 * LONG, "b"), content=outputs[2].content, created_at=now())
    await old.ended(timedelta(0), outputs=(young,))
    await old.backend.store.add_asset(asset(2 * LONG, "c"))
    ages = Ages(LONG, LONG, KEY_LASTS)
    due = await old.retention.due(ages)
    assert due == Pruned(tasks=1, attempts=1, deliveries=1, assets=4, objects=2, bytes=10)
    assert (await old.tasks()).pruned + (await old.assets()).pruned == replace(due, objects=0, bytes=0)
    assert len(await old.doomed(ages.objects)) == 2
    assert await old.retention.due(ages) == Pruned(objects=2, bytes=10)


async def test_what_is_kept_for_ever_is_never_due(old):
    await old.ended(2 * LONG, outputs=(asset(2 * LONG),))
    await old.backend.store.add_asset(asset(2 * LONG, "c"))
    assert await old.retention.due(Ages(None, None, NONE)) == Pruned()
    assert (await old.retention.due(Ages(NONE, None, NONE))).assets == 0


async def test_one_has_the_turn_at_a_time(old):
    async with old.retention.turn() as first:
        assert first is not None
        async with old.retention.turn() as second:
            assert second is None
    async with old.retention.turn() as third:
        assert third is not None


async def test_the_turn_ends_with_an_error(old):
    with pytest.raises(RuntimeError):
        async with old.retention.turn():
            raise RuntimeError
    async with old.retention.turn() as again:
        assert again is not None


KEY = key_of("a" * 64, now())


async def test_bytes_that_never_get_an_asset_are_removed_after_their_time(old):
    await old.retention.expect(KEY, 7)
    assert await old.retention.due(Ages(None, None, KEY_LASTS)) == Pruned()
    assert await old.doomed(KEY_LASTS) == ()
    assert await old.retention.due(Ages(None, None, NONE)) == Pruned(objects=1, bytes=7)
    assert await old.doomed() == (StoredObject(KEY, 7),)
    await old.forget(KEY)
    assert await old.doomed() == ()


async def test_bytes_that_got_an_asset_are_removed_when_it_goes_and_not_before(old):
    kept = asset(NONE)
    await old.retention.expect(kept.content.key, 5)
    await old.backend.store.add_asset(kept)
    assert await old.retention.due(Ages(None, None, NONE)) == Pruned()
    assert await old.doomed() == ()
    assert (await old.assets(-LONG)).pruned == Pruned(assets=1)
    assert await old.doomed() == (StoredObject(kept.content.key, 5),)


async def test_an_asset_that_comes_after_the_bytes_were_noted_again_is_kept(old):
    await old.retention.expect(KEY, 5)
    await old.retention.expect(KEY, 5)
    await old.backend.store.add_asset(asset(NONE))
    assert await old.doomed() == ()


async def test_what_is_noted_again_is_as_young_as_that(old):
    """An asset of long ago has gone, its bytes are doomed, and somebody stores them once more."""
    upload = asset(2 * LONG)
    await old.backend.store.add_asset(upload)
    await old.assets()
    assert await old.doomed(LONG) == (StoredObject(upload.content.key, 5),)
    await old.retention.expect(upload.content.key, 5)
    assert await old.doomed(LONG) == ()
    assert await old.retention.due(Ages(LONG, LONG, LONG)) == Pruned()


async def test_what_is_noted_while_it_is_removed_is_not_forgotten(old):
    upload = asset(2 * LONG)
    await old.backend.store.add_asset(upload)
    await old.assets()
    assert await old.doomed(LONG) == (StoredObject(upload.content.key, 5),)
    await old.retention.expect(upload.content.key, 5)
    await old.forget(upload.content.key, age=LONG)
    assert await old.doomed() == (StoredObject(upload.content.key, 5),)


async def test_a_note_that_is_younger_than_the_last_asset_counts(old):
    upload = asset(2 * LONG)
    await old.retention.expect(upload.content.key, 5)
    await old.backend.store.add_asset(upload)
    await old.assets()
    assert await old.doomed(LONG) == ()
    assert await old.retention.due(Ages(LONG, LONG, LONG)) == Pruned()


async def test_many_are_noted_at_once(old):
    keys = [key_of(f"{number % 30:064x}", now()) for number in range(300)]
    await asyncio.gather(*(old.retention.expect(key, 1) for key in keys))
    assert {stored.key for stored in await old.doomed()} == set(keys)


async def test_notes_of_what_has_an_asset_hold_up_nothing_behind_them(old):
    """They are older than what is to go, and more than a batch."""
    for content in "abcde":
        kept = asset(NONE, content)
        await old.retention.expect(kept.content.key, 5)
        await old.backend.store.add_asset(kept)
    await old.retention.expect(key_of("f" * 64, now()), 5)
    gone, more = [], True
    async with old.retention.turn() as pruning:
        while more:
            found = await pruning.doomed(NONE, 2)
            await pruning.forget([stored.key for stored in found.objects], NONE)
            gone, more = [*gone, *found.objects], found.more
    assert gone == [StoredObject(key_of("f" * 64, now()), 5)]


async def test_nothing_of_another_environment_is_removed(old):
    """As in the copy of a database, which stores elsewhere."""
    theirs = await old.ended(2 * LONG, environment="main")
    ours = await old.ended(2 * LONG, environment="dev")
    uploads = {name: replace(asset(2 * LONG, name[0]), environment=name) for name in ("main", "dev")}
    gone = {name: replace(asset(2 * LONG, name[1]), environment=name) for name in ("main", "dev")}
    for name in ("main", "dev"):
        await old.of(name).expect(key_of(f"{name:_>64}", now()), 1)
        await old.backend.store.add_asset(gone[name])
        async with old.of(name).turn() as pruning:
            assert (await pruning.assets(LONG, 100)).pruned == Pruned(assets=1)
        await old.backend.store.add_asset(uploads[name])
    due = await old.of("dev").due(Ages(LONG, LONG, NONE))
    assert due == Pruned(tasks=1, attempts=1, assets=1, objects=3, bytes=11)
    async with old.of("dev").turn() as pruning:
        assert (await pruning.tasks(LONG, 100)).pruned == Pruned(tasks=1, attempts=1)
        assert (await pruning.assets(LONG, 100)).pruned == Pruned(assets=1)
        found = {stored.key for stored in (await pruning.doomed(NONE, 100)).objects}
    assert found == {gone["dev"].content.key, uploads["dev"].content.key, key_of(f"{'dev':_>64}", now())}
    assert [await old.is_there(task) for task in (theirs, ours)] == [True, False]
    assert [await old.has(uploads[name]) for name in ("main", "dev")] == [True, False]
    assert {stored.key for stored in await old.doomed()} - found == {
        gone["main"].content.key,
        key_of(f"{'main':_>64}", now()),
    }


async def test_bytes_that_an_asset_of_another_environment_has_are_spared(old):
    upload = replace(asset(2 * LONG), environment="main")
    await old.backend.store.add_asset(upload)
    await old.of("dev").expect(upload.content.key, 5)
    async with old.of("dev").turn() as pruning:
        assert (await pruning.doomed(NONE, 100)).objects == ()


async def test_a_turn_tells_the_time_of_the_database(old):
    before = now()
    async with old.retention.turn() as pruning:
        assert before <= await pruning.now() <= now()


NOTATIONS = [
    lambda asset_id: f"asset:{asset_id}",
    lambda asset_id: f"asset:{str(asset_id).upper()}",
    lambda asset_id: f"asset:{asset_id.hex}",
    lambda asset_id: f"asset:{asset_id.hex.upper()}",
    str,
    lambda asset_id: str(asset_id).upper(),
]


@pytest.mark.parametrize("notation", range(len(NOTATIONS)))
async def test_every_notation_of_an_asset_keeps_it(old, notation):
    upload, other = asset(2 * LONG, "a"), asset(2 * LONG, "b")
    for each in (upload, other):
        await old.backend.store.add_asset(each)
    reference = NOTATIONS[notation](upload.id)
    assert referred(reference) == upload.id
    await old.backend.store.submit(new_task(input={"frames": [{"x": reference}], "prompt": "a fox"}))
    assert (await old.retention.due(Ages(LONG, LONG, LONG))).assets == 1
    assert (await old.assets()).pruned == Pruned(assets=1)
    assert [await old.has(each) for each in (upload, other)] == [True, False]
