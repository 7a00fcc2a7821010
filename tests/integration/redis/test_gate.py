"""The gate while Redis is away, flushed, or full of somebody else's values."""

import asyncio
import socket
import time

import pytest
from redis.asyncio import Redis

from genpulse.adapters.redis.connection import open_redis
from genpulse.adapters.redis.gate import RedisGate
from genpulse.adapters.redis.keys import Keyspace
from genpulse.dev.ports import free_port
from genpulse.domain.errors import DatabaseUnavailable, ProviderUnavailable
from genpulse.domain.gate import CircuitPolicy, CircuitState, Limits
from genpulse.domain.rate import Rate

KEYS = Keyspace("dev:")


def gate_on(client, workers) -> RedisGate:
    return RedisGate(
        client,
        KEYS,
        guarded=["vendor"],
        limits={"vendor": Limits(rate=Rate.parse("20/s"))},
        policy=CircuitPolicy(failures=2, first_s=60),
        workers=workers,
        random=lambda: 1.0,
    )


async def four() -> int:
    return 4


async def nobody_knows() -> int:
    raise DatabaseUnavailable("away")


async def granted_in(gate: RedisGate, seconds: float) -> int:
    granted, began = 0, time.monotonic()
    while time.monotonic() - began < seconds:
        granted += (await gate.admit("vendor", 10)).granted
        await asyncio.sleep(0.01)
    return granted


@pytest.fixture
async def nowhere():
    client = open_redis(f"redis://127.0.0.1:{free_port()}", "dev:")
    yield client
    await client.aclose()


async def test_without_redis_a_process_keeps_to_its_share(nowhere):
    began = time.monotonic()
    granted = await granted_in(gate_on(nowhere, four), 1.0)
    share = 20 / 4 * (time.monotonic() - began) + 2
    assert 2 <= granted <= share


async def test_without_redis_and_postgresql_the_last_count_of_workers_holds(nowhere):
    admission = await gate_on(nowhere, nobody_knows).admit("vendor", 1)
    assert admission.granted == 1


async def test_without_redis_a_process_has_circuits_of_its_own(nowhere):
    gate = gate_on(nowhere, four)
    for _ in range(2):
        await gate.failed("vendor", ProviderUnavailable("502").failure)
    assert (await gate.circuit("vendor")).state is CircuitState.OPEN
    await gate.succeeded("vendor")
    assert (await gate.circuit("vendor")).state is CircuitState.CLOSED


async def test_a_redis_that_hangs_is_not_waited_for_again_and_again():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        client = open_redis(f"redis://127.0.0.1:{silent.getsockname()[1]}", "dev:")
        gate = gate_on(client, four)
        await gate.admit("vendor", 1)
        began = time.monotonic()
        for _ in range(20):
            await gate.admit("vendor", 1)
        assert time.monotonic() - began < 0.5
        await client.aclose()


async def test_a_flush_costs_nothing_but_memory(redis_url):
    client = open_redis(redis_url, "dev:")
    gate = gate_on(client, four)
    async with Redis.from_url(redis_url, decode_responses=True) as plain:
        await gate.admit("vendor", 1)
        assert await plain.keys("*") == ["dev:gate:vendor"]
        await plain.flushall()
        assert (await gate.admit("vendor", 1)).granted == 1
    await client.aclose()


@pytest.mark.parametrize("text", ["", "[]", "not json", "{}", '["a",1,2,3,4,5]', "null", "3", "[1,2]"])
async def test_a_value_of_another_version_is_replaced(redis_url, text):
    client = open_redis(redis_url, "dev:")
    await client.set("dev:gate:vendor", text)
    assert (await gate_on(client, four).admit("vendor", 1)).granted == 1
    await client.aclose()
