import asyncio
import signal
from contextlib import suppress

import pytest
from redis.asyncio import Redis as Client

from genpulse.adapters.redis.connection import RedisProbe, open_redis
from genpulse.adapters.redis.keys import Keyspace
from genpulse.background.cancellations import end_tasks
from genpulse.ports import State
from tests.integration.redis.refusing import refuse_writes, take_writes_again
from tests.servers import TestServer

DEV = Keyspace("dev:")


async def test_the_probe_finds_redis(client: Client) -> None:
    health = await RedisProbe(client, DEV)()
    assert (health.name, health.state) == ("redis", State.OK)


async def test_without_redis_the_system_is_degraded_and_not_down(own_server: TestServer) -> None:
    async with open_redis(own_server.url, "dev:") as client:
        assert (await RedisProbe(client, DEV)()).state is State.OK
        own_server.kill()
        health = await RedisProbe(client, DEV)()
        assert health.state is State.DEGRADED
        assert "no live events" in health.detail
        own_server.start()
        assert (await RedisProbe(client, DEV)()).state is State.OK


async def test_the_probe_answers_in_time_when_redis_does_not(own_server: TestServer) -> None:
    async with open_redis(own_server.url, "dev:") as client:
        own_server.child.signal(signal.SIGSTOP)
        health = await RedisProbe(client, DEV)()
        own_server.child.signal(signal.SIGCONT)
    assert health.state is State.DEGRADED


async def test_what_is_ended_by_one_that_is_ended_itself_has_ended() -> None:
    """Each loses cancellations, as the client does while it writes."""
    inner: list[asyncio.Task[None]] = []

    async def stubborn() -> None:
        for _ in range(5):
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(3600)

    async def conversation() -> None:
        inner.append(asyncio.create_task(stubborn()))
        try:
            await asyncio.wait(inner)
        finally:
            await end_tasks(*inner)

    outer = asyncio.create_task(conversation())
    await asyncio.sleep(0.05)
    await end_tasks(outer)
    ended = inner[0].done()
    await end_tasks(*inner)
    assert (ended, outer.cancelled()) == (True, True)


def administrator(server: TestServer) -> Client:
    return Client.from_url(server.url, decode_responses=True)


@pytest.mark.parametrize(
    ("refusal", "words"), [("full", "memory is full"), ("replica", "read-only replica"), ("unsaved", "MISCONF")]
)
async def test_a_server_that_takes_no_writes_is_degraded_and_says_why(
    own_server: TestServer, refusal: str, words: str
) -> None:
    async with open_redis(own_server.url, "dev:") as client, administrator(own_server) as admin:
        assert (await RedisProbe(client, DEV)()).state is State.OK
        await refuse_writes(admin, refusal)
        health = await RedisProbe(client, DEV)()
        assert health.state is State.DEGRADED
        assert "takes no writes" in health.detail
        assert words in health.detail
        await take_writes_again(admin)
        assert (await RedisProbe(client, DEV)()).state is State.OK


async def test_what_the_probe_writes_goes_away(redis_url: str, client: Client) -> None:
    async with open_redis(redis_url, "dev:") as probed:
        await RedisProbe(probed, DEV)()
    assert await client.keys() == ["dev:probe"]
    assert 0 < await client.pttl("dev:probe") <= 5_000


async def test_a_wrong_password_is_degraded_and_is_not_shown(own_server: TestServer) -> None:
    head, _, tail = own_server.url.partition("://:")
    async with open_redis(f"{head}://:not-the-one@{tail.partition('@')[2]}", "dev:") as client:
        health = await RedisProbe(client, DEV)()
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
        probing = asyncio.create_task(RedisProbe(client, DEV)())
        for _ in range(steps % 20):
            await asyncio.sleep(0)
        if probing.done():
            continue
        probing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await probing
