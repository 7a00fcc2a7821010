"""Asking servers whether they are there."""

import asyncio
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest
from redis.asyncio import Redis

from genpulse.dev.errors import ServerUnreachable
from genpulse.dev.processes.ports import free_port
from genpulse.dev.servers.health_checks import answers_ok, check_database, check_redis


@asynccontextmanager
async def speaking(answer):
    async def speak(reader, writer):
        await reader.readline()
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/readyz"


@pytest.mark.parametrize(
    ("answer", "ok"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", True),
        (b"HTTP/1.1 503 Service Unavailable\r\n\r\n", False),
        (b"what?\r\n", False),
        (b"", False),
    ],
)
async def test_only_200_is_ready(answer, ok):
    async with speaking(answer) as url:
        assert await answers_ok(url) is ok


async def test_nobody_there_is_not_ready():
    assert not await answers_ok(f"http://127.0.0.1:{free_port()}/readyz")


async def test_servers_that_were_named_let_us_in(database_url, redis_url):
    await check_database(database_url.replace("postgresql://", "postgresql+asyncpg://"))
    await check_redis(redis_url)


async def test_servers_that_are_away_are_named_with_their_variable():
    with pytest.raises(ServerUnreachable, match="unset GENPULSE_DATABASE_URL"):
        await check_database(f"postgresql://u:p@127.0.0.1:{free_port()}/d")
    with pytest.raises(ServerUnreachable, match="unset GENPULSE_REDIS__URL"):
        await check_redis(f"redis://127.0.0.1:{free_port()}/0")


async def test_servers_that_refuse_us_are_named_too(database_url, redis_url):
    wrong = "postgresql://genpulse:wrong@" + database_url.partition("@")[2]
    with pytest.raises(ServerUnreachable, match="password"):
        await check_database(wrong)
    with pytest.raises(ServerUnreachable, match=r"password|NOAUTH|Authentication"):
        await check_redis(f"redis://:wrong@127.0.0.1:{urlsplit(redis_url).port}/0")


async def test_a_redis_user_that_may_read_its_own_keys_alone_is_let_in(redis_url):
    async with Redis.from_url(redis_url) as admin:
        await admin.acl_setuser(
            "narrow", enabled=True, passwords="+pw", keys=["dev:*"], categories=["+@connection"]
        )
        try:
            await check_redis(f"redis://narrow:pw@127.0.0.1:{urlsplit(redis_url).port}/0")
        finally:
            await admin.acl_deluser("narrow")


async def test_several_servers_are_not_asked_here():
    await check_redis(f"redis+sentinel://127.0.0.1:{free_port()}/main/0")
