"""What every event bus does."""

import asyncio
import time
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from genpulse.adapters.memory.events import MemoryEventBus
from genpulse.adapters.redis.connection import open_redis
from genpulse.adapters.redis.events import RedisEventBus
from genpulse.adapters.redis.keys import Keyspace
from genpulse.domain.event import TaskEvent
from genpulse.ports import EventBus, Subscription

SOON_S = 60.0


@pytest.fixture(params=["redis", "memory"])
async def bus(request: pytest.FixtureRequest) -> AsyncIterator[EventBus]:
    if request.param == "memory":
        yield MemoryEventBus()
        return
    client = open_redis(request.getfixturevalue("redis_url"), "dev:")
    async with RedisEventBus(client, Keyspace("dev:")) as redis_bus:
        yield redis_bus
    await client.aclose()


async def until(subscription: Subscription, seq: int) -> list[TaskEvent]:
    """All events up to the one with this number."""
    events: list[TaskEvent] = []
    deadline = time.monotonic() + SOON_S
    while not events or events[-1].seq != seq:
        event = await subscription.next(deadline - time.monotonic())
        assert event is not None, f"event {seq} did not come after {events}"
        events.append(event)
    return events


async def test_a_watcher_gets_an_event_as_it_was_published(bus: EventBus) -> None:
    progress = TaskEvent(uuid4(), 7, 0.25, "a third of “it”\n")
    change = TaskEvent(progress.task_id, 8)
    async with bus.subscribe(progress.task_id) as subscription:
        bus.publish(progress)
        bus.publish(change)
        assert await until(subscription, 8) == [progress, change]


async def test_nothing_published_after_entering_is_missed(bus: EventBus) -> None:
    for number in range(50):
        task_id = uuid4()
        async with bus.subscribe(task_id) as subscription:
            bus.publish(TaskEvent(task_id, number))
            assert await until(subscription, number) == [TaskEvent(task_id, number)]


async def test_events_come_in_the_order_in_which_they_were_published(bus: EventBus) -> None:
    task_id = uuid4()
    async with bus.subscribe(task_id) as subscription:
        for seq in range(100):
            bus.publish(TaskEvent(task_id, seq, seq / 100 if seq % 3 else None))
            if seq % 10 == 0:
                await asyncio.sleep(0)
        seqs = [event.seq for event in await until(subscription, 99)]
    assert seqs == sorted(seqs)
    assert {seq for seq in range(100) if seq % 3 == 0} <= set(seqs), "a change was lost"


async def test_only_the_events_of_the_task_come(bus: EventBus) -> None:
    mine, other = uuid4(), uuid4()
    async with bus.subscribe(mine) as subscription, bus.subscribe(other):
        bus.publish(TaskEvent(other, 1))
        bus.publish(TaskEvent(mine, 2))
        assert await until(subscription, 2) == [TaskEvent(mine, 2)]


async def test_all_watchers_of_a_task_get_its_events(bus: EventBus) -> None:
    task_id = uuid4()
    async with bus.subscribe(task_id) as first:
        async with bus.subscribe(task_id) as second:
            bus.publish(TaskEvent(task_id, 1))
            assert await until(first, 1) == await until(second, 1)
        bus.publish(TaskEvent(task_id, 2))
        assert await until(first, 2) == [TaskEvent(task_id, 2)]


async def test_without_an_event_a_watcher_waits_no_longer_than_it_wants(bus: EventBus) -> None:
    async with bus.subscribe(uuid4()) as subscription:
        began = time.monotonic()
        assert await subscription.next(0.05) is None
        assert 0.04 <= time.monotonic() - began < SOON_S
        assert await subscription.next(0) is None


async def test_publishing_without_a_watcher_does_nothing(bus: EventBus) -> None:
    task_id = uuid4()
    bus.publish(TaskEvent(task_id, 1))
    async with bus.subscribe(task_id) as subscription:
        bus.publish(TaskEvent(task_id, 2))
        assert (await until(subscription, 2))[-1] == TaskEvent(task_id, 2)


async def test_a_task_can_be_watched_again_and_again(bus: EventBus) -> None:
    task_id = uuid4()
    for seq in range(30):
        async with bus.subscribe(task_id) as subscription:
            bus.publish(TaskEvent(task_id, seq))
            assert await until(subscription, seq)


async def test_watchers_that_are_canceled_on_their_way_in_disturb_nobody(bus: EventBus) -> None:
    task_id = uuid4()

    async def watch_for_ever() -> None:
        async with bus.subscribe(uuid4()) as subscription:
            await subscription.next(60)

    async with bus.subscribe(task_id) as steady:
        for rounds in range(20):
            coming = [asyncio.create_task(watch_for_ever()) for _ in range(5)]
            for _ in range(rounds % 4):
                await asyncio.sleep(0)
            for watcher in coming:
                watcher.cancel()
            await asyncio.gather(*coming, return_exceptions=True)
            bus.publish(TaskEvent(task_id, rounds))
            assert await until(steady, rounds)


async def test_a_slow_watcher_loses_old_progress_and_neither_changes_nor_the_newest(bus: EventBus) -> None:
    task_id, witness_id = uuid4(), uuid4()
    async with bus.subscribe(task_id) as slow, bus.subscribe(witness_id) as witness:
        bus.publish(TaskEvent(task_id, 0))
        for seq in range(1, 1_000):
            bus.publish(TaskEvent(task_id, seq, seq / 1_000))
            bus.publish(TaskEvent(witness_id, seq))
            await until(witness, seq)
        events = await until(slow, 999)
    assert events[0] == TaskEvent(task_id, 0)
    assert len(events) <= 256


async def test_many_watchers_at_once(bus: EventBus) -> None:
    tasks = [uuid4() for _ in range(300)]

    async def watch(task_id: object, ready: asyncio.Event) -> TaskEvent | None:
        async with bus.subscribe(task_id) as subscription:  # type: ignore[arg-type]
            ready.set()
            return await subscription.next(SOON_S)

    ready = [asyncio.Event() for _ in tasks]
    watchers = [asyncio.create_task(watch(*pair)) for pair in zip(tasks, ready, strict=True)]
    await asyncio.gather(*(event.wait() for event in ready))
    for task_id in tasks:
        bus.publish(TaskEvent(task_id, 1, 0.5))
    assert await asyncio.gather(*watchers) == [TaskEvent(task_id, 1, 0.5) for task_id in tasks]
