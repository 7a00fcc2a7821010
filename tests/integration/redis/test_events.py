import asyncio
import logging
import signal
import time
from collections.abc import Awaitable, Callable
from uuid import UUID, uuid4

import pytest
from redis.asyncio import Redis as Client
from redis.exceptions import NoPermissionError

from genpulse.adapters.redis.connection import open_redis
from genpulse.adapters.redis.events import RedisEventBus
from genpulse.adapters.redis.key_guard import ForeignKey
from genpulse.adapters.redis.keys import Keyspace
from genpulse.adapters.redis.presence import RedisPresence
from genpulse.adapters.subscription import QueuedSubscription
from genpulse.domain.event import TaskEvent
from genpulse.ports import WorkerPresence
from tests.integration.redis.refusing import REFUSALS, refuse_writes, take_writes_again
from tests.servers import TestServer

DEV = Keyspace("dev:")


async def eventually(holds: Callable[[], Awaitable[bool]], within_s: float = 10.0) -> None:
    deadline = time.monotonic() + within_s
    while not await holds():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


async def arrives(bus: RedisEventBus, subscription: QueuedSubscription, task_id: UUID) -> None:
    """Events come (again): what is published now is heard."""

    async def heard() -> bool:
        bus.publish(TaskEvent(task_id, time.monotonic_ns()))
        return await subscription.next(0.05) is not None

    await eventually(heard)


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


async def test_one_connection_serves_all_watchers_and_channels_are_left(client: Client) -> None:
    async with RedisEventBus(client, DEV) as bus:
        tasks = [uuid4() for _ in range(50)]

        async def watch(task_id: UUID, leave: asyncio.Event) -> None:
            async with bus.subscribe(task_id):
                await leave.wait()

        leave = asyncio.Event()
        watchers = [asyncio.create_task(watch(task_id, leave)) for task_id in tasks * 2]

        async def listened_to() -> bool:
            return len(await client.pubsub_channels()) == 50

        async def all_left() -> bool:
            return await client.pubsub_channels() == []

        await eventually(listened_to)
        assert len(await client.client_list(_type="pubsub")) == 1
        leave.set()
        await asyncio.gather(*watchers)
        await eventually(all_left)


async def test_the_bus_survives_that_redis_is_killed(
    own_server: TestServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "genpulse")
    task_id = uuid4()
    async with (
        open_redis(own_server.url, "dev:") as client,
        RedisEventBus(client, DEV) as bus,
        bus.subscribe(task_id) as subscription,
    ):
        for outage in range(1, 3):
            await arrives(bus, subscription, task_id)
            own_server.kill()
            for seq in range(100):
                bus.publish(TaskEvent(task_id, seq, seq / 100))
                await asyncio.sleep(0.005)
            while await subscription.next(0.01) is not None:
                pass
            assert await subscription.next(0.3) is None
            assert len(warnings(caplog)) == outage, "one warning for each outage"
            own_server.start()
            await arrives(bus, subscription, task_id)

            async def said_that_it_is_over(times: int = outage) -> bool:
                return caplog.text.count("live again") == times

            await eventually(said_that_it_is_over)


async def test_who_comes_while_redis_is_away_waits_a_moment_and_hears_when_it_is_back(
    own_server: TestServer,
) -> None:
    own_server.kill()
    task_id = uuid4()
    async with (
        open_redis(own_server.url, "dev:") as client,
        RedisEventBus(client, DEV) as bus,
        bus.subscribe(task_id) as subscription,
    ):
        bus.publish(TaskEvent(task_id, 1))
        assert await subscription.next(0.1) is None
        own_server.start()
        await arrives(bus, subscription, task_id)


async def test_publishing_never_waits_for_a_redis_that_does_not_answer(own_server: TestServer) -> None:
    task_id = uuid4()
    async with open_redis(own_server.url, "dev:") as client:
        bus = RedisEventBus(client, DEV)
        async with bus.subscribe(task_id):
            own_server.child.signal(signal.SIGSTOP)
            for seq in range(30_000):
                bus.publish(TaskEvent(task_id, seq))
            await asyncio.wait_for(bus.close(), 60)
        own_server.child.signal(signal.SIGCONT)


async def test_a_connection_on_which_nothing_comes_any_more_is_given_up(own_server: TestServer) -> None:
    """The far end vanishes without a word, as behind a firewall that forgets; no error is ever read."""
    task_id = uuid4()
    async with (
        open_redis(own_server.url, "dev:") as client,
        RedisEventBus(client, DEV, quiet_s=0.3) as bus,
        bus.subscribe(task_id) as subscription,
    ):
        await arrives(bus, subscription, task_id)
        first = {entry["id"] for entry in await client.client_list(_type="pubsub")}
        own_server.child.signal(signal.SIGSTOP)
        await asyncio.sleep(1)
        own_server.child.signal(signal.SIGCONT)
        await arrives(bus, subscription, task_id)

        async def another_connection() -> bool:
            now = {entry["id"] for entry in await client.client_list(_type="pubsub")}
            return bool(now) and not now & first

        await eventually(another_connection)


@pytest.mark.parametrize("refusal", REFUSALS)
async def test_events_are_live_on_a_server_that_takes_no_writes(
    own_server: TestServer, refusal: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with Client.from_url(own_server.url, decode_responses=True) as admin:
        await refuse_writes(admin, refusal)
        async with open_redis(own_server.url, "dev:") as client, RedisEventBus(client, DEV, quiet_s=2.0) as bus:
            for _ in range(2):
                task_id = uuid4()
                async with bus.subscribe(task_id) as subscription:
                    await arrives(bus, subscription, task_id)
                await asyncio.sleep(2.1)
        await take_writes_again(admin)
    assert warnings(caplog) == []


async def test_what_is_published_just_before_the_end_is_sent(client: Client) -> None:
    task_id = uuid4()
    async with (
        open_redis_like(client) as other,
        RedisEventBus(other, DEV) as watcher,
        watcher.subscribe(task_id) as subscription,
    ):
        await arrives(watcher, subscription, task_id)
        while await subscription.next(0.3) is not None:
            continue
        bus = RedisEventBus(client, DEV)
        for seq in range(500):
            bus.publish(TaskEvent(uuid4(), seq))
        bus.publish(TaskEvent(task_id, 1))
        await bus.close()
        bus.publish(TaskEvent(task_id, 2))
        assert await subscription.next(5) == TaskEvent(task_id, 1)
        assert await subscription.next(0.05) is None


def open_redis_like(client: Client) -> Client:
    arguments = client.connection_pool.connection_kwargs
    return open_redis(f"redis://:{arguments['password']}@{arguments['host']}:{arguments['port']}/0", "dev:")


@pytest.mark.parametrize("junk", ["", "nonsense", "{}", "[1,2]", '["x",1,null,null]', "[null,null,null,null]"])
async def test_what_is_no_event_is_passed_over(
    client: Client, junk: str, caplog: pytest.LogCaptureFixture
) -> None:
    task_id = uuid4()
    async with RedisEventBus(client, DEV) as bus, bus.subscribe(task_id) as subscription:
        await client.publish(DEV.events(task_id), junk)
        bus.publish(TaskEvent(task_id, 1))
        assert await subscription.next(60) == TaskEvent(task_id, 1)
    assert len(warnings(caplog)) == 1


async def test_environments_do_not_hear_each_other(client: Client) -> None:
    task_id = uuid4()
    async with (
        RedisEventBus(client, DEV) as dev,
        RedisEventBus(client, Keyspace("main:")) as main,
        main.subscribe(task_id) as subscription,
    ):
        dev.publish(TaskEvent(task_id, 1))
        main.publish(TaskEvent(task_id, 2))
        assert await subscription.next(5) == TaskEvent(task_id, 2)


async def test_a_user_limited_to_one_environment_runs_it_all(own_server: TestServer) -> None:
    async with Client.from_url(own_server.url) as admin:
        await admin.acl_setuser(
            "dev",
            enabled=True,
            passwords=["+secret"],
            keys=["dev:*"],
            channels=["dev:*"],
            categories=["+@all", "-@dangerous"],
        )
    url = f"redis://dev:secret@{own_server.url.rpartition('@')[2]}"
    task_id = uuid4()
    async with open_redis(url, "dev:") as client, RedisEventBus(client, DEV) as bus:
        async with bus.subscribe(task_id) as subscription:
            bus.publish(TaskEvent(task_id, 1))
            assert await subscription.next(5) == TaskEvent(task_id, 1)
        presence = RedisPresence(client, DEV)
        worker = WorkerPresence("w", "host", 1, 16, 0, ("sandbox",))
        await presence.beat(worker, 60)
        assert await presence.workers() == (worker,)
        with pytest.raises(ForeignKey):
            await client.get("main:anything")
    async with Client.from_url(url) as unguarded:
        with pytest.raises(NoPermissionError):
            await unguarded.get("main:anything")


async def test_a_user_who_may_not_listen_gets_one_warning(
    own_server: TestServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with Client.from_url(own_server.url) as admin:
        await admin.acl_setuser(
            "narrow", enabled=True, nopass=True, keys=["dev:*"], channels=["main:*"], categories=["+@all"]
        )
    url = f"redis://narrow:any@{own_server.url.rpartition('@')[2]}"
    task_id = uuid4()
    async with (
        open_redis(url, "dev:") as client,
        RedisEventBus(client, DEV) as bus,
        bus.subscribe(task_id) as subscription,
    ):
        for seq in range(3):
            bus.publish(TaskEvent(task_id, seq))
            assert await subscription.next(0.6) is None
        async with asyncio.timeout(60):
            while not warnings(caplog):
                await asyncio.sleep(0.05)
    assert len(warnings(caplog)) == 1
    assert "permission" in warnings(caplog)[0].lower()
