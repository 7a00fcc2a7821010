import asyncio
import json
import logging
from dataclasses import asdict

import pytest
from redis.asyncio import Redis as Client

from genpulse.adapters.redis.connection import open_redis
from genpulse.adapters.redis.keys import Keyspace
from genpulse.adapters.redis.presence import RedisPresence
from genpulse.ports import WorkerPresence
from tests.servers import TestServer

WORKER = WorkerPresence("w", "host", 1, 16, 0, ("sandbox",))


async def test_environments_do_not_see_each_other(client: Client) -> None:
    dev, main = (RedisPresence(client, Keyspace(prefix)) for prefix in ("dev:", "main:"))
    await dev.beat(WORKER, 60)
    assert await main.workers() == ()
    assert await dev.workers() == (WORKER,)
    assert {str(key) for key in await client.keys()} == {"dev:{workers}", "dev:{workers}:w"}


async def test_without_redis_nobody_is_seen_and_nothing_fails(own_server: TestServer) -> None:
    async with open_redis(own_server.url, "dev:") as client:
        presence = RedisPresence(client, Keyspace("dev:"))
        own_server.kill()
        await presence.beat(WORKER, 60)
        assert await presence.workers() == ()
        own_server.start()
        await presence.beat(WORKER, 60)
        assert await presence.workers() == (WORKER,)


@pytest.mark.parametrize(
    "document",
    [
        b"not json",
        b"[]",
        b"{}",
        b"[" * 100_000,
        b"\xff\xfe",
        json.dumps({"name": "w", "shoe_size": 46}).encode(),
        json.dumps({**asdict(WORKER), "concurrency": "many"}).encode(),
        json.dumps({**asdict(WORKER), "providers": [None]}).encode(),
    ],
    ids=lambda document: repr(document[:40]),
)
async def test_what_another_version_wrote_is_passed_over(redis_url: str, client: Client, document: bytes) -> None:
    reading = open_redis(redis_url, "dev:")
    presence = RedisPresence(reading, Keyspace("dev:"))
    await presence.beat(WORKER, 60)
    await presence.beat(WorkerPresence("x", "host", 2, 1, 1, ()), 60)
    await client.set("dev:{workers}:w", document)
    assert [worker.name for worker in await presence.workers()] == ["x"]
    await reading.aclose()


async def test_nothing_is_left_of_workers_that_are_gone(client: Client) -> None:
    presence = RedisPresence(client, Keyspace("dev:"))
    for number in range(20):
        await presence.beat(WorkerPresence(f"w{number}", "host", number, 1, 0, ()), 0.001)
    await asyncio.sleep(0.01)
    await presence.beat(WORKER, 60)
    assert await client.zrange("dev:{workers}", 0, -1) == ["w"]


async def test_a_cancellation_is_never_lost(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    """A worker that stops cancels its heartbeat at any moment."""
    caplog.set_level(logging.DEBUG)
    presence = RedisPresence(client, Keyspace("dev:"))
    for steps in range(60):
        beating = asyncio.create_task(presence.beat(WORKER, 60))
        for _ in range(steps % 30):
            await asyncio.sleep(0)
        if beating.done():
            continue
        beating.cancel()
        with pytest.raises(asyncio.CancelledError):
            await beating
