"""No answer of a receiver harms anything but its own message: on a real database, with a real sender."""

import asyncio
import random
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genpulse.adapters.database.keys.api_keys import PostgresKeys
from genpulse.adapters.database.tasks.store import PostgresTaskStore
from genpulse.adapters.database.tasks.traces import PostgresTraces
from genpulse.adapters.database.webhooks.deliveries import PostgresDeliveries
from genpulse.adapters.postgresql.connections import open_pool
from genpulse.adapters.webhooks.sender import WebhookSender
from genpulse.background.loops import Loops
from genpulse.domain.webhook_delivery import DeliveryState
from genpulse.lifecycle.webhooks.delivery import WebhookDeliverer
from genpulse.ports.tracing import NO_TRACING
from tests.contract.conftest import new_task, now
from tests.drawn import examples
from tests.integration.webhooks.rude import NOT_TAKEN, ODD_WAITS, TAKEN, receiver, says


@pytest.fixture
async def office(migrated_url):
    """Messages in PostgreSQL, a real sender, and a postman; `noted(url)` is a message that is to be sent."""
    sender = WebhookSender(None, allow_private=True, version="1")
    pool = await open_pool(migrated_url, size=10, application_name="tests")
    store, deliveries = PostgresTaskStore(pool), PostgresDeliveries(pool, "dev")
    services = SimpleNamespace(
        deliveries=deliveries,
        sender=sender,
        keys=PostgresKeys(pool),
        now=now,
        random=random.Random(7).random,
        pool=pool,
        traces=PostgresTraces(pool),
        tracing=NO_TRACING,
    )

    async def describe(task):
        return {"id": str(task.id)}

    async def noted(url):
        task = (await store.submit(new_task(webhook_url=url))).task
        await store.cancel(task.id)
        return task.id

    async def delivery(task_id):
        (found,) = await deliveries.of_task(task_id)
        return found

    postman = WebhookDeliverer(services, describe, Loops())
    yield SimpleNamespace(postman=postman, noted=noted, delivery=delivery, services=services)
    await postman.stop(0)
    await sender.close()
    await store.close()
    await pool.close()


async def told(office, data: bytes) -> None:
    """A receiver answers with these bytes; the try is counted, and the next message, to another one, goes out."""
    async with receiver(says(data)) as rude, receiver(says()) as kind:
        first, second = await office.noted(rude), await office.noted(kind)
        assert await office.postman.take() == 2
        await office.postman.wait_until_idle()
        delivery = await office.delivery(first)
        assert delivery.tries == 1
        assert (delivery.state is DeliveryState.TAKEN) or delivery.error
        assert (await office.delivery(second)).state is DeliveryState.TAKEN
        await office.services.pool.execute("DELETE FROM deliveries")
    assert office.postman._loops.failures == {}


async def test_every_odd_answer_is_counted_and_the_next_message_goes_out(office):
    waits = [f"HTTP/1.1 500 x\r\nRetry-After: {wait}\r\n\r\n".encode() for wait in ODD_WAITS]
    for data in (*TAKEN.values(), *NOT_TAKEN.values(), *waits):
        await told(office, data)


STATUS_LINES = st.builds(lambda code, text: b"HTTP/1.1 %d %s\r\n" % (code, text), st.integers(), st.binary())


@given(st.binary(max_size=400) | st.lists(STATUS_LINES | st.binary(max_size=50), max_size=4).map(b"".join))
@settings(max_examples=examples(60), suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
async def test_any_answer_is_counted_and_the_next_message_goes_out(office, data):
    await told(office, data)


async def test_a_message_that_postgresql_cannot_read_any_more_is_counted_and_its_neighbours_go_out(office):
    async with receiver(says()) as url:
        broken, odd, fine = [await office.noted(url) for _ in range(3)]
        change = "UPDATE deliveries SET task = jsonb_set(task, $2::text[], $3) WHERE task_id = $1"
        await office.services.pool.execute(change, broken, ["created_at"], "no moment")
        await office.services.pool.execute(change, odd, ["status"], "unheard of")
        assert await office.postman.take() == 3
        await office.postman.wait_until_idle()
    for task_id in (broken, odd):
        delivery = await office.delivery(task_id)
        assert (delivery.tries, delivery.state) == (1, DeliveryState.WAITING)
        assert "cannot be read" in delivery.error
    assert (await office.delivery(fine)).state is DeliveryState.TAKEN


async def test_a_message_to_another_arrives_while_250_hang(office):
    """However long they do: order decides, not time."""

    async def says_nothing(reader, _writer):
        await reader.read()

    async with receiver(says_nothing) as silent, receiver(says()) as kind:
        hanging = [await office.noted(silent) for _ in range(250)]
        run = asyncio.create_task(office.postman.run())
        last = await office.noted(kind)
        async with asyncio.timeout(60):
            while (await office.delivery(last)).state is not DeliveryState.TAKEN:
                await asyncio.sleep(0.01)
        assert sum([(await office.delivery(task_id)).tries for task_id in hanging]) == 0
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)
        await office.postman.stop(0)
