"""Sending what is due."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from genpulse.adapters.memory.sender import MemoryMessageSender
from genpulse.domain.delivery import Answer, DeliveryState
from genpulse.lifecycle.deliver import deliver

URL = "https://receiver.example.com/hook"


async def describe(task):
    return {"id": str(task.id), "status": task.status.value}


async def test_a_worker_sends_it_under_one_id_until_it_is_taken(world):
    sender = MemoryMessageSender(Answer(500, "answered 500"), Answer(None, "away"))
    clock = [datetime.now(UTC)]
    world.services = replace(world.services, sender=sender, now=lambda: clock[0])
    async with world.worker():
        task = await world.submit("art/painter", webhook_url=URL)
        await world.ended(task)
    for _ in range(4):
        await deliver(world.services, describe)
        clock[0] += timedelta(hours=1)
    assert [sent.url for sent in sender.sent] == [URL] * 3
    assert len({sent.message_id for sent in sender.sent}) == 1
    first, *others = [json.loads(sent.body) for sent in sender.sent]
    assert first["type"] == "task.succeeded"
    assert first["data"]["id"] == str(task.id)
    assert all(other["timestamp"] == first["timestamp"] for other in others)
    (delivery,) = await world.services.deliveries.of_task(task.id)
    assert (delivery.state, delivery.tries) == (DeliveryState.TAKEN, 3)


async def test_after_a_day_it_is_given_up(world):
    sender = MemoryMessageSender(*[Answer(503, "answered 503")] * 100)
    clock = [datetime.now(UTC)]
    world.services = replace(world.services, sender=sender, now=lambda: clock[0])
    task = await world.submit("art/painter", webhook_url=URL)
    await world.services.store.cancel(task.id, clock[0])
    for _ in range(30):
        await deliver(world.services, describe)
        clock[0] += timedelta(hours=1)
    (delivery,) = await world.services.deliveries.of_task(task.id)
    assert delivery.state is DeliveryState.GIVEN_UP
    assert 10 <= delivery.tries == len(sender.sent) <= 24


async def test_many_are_sent_in_one_go(world):
    for _ in range(120):
        task = await world.submit("art/painter", webhook_url=URL)
        await world.services.store.cancel(task.id, datetime.now(UTC))
    sent = [await deliver(world.services, describe) for _ in range(4)]
    assert sent == [50, 50, 20, 0]
