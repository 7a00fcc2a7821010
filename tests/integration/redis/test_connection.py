import asyncio
import signal
import time

import pytest
from redis.asyncio import Redis as Client

from genpulse.adapters.redis.connection import RedisProbe, open_redis
from genpulse.ports import State
from tests.servers import TestServer


async def test_the_probe_finds_redis(client: Client) -> None:
    health = await RedisProbe(client)()
    assert (health.name, health.state) == ("redis", State.OK)


async def test_without_redis_the_system_is_degraded_and_not_down(own_server: TestServer) -> None:
    async with open_redis(own_server.url, "dev:") as client:
        assert (await RedisProbe(client)()).state is State.OK
        own_server.kill()
        health = await RedisProbe(client)()
        assert health.state is State.DEGRADED
        assert "no live events" in health.detail
        own_server.start()
        assert (await RedisProbe(client)()).state is State.OK


async def test_the_probe_answers_in_time_when_redis_does_not(own_server: TestServer) -> None:
    async with open_redis(own_server.url, "dev:") as client:
        own_server.child.signal(signal.SIGSTOP)
        began = time.monotonic()
        health = await RedisProbe(client)()
        own_server.child.signal(signal.SIGCONT)
    assert health.state is State.DEGRADED
    assert time.monotonic() - began < 3


async def test_a_wrong_password_is_degraded_and_is_not_shown(own_server: TestServer) -> None:
    head, _, tail = own_server.url.partition("://:")
    async with open_redis(f"{head}://:not-the-one@{tail.partition('@')[2]}", "dev:") as client:
        health = await RedisProbe(client)()
    assert health.state is State.DEGRADED
    assert "not-the-one" not in health.detail


async def test_a_connection_that_broke_while_it_was_idle_is_not_noticed(own_server: TestServer) -> None:
    async with open_redis(own_server.url, "dev:") as client:
        await client.ping()
        own_server.kill()
        own_server.start()
        assert await client.ping()


async def test_a_cancellation_is_never_lost(client: Client) -> None:
    for steps in range(60):
        probing = asyncio.create_task(RedisProbe(client)())
        for _ in range(steps % 20):
            await asyncio.sleep(0)
        if probing.done():
            continue
        probing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await probing
