"""The gate while Redis is away, flushed, or full of somebody else's values."""

import asyncio
import socket
import time

import pytest
from redis.asyncio import Redis

from genpulse.adapters.redis.connection import open_redis
from genpulse.adapters.redis.keys import Keyspace
from genpulse.adapters.redis.provider_gate import RedisGate
from genpulse.dev.processes.ports import free_port
from genpulse.domain.errors import DatabaseUnavailable, ProviderUnavailable, RateLimited
from genpulse.domain.provider_account.gate import CircuitPolicy, CircuitState, Limits
from genpulse.domain.provider_account.learned_concurrency import RAISED_AFTER, Load
from genpulse.domain.provider_account.rate import Rate
from tests.failing_group import failing_group
from tests.integration.redis.refusing import refuse_writes

KEYS = Keyspace("dev:")
PATIENT_S = 30.0
"""A machine that is busy with other tests is no outage."""
DOWN = ProviderUnavailable("502").failure
REFUSED = RateLimited("429").failure


def gate_on(client, workers, answer_s=1.0, rate="20/s") -> RedisGate:
    return RedisGate(
        client,
        KEYS,
        guarded=["vendor"],
        limits={"vendor": Limits(rate=Rate.parse(rate))},
        policy=CircuitPolicy(failures=2, first_s=60),
        workers=workers,
        random=lambda: 1.0,
        answer_s=answer_s,
    )


async def four() -> int:
    return 4


async def nobody_knows() -> int:
    raise DatabaseUnavailable("away")


def outages(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [line for record in caplog.records if "not shared" in (line := record.getMessage())]


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
        await gate.failed("vendor", DOWN)
    assert (await gate.circuit("vendor")).state is CircuitState.OPEN
    await gate.succeeded("vendor")
    assert (await gate.circuit("vendor")).state is CircuitState.CLOSED


async def test_without_redis_a_process_learns_by_itself(nowhere):
    gate, other = gate_on(nowhere, four), gate_on(nowhere, four)
    await gate.failed("vendor", REFUSED, Load(8, 0.0))
    assert (await gate.admit("vendor", 9)).seats == 4
    for _ in range(RAISED_AFTER):
        await gate.succeeded("vendor")
    assert (await gate.circuit("vendor")).learned.concurrency == 5
    assert (await other.admit("vendor", 9)).seats is None


async def test_a_flush_forgets_what_was_learned(redis_url):
    async with open_redis(redis_url, "dev:") as client, Redis.from_url(redis_url) as plain:
        gate = gate_on(client, four, PATIENT_S)
        await gate.failed("vendor", REFUSED, Load(8, 0.0))
        assert (await gate.admit("vendor", 9)).seats == 4
        await plain.flushall()
        assert (await gate.admit("vendor", 9)).seats is None
        assert (await gate.circuit("vendor")).learned is None


async def test_many_workers_that_are_refused_at_once_learn_it_once(redis_url):
    clients = [open_redis(redis_url, "dev:") for _ in range(24)]
    gates = [gate_on(client, four, PATIENT_S) for client in clients]
    refusals = [gate.failed("vendor", REFUSED, Load(64, 60.0)) for gate in gates for _ in range(10)]
    circuits = await asyncio.gather(*refusals)
    assert {circuit.learned.concurrency for circuit in circuits} == {32}
    for client in clients:
        await client.aclose()


async def test_a_redis_that_hangs_is_not_waited_for_again_and_again():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        client = open_redis(f"redis://127.0.0.1:{silent.getsockname()[1]}", "dev:")
        gate = gate_on(client, four)
        await gate.admit("vendor", 1)
        began = time.monotonic()
        for _ in range(200):
            await gate.admit("vendor", 1)
        assert time.monotonic() - began < 100
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


@pytest.mark.parametrize("rate", ["20/s", "5000/s"])
async def test_many_workers_at_one_account_are_no_outage_and_keep_to_its_rate(redis_url, rate, caplog):
    workers, asked = 24, 40
    clients = [open_redis(redis_url, "dev:") for _ in range(workers)]
    gates = [gate_on(client, four, PATIENT_S, rate) for client in clients]
    began = time.monotonic()

    async def hammer(gate: RedisGate) -> int:
        return sum([(await gate.admit("vendor", 3)).granted for _ in range(asked)])

    granted = sum(await asyncio.gather(*(hammer(gate) for gate in gates)))
    allowed = (time.monotonic() - began) / Rate.parse(rate).interval_s + Rate.parse(rate).at_once
    assert 1 <= granted <= allowed
    assert outages(caplog) == []
    for client in clients:
        await client.aclose()


async def test_many_workers_whose_tasks_fail_at_once_open_one_circuit(redis_url, caplog):
    clients = [open_redis(redis_url, "dev:") for _ in range(24)]
    gates = [gate_on(client, four, PATIENT_S) for client in clients]
    circuits = await asyncio.gather(*(gate.failed("vendor", DOWN) for gate in gates for _ in range(10)))
    assert CircuitState.OPEN in {circuit.state for circuit in circuits}
    seen = [await gate.circuit("vendor") for gate in gates]
    assert {circuit.state for circuit in seen} == {CircuitState.OPEN}
    assert {circuit.failures for circuit in seen} == {2}, "those that come late do not count"
    assert outages(caplog) == []
    for client in clients:
        await client.aclose()


async def test_a_redis_that_forgets_its_scripts_again_and_again_is_no_outage(redis_url, caplog):
    client = open_redis(redis_url, "dev:")
    gates = [gate_on(client, four, PATIENT_S) for _ in range(3)]
    done = asyncio.Event()

    async def forget() -> None:
        async with Redis.from_url(redis_url) as plain:
            while not done.is_set():
                await plain.script_flush()
                await asyncio.sleep(0)

    forgetting = asyncio.create_task(forget())
    for _ in range(100):
        await asyncio.gather(*(gate.admit("vendor", 1) for gate in gates))
    done.set()
    await forgetting
    assert outages(caplog) == []
    await client.aclose()


async def test_a_restart_of_redis_costs_seconds_and_the_circuit_opens_again(own_server, caplog):
    client = open_redis(own_server.url, "dev:")
    gate = gate_on(client, four)
    await gate.admit("vendor", 1)
    own_server.kill()
    assert (await gate.admit("vendor", 1)).granted == 1, "its own part"
    own_server.start()
    deadline = time.monotonic() + 60
    async with Redis.from_url(own_server.url) as plain:
        while not await plain.exists("dev:gate:vendor"):
            assert time.monotonic() < deadline
            await gate.admit("vendor", 1)
            await asyncio.sleep(0.05)
    for _ in range(2):
        await gate.failed("vendor", DOWN)
    assert (await gate_on(client, four).circuit("vendor")).state is CircuitState.OPEN
    assert len(outages(caplog)) == 1
    await client.aclose()


async def test_what_a_process_thought_of_an_account_while_redis_was_away_ends_with_the_outage(own_server):
    client = open_redis(own_server.url, "dev:")
    gate = gate_on(client, four)
    own_server.kill()
    for _ in range(2):
        await gate.failed("vendor", DOWN)
    assert (await gate.circuit("vendor")).state is CircuitState.OPEN
    own_server.start()
    deadline = time.monotonic() + 60
    while (await gate.circuit("vendor")).state is not CircuitState.CLOSED:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)
    own_server.kill()
    assert (await gate.circuit("vendor")).state is CircuitState.CLOSED
    await client.aclose()


@pytest.mark.parametrize("refusal", ["full", "replica"])
async def test_a_redis_that_takes_no_writes_shares_no_limits(own_server, refusal):
    client = open_redis(own_server.url, "dev:")
    async with Redis.from_url(own_server.url) as plain:
        await refuse_writes(plain, refusal)
        granted, began = 0, time.monotonic()
        gates = [gate_on(client, four) for _ in range(4)]
        while time.monotonic() - began < 1.0:
            for gate in gates:
                granted += (await gate.admit("vendor", 10)).granted
            await asyncio.sleep(0.01)
    allowed = 20 * (time.monotonic() - began) + 2 * len(gates)
    assert len(gates) <= granted <= allowed
    await client.aclose()


async def test_a_cancellation_is_never_lost(redis_url):
    client = open_redis(redis_url, "dev:")
    gate = gate_on(client, four)
    for steps in range(60):
        asking = asyncio.create_task(gate.admit("vendor", 1))
        for _ in range(steps % 20):
            await asyncio.sleep(0)
        if asking.done():
            continue
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
    await client.aclose()


async def test_what_somebody_left_behind_in_the_task_is_no_cancellation(redis_url, caplog):
    """A vendor's client may have; and the gate is told of an answer that is paid for."""
    with pytest.raises(ExceptionGroup):
        await failing_group()
    client = open_redis(redis_url, "dev:")
    gate = gate_on(client, four)
    await gate.succeeded("vendor")
    assert (await gate.circuit("vendor")).state is CircuitState.CLOSED
    assert not outages(caplog)
    await client.aclose()
