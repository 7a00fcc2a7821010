"""What odd messages and bugs do to the two loops of the event bus: they cost themselves and nothing else."""

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis as Client

from genpulse.adapters.redis import listener, sender
from genpulse.adapters.redis.connection import Outage, open_redis
from genpulse.adapters.redis.events import RedisEventBus
from genpulse.adapters.redis.keys import Keyspace
from genpulse.background.loops import Loops
from genpulse.domain.event import TaskEvent
from tests.drawn import examples

DEV = Keyspace("dev:")
TASK = UUID("0192d3a4-0000-7000-8000-000000000001")


def event_of(seq="1", progress="null", message="null", task=f'"{TASK}"') -> bytes:
    return f"[{task},{seq},{progress},{message}]".encode()


ODD = [
    b"\xff\xfe",
    b"\x00",
    event_of().replace(b"0001", b"\xff\xff\xff\xff"),
    event_of(seq="Infinity"),
    event_of(seq="NaN"),
    event_of(seq="-1"),
    event_of(seq="1.5"),
    event_of(seq="9" * 30),
    event_of(seq="9" * 10_000),
    event_of(seq="true"),
    event_of(seq='"1"'),
    event_of(progress="Infinity"),
    event_of(progress="-0.1"),
    event_of(progress="1e999"),
    event_of(progress="{}"),
    event_of(message="7"),
    event_of(message='["a"]'),
    event_of(message=r'"\ud800"'),
    event_of(task="0"),
    event_of(task=f'"{UUID(int=7)}"'),
    event_of(message="[" * 100_000),
    b"[" * 100_000,
    b'{"a":' * 50_000,
]


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


async def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: repr(odd[-30:]))
async def test_an_odd_message_costs_one_warning(redis_url, odd, caplog):
    loops = Loops()
    async with (
        Client.from_url(redis_url) as stranger,
        open_redis(redis_url, "dev:") as client,
        RedisEventBus(client, DEV, loops=loops) as bus,
        bus.subscribe(TASK) as subscription,
    ):
        await stranger.publish(DEV.events(TASK), odd)
        bus.publish(TaskEvent(TASK, 2, 0.5))
        assert await subscription.next(5) == TaskEvent(TASK, 2, 0.5)
        joined_s = [await seconds_to_join(bus) for _ in range(3)]
    assert min(joined_s) < 0.5, "nobody listens any more: each join waits for a second"
    assert len(warnings(caplog)) == 1
    assert not loops.failures


async def seconds_to_join(bus: RedisEventBus) -> float:
    began = time.monotonic()
    async with bus.subscribe(uuid4()):
        return time.monotonic() - began


@pytest.mark.hypothesis
def test_whatever_is_published_the_next_event_arrives(redis_url):
    values = st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
    fields = st.tuples(st.just(str(TASK)), values, values, values)
    documents = st.binary() | fields.map(lambda event: json.dumps(event).encode())

    async def arrives(odd: list[bytes]) -> None:
        async with bus.subscribe(TASK) as subscription:
            for message in odd:
                await stranger.publish(DEV.events(TASK), message)
            bus.publish(TaskEvent(TASK, 77, 0.5, "good"))
            while (event := await subscription.next(5)) != TaskEvent(TASK, 77, 0.5, "good"):
                assert event is not None
                assert isinstance(event.seq, int)
                assert event.progress is None or 0 <= event.progress <= 1

    @settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(documents, max_size=5))
    def always(odd):
        runner.run(arrives(odd))

    loops = Loops()
    with asyncio.Runner() as runner:
        stranger, client = Client.from_url(redis_url), open_redis(redis_url, "dev:")
        bus = RedisEventBus(client, DEV, loops=loops)
        always()
        for closing in (bus.close(), client.aclose(), stranger.aclose()):
            runner.run(closing)
    assert not loops.failures


async def test_a_delivery_that_raises_costs_its_message(redis_url):
    loops, delivered = Loops(), []

    def deliver(_channel: str, text: str) -> None:
        if text == "bad":
            raise RuntimeError(text)
        delivered.append(text)

    async with open_redis(redis_url, "dev:") as client:
        listening = listener.ChannelListener(client, Outage(), deliver, 5.0, loops)
        await listening.join("dev:a")
        for text in ("bad", "bad", "good"):
            await client.publish("dev:a", text)
        await eventually(lambda: delivered == ["good"])
        await listening.close()
    assert loops.failures == {listener.NAME: 2}


async def test_an_event_without_a_document_costs_itself(redis_url):
    loops, delivered = Loops(), []

    def document(event: TaskEvent) -> str:
        if event.seq == 1:
            raise RuntimeError("no document")
        return str(event.seq)

    async with open_redis(redis_url, "dev:") as client:
        listening = listener.ChannelListener(client, Outage(), lambda _, text: delivered.append(text), 5.0, loops)
        await listening.join(DEV.events(TASK))
        sending = sender.EventSender(client, Outage(), DEV, document, loops)
        for seq in range(3):
            sending.put(TaskEvent(TASK, seq))
        await eventually(lambda: delivered == ["0", "2"])
        await sending.close()
        await listening.close()
    assert loops.failures == {sender.NAME: 1}


def broken_once(broken: bool) -> Callable[[object], Awaitable[None]]:
    """A hook of the client that has a bug in it: the first connection raises what nobody expects of it."""
    left = [broken]

    async def connected(connection) -> None:
        await connection.on_connect()
        if left and left.pop():
            raise RuntimeError("a bug")

    return connected


@pytest.mark.parametrize("loop", [listener.NAME, sender.NAME])
async def test_a_bug_in_a_loop_is_counted_and_the_loop_goes_on(redis_url, loop):
    loops = {name: Loops() for name in (listener.NAME, sender.NAME)}
    clients = {
        name: Client.from_url(redis_url, decode_responses=True, redis_connect_func=broken_once(name == loop))
        for name in loops
    }
    hearing = RedisEventBus(clients[listener.NAME], DEV, loops=loops[listener.NAME])
    telling = RedisEventBus(clients[sender.NAME], DEV, loops=loops[sender.NAME])
    async with hearing, telling, hearing.subscribe(TASK) as subscription:
        deadline = time.monotonic() + 60
        while await subscription.next(0.05) is None:
            assert time.monotonic() < deadline
            telling.publish(TaskEvent(TASK, 1))
    for client in clients.values():
        await client.aclose()
    assert loops[loop].failures == {loop: 1}
    assert loops[loop].failing == (loop,)
