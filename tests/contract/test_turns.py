"""Owners of waiting tasks take turns, in every store alike."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
import uuid_utils.compat
from hypothesis import given, settings
from hypothesis import strategies as st

from genpulse.adapters.database.keys.api_keys import PostgresKeys
from genpulse.adapters.database.tasks.store import PostgresTaskStore
from genpulse.adapters.memory.keys.api_keys import MemoryKeys
from genpulse.adapters.memory.queue.task_queue import MemoryTaskQueue
from genpulse.adapters.memory.tasks.store import MemoryTaskStore
from genpulse.adapters.memory.webhooks.deliveries import MemoryDeliveries
from genpulse.adapters.postgresql.connections import open_pool
from genpulse.domain.attempt import Failed, Released
from genpulse.domain.errors import ProviderRejected
from genpulse.domain.keys.api_key import HEAVIEST, ApiKey, KeyLimits, digest_of
from genpulse.domain.task import NewTask, Priority
from genpulse.ports import KeyStore, TaskStore
from tests.api_keys import new_key
from tests.contract.conftest import Backend, new_ids, new_task, new_worker, now
from tests.drawn import examples

A, B, C = "a", "b", "c"
LONG = new_worker("w")
EXAMPLES = 40


@pytest.fixture
def keys(backend) -> KeyStore:
    store = backend.store
    return MemoryKeys(store) if isinstance(store, MemoryTaskStore) else PostgresKeys(store._pool)


@pytest.fixture(params=["postgresql", "memory"])
def store_at_hand(request: pytest.FixtureRequest) -> Iterator[Callable[..., None]]:
    """What plays steps on a store, one event loop for all of them."""
    url = request.getfixturevalue("migrated_url") if request.param == "postgresql" else None
    with asyncio.Runner() as runner:
        pool = url and runner.run(open_pool(url, size=2, application_name="tests"))
        stores = (PostgresTaskStore(pool),) if pool else ()
        yield lambda steps, weights: runner.run(played(stores, steps, weights))
        for store in stores:
            runner.run(store.close())
            runner.run(pool.close())


async def played(stores: Sequence[TaskStore], steps: Sequence[object], weights: Sequence[int]) -> None:
    """The steps on the twin in memory and on the others, each step checked and compared."""
    twin = MemoryTaskStore(MemoryTaskQueue(), MemoryDeliveries())
    provider = uuid_utils.compat.uuid7().hex
    made = [new_key(limits=KeyLimits(weight=weight)) for weight in weights]
    for keys in (MemoryKeys(twin), *(PostgresKeys(store._pool) for store in stores)):
        await kept(keys, made)
    owners = [str(key.id) for key in made]
    books = Books(dict(zip(owners, weights, strict=True)))
    for store in (twin, *stores):
        await store.renew(LONG, now())
    for step in steps:
        if isinstance(step, int):
            claimed = [await store.claim(LONG, provider, new_ids(step)) for store in (twin, *stores)]
            ids = [{claim.task.id for claim in claims} for claims in claimed]
            assert all(one == ids[0] for one in ids), "all stores take the same"
            books.check([claim.task.id for claim in claimed[-1]], step)
        else:
            tasks = [new_task(owner=owners[number], provider=provider, priority=one) for number, one in step]
            for store in (twin, *stores):
                await store.submit_batch(tasks)
            for task in tasks:
                books.add(task)


async def queued(backend: Backend, owners: Sequence[str], **changes: object) -> list[NewTask]:
    """One task of each of these owners, the first one first."""
    tasks = [new_task(owner=owner, **changes) for owner in owners]
    for task in tasks:
        await backend.store.submit(task)
    return tasks


async def served(backend: Backend, *rooms: int, provider: str = "sandbox") -> list[str]:
    """The owners of what claims with so much room get, one after the other. In a claim owners have no order."""
    await backend.store.renew(LONG, now())
    owners: list[str] = []
    for room in rooms:
        claims = await backend.store.claim(LONG, provider, new_ids(room))
        owners += sorted(claim.task.owner for claim in claims)
    return owners


async def weighed(keys: KeyStore, *weights: int) -> list[str]:
    """Owners whose keys have these weights, in the order in which they take turns."""
    made = [new_key(limits=KeyLimits(weight=weight)) for weight in weights]
    await kept(keys, made)
    return [str(key.id) for key in made]


async def kept(keys: KeyStore, made: Sequence[ApiKey]) -> None:
    for key in made:
        await keys.add(key, digest_of(str(key.id)))


SCENARIOS = {
    "a few behind many": ([A] * 6 + [B] * 2, [1] * 8, "abab" + "aaaa"),
    "three owners": ([A] * 3 + [B] * 2 + [C], [1] * 6, "abc" + "ab" + "a"),
    "without a key": (["", "", "", A], [1] * 4, ["", A, "", ""]),
    "one owner": ([A] * 3, [1] * 3, "aaa"),
    "a whole room": ([A] * 9 + [B] * 2 + [C], [6, 6], "aaabbc" + "aaaaaa"),
    "more owners than room": ([A, A, B, B, C, C], [2, 2, 2], "ab" + "ac" + "bc"),
    "room for all": ([A] * 4 + [B], [10], "aaaab"),
}


@pytest.mark.parametrize("name", SCENARIOS)
async def test_owners_take_turns(backend, name):
    owners, rooms, expected = SCENARIOS[name]
    await queued(backend, owners)
    assert await served(backend, *rooms) == list(expected)


async def test_the_oldest_of_an_owner_is_first(backend):
    tasks = await queued(backend, [A, A, B, A, B])
    order = []
    await backend.store.renew(LONG, now())
    for _ in tasks:
        (claim,) = await backend.store.claim(LONG, "sandbox", new_ids(1))
        order.append(claim.task.id)
    assert order == [tasks[index].id for index in (0, 2, 1, 4, 3)]


async def test_turns_are_within_a_priority_and_higher_ones_go_first(backend):
    await queued(backend, [A] * 3, priority=Priority.HIGH)
    await queued(backend, [A, B], priority=Priority.NORMAL)
    await queued(backend, [C], priority=Priority.LOW)
    assert await served(backend, *[1] * 6) == [A, A, A, A, B, C]


async def test_a_claim_fills_its_room_from_several_priorities(backend):
    await queued(backend, [A, B, B], priority=Priority.HIGH)
    await queued(backend, [A, A, A, B, C], priority=Priority.NORMAL)
    assert await served(backend, 6) == [A, A, B, B, B, C]


async def test_work_that_was_given_back_goes_first(backend):
    (first,) = await queued(backend, [C], priority=Priority.LOW)
    await backend.store.renew(LONG, now())
    (claim,) = await backend.store.claim(LONG, "sandbox", new_ids(1))
    await queued(backend, [A, B], priority=Priority.HIGH)
    await backend.end(claim.lease, Released())
    assert await served(backend, 1, 1, 1) == [C, A, B]
    assert first.owner == C


async def test_what_is_not_due_takes_no_turn_and_loses_none(backend):
    later = now() + timedelta(hours=1)
    await queued(backend, [B] * 3, run_at=later)
    await queued(backend, [A, A, C])
    assert await served(backend, *[1] * 4) == [A, C, A]


async def test_a_limited_account_is_shared_in_turns(backend):
    await queued(backend, [A, A, B], provider="limited")
    assert await served(backend, 5, 5, provider="limited") == [A, B]


async def test_providers_that_are_claimed_together_are_shared_each(backend):
    await queued(backend, [A] * 4 + [B])
    await queued(backend, [C] * 2, provider="other")
    await backend.store.renew(LONG, now())
    claims = await backend.store.claim_any(LONG, ["sandbox", "other"], new_ids(4))
    assert sorted(claim.task.owner for claim in claims) == [A, B, C, C]


async def test_a_retry_takes_the_turn_of_its_owner(backend):
    begun = await backend.begun(owner=B, provider="other")
    await backend.end(begun.lease, Failed(ProviderRejected("no").failure))
    await backend.store.retry(begun.task.id)
    await queued(backend, [A, A, A], provider="other")
    assert await served(backend, 1, 1, provider="other") == [A, B]


@pytest.mark.parametrize("rooms", [[1] * 16, [4] * 4, [7, 1, 8], [16]])
async def test_as_many_are_taken_in_a_turn_as_the_key_weighs(backend, keys, rooms):
    light, heavy = await weighed(keys, 1, 3)
    await queued(backend, [light] * 20 + [heavy] * 20)
    assert Counter(await served(backend, *rooms)) == {heavy: 12, light: 4}


async def test_a_new_weight_holds_for_what_waits(backend, keys):
    first, second = await weighed(keys, 1, 1)
    await queued(backend, [first, second] * 20)
    assert Counter(await served(backend, 4)) == {first: 2, second: 2}
    for weight, shares in ((4, {first: 2, second: 8}), (1, {first: 5, second: 5})):
        await keys.change(second, lambda key, weight=weight: replace(key, limits=KeyLimits(weight=weight)))
        assert Counter(await served(backend, *[1] * 10)) == shares


async def test_workers_that_claim_at_once_share_what_waits_and_leave_nothing(backend):
    await queued(backend, [A] * 40 + [B] * 40)
    workers = [new_worker(str(number)) for number in range(4)]
    for worker in workers:
        await backend.store.renew(worker, now())
    turns = [backend.store.claim(worker, "sandbox", new_ids(5)) for worker in workers for _ in range(4)]
    claims = [claim for taken in await asyncio.gather(*turns) for claim in taken]
    assert len({claim.task.id for claim in claims}) == len(claims) == 80
    assert await served(backend, 10) == []


async def promoted(backend: Backend) -> int:
    """How many tasks are, of those that wait for a moment at least."""
    await asyncio.sleep(0.02)
    return await backend.queue.promote(0.01)


async def test_what_waits_among_its_equals_is_not_promoted_and_passes_nobody(backend):
    await queued(backend, [A] * 3)
    await queued(backend, [C], provider="other", priority=Priority.HIGH)
    assert await promoted(backend) == 0
    await queued(backend, [B])
    assert await served(backend, 1, 1) == [A, B]


async def test_nothing_is_promoted_behind_what_was_promoted_itself(backend):
    await queued(backend, [A] * 3, priority=Priority.LOW)
    (urgent,) = await queued(backend, [B])
    assert await promoted(backend) == 3
    await queued(backend, [C] * 2, priority=Priority.LOW)
    await backend.store.cancel(urgent.id)
    assert await promoted(backend) == 0
    assert await served(backend, *[1] * 5) == [A, A, A, C, C]


class Books:
    """What waits of each priority and owner, and how many of it were served since when."""

    def __init__(self, weights: dict[str, int]) -> None:
        self._weights = weights
        self.waiting: dict[Priority, dict[str, list[UUID]]] = {one: {} for one in Priority}
        self._counts: dict[tuple[Priority, str, str], int] = {}

    def add(self, task: NewTask) -> None:
        self.waiting[task.priority].setdefault(task.owner, []).append(task.id)

    def check(self, claimed: Sequence[UUID], room: int) -> None:
        """Everything that a claim promises."""
        left = set(claimed)
        assert len(left) == len(claimed) == min(room, self._size)
        for priority in sorted(Priority, reverse=True):
            owners = self.waiting[priority]
            both = {owner for owner, ids in owners.items() if ids}
            taken = {owner: [one for one in ids if one in left] for owner, ids in owners.items()}
            for owner, ids in taken.items():
                assert owners[owner][: len(ids)] == ids, "the oldest of an owner comes first"
                left -= set(ids)
                del owners[owner][: len(ids)]
            assert not left or not any(owners.values()), "higher priorities come first"
            self._weigh(priority, {one: len(taken[one]) for one in both}, {one for one in both if owners[one]})

    def _weigh(self, priority: Priority, served: dict[str, int], still: set[str]) -> None:
        for one, other in ((one, other) for one in self._weights for other in self._weights if one != other):
            if one not in still or other not in still:
                self._counts.pop((priority, one, other), None)
                continue
            # How many turns one is ahead of the other; the lowest value is where a stretch may begin.
            ahead = self._counts.get((priority, one, other), 0.0)
            ahead += served[one] / self._weights[one] - served[other] / self._weights[other]
            assert ahead <= 1.0 + 1e-9, f"{one} is {ahead} turns ahead of {other}"
            self._counts[priority, one, other] = max(ahead, 0.0)

    @property
    def _size(self) -> int:
        return sum(len(ids) for owners in self.waiting.values() for ids in owners.values())


STEPS = st.lists(
    st.one_of(
        st.lists(st.tuples(st.integers(0, 3), st.sampled_from(Priority)), min_size=1, max_size=8),
        st.integers(1, 9),
    ),
    min_size=2,
    max_size=14,
)


@pytest.mark.hypothesis
def test_no_owner_that_waits_is_more_than_one_turn_behind(store_at_hand):
    """For any order in which tasks come and are claimed, and any weights; both stores do the same."""

    @settings(max_examples=examples(EXAMPLES), deadline=None)
    @given(STEPS, st.lists(st.sampled_from([1, 1, 2, 3, HEAVIEST]), min_size=4, max_size=4))
    def check(steps, weights):
        store_at_hand(steps, weights)

    check()
