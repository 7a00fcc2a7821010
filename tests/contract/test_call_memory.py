"""What every memory of calls does, seen from several processes."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from genpulse.adapters.memory.call_memory import MemoryCalls, SharedCalls
from genpulse.adapters.redis.call_memory import RedisCalls
from genpulse.adapters.redis.connection import open_redis
from genpulse.adapters.redis.keys import Keyspace
from genpulse.domain.submission.repeated_calls import CallState
from genpulse.ports import CallMemory


@pytest.fixture(params=["redis", "memory"])
async def process(request: pytest.FixtureRequest) -> AsyncIterator[Callable[[str], CallMemory]]:
    """Makes a memory for the process of a name. `kill` ends one as `kill -9` does."""
    if request.param == "memory":
        shared = SharedCalls()
        yield lambda name: MemoryCalls(shared, name)
        return
    opened: list[RedisCalls] = []
    async with open_redis(request.getfixturevalue("redis_url"), "dev:") as client:

        def make(name: str) -> RedisCalls:
            opened.append(RedisCalls(client, Keyspace("dev:"), name, answer_s=60))
            return opened[-1]

        yield make
        for one in opened:
            await one.close()


async def kill(memory: CallMemory) -> None:
    if isinstance(memory, MemoryCalls):
        memory.die()
    elif isinstance(memory, RedisCalls):
        await memory.close()


async def settled(memory: CallMemory, digest: str, key: str, state: CallState) -> None:
    memory.note(digest, key, state)
    if isinstance(memory, RedisCalls):
        await memory._is_idle.wait()


async def test_equal_calls_that_are_meant_stay_two(process):
    one, two = process("a"), process("b")
    assert await one.take("d", "k1", repeats=False) == "k1"
    assert await two.take("d", "k2", repeats=False) == "k2"
    await settled(one, "d", "k1", CallState.ANSWERED)
    assert await one.take("d", "k3", repeats=False) == "k3"


@pytest.mark.parametrize("repeats", [True, False])
async def test_a_lost_call_is_taken_up_once_by_any_process(process, repeats):
    one, two = process("a"), process("b")
    await one.take("d", "k1", repeats=False)
    await settled(one, "d", "k1", CallState.LOST)
    assert await two.take("d", "k2", repeats=repeats) == "k1"
    assert await one.take("d", "k3", repeats=False) == "k3"


async def test_of_lost_calls_the_oldest_is_first(process):
    one = process("a")
    for key in ("k1", "k2"):
        await one.take("d", key, repeats=False)
        await asyncio.sleep(0.002)
    for key in ("k2", "k1"):
        await settled(one, "d", key, CallState.LOST)
    assert await one.take("d", "k3", repeats=False) == "k1"
    assert await one.take("d", "k4", repeats=True) == "k2"


@pytest.mark.parametrize("state", [CallState.OPEN, CallState.ANSWERED, CallState.REFUSED])
async def test_by_the_word_of_the_client_any_call_is_found(process, state):
    one, two = process("a"), process("b")
    await one.take("d", "k1", repeats=False)
    await settled(one, "d", "k1", state)
    assert await two.take("other", "k2", repeats=True) == "k2"
    assert await two.take("d", "k3", repeats=True) == "k1"


async def test_what_says_that_it_repeats_and_is_not_known_is_not_noted(process):
    one = process("a")
    assert await one.take("d", "k1", repeats=True) == "k1"
    assert await one.take("d", "k2", repeats=True) == "k2"


async def test_what_was_refused_goes_before_what_was_answered_and_that_before_what_is_open(process):
    one = process("a")
    for key, state in (("k1", CallState.REFUSED), ("k2", CallState.ANSWERED), ("k3", CallState.OPEN)):
        await one.take("d", key, repeats=False)
        await settled(one, "d", key, state)
    assert await one.take("d", "n", repeats=True) == "k1"
    await settled(one, "d", "k1", CallState.OPEN)
    assert await one.take("d", "n", repeats=True) == "k2"


async def test_what_was_open_in_a_process_that_died_is_lost(process):
    one, two = process("a"), process("b")
    await one.take("d", "k1", repeats=False)
    assert await two.take("d", "k2", repeats=False) == "k2"
    await kill(one)
    assert await two.take("d", "k3", repeats=False) == "k1"
    assert await two.take("d", "k4", repeats=False) == "k4"


async def test_what_was_answered_in_a_process_that_died_stays_answered(process):
    one, two = process("a"), process("b")
    await one.take("d", "k1", repeats=False)
    await settled(one, "d", "k1", CallState.ANSWERED)
    await kill(one)
    assert await two.take("d", "k2", repeats=False) == "k2"


async def test_calls_that_come_together_are_told_apart(process):
    one, two = process("a"), process("b")
    keys = [f"k{number}" for number in range(50)]
    taken = await asyncio.gather(*(one.take("d", key, repeats=False) for key in keys))
    assert taken == keys
    for key in keys[:-1]:
        one.note("d", key, CallState.ANSWERED)
    await settled(one, "d", keys[-1], CallState.LOST)
    again = await asyncio.gather(*(two.take("d", f"n{number}", repeats=False) for number in range(3)))
    assert sorted(again) == [keys[-1], "n1", "n2"]


async def test_a_memory_that_was_closed_keeps_nobody_waiting(process):
    one = process("a")
    await one.take("d", "k1", repeats=False)
    await one.close()
    if isinstance(one, RedisCalls):
        assert await one.take("d", "k2", repeats=True) is None


async def test_without_redis_nothing_is_known_and_nothing_is_raised():
    async with open_redis("redis://127.0.0.1:1/0", "dev:") as client:
        memory = RedisCalls(client, Keyspace("dev:"), "a")
        assert await memory.take("d", "k1", repeats=True) is None
        memory.note("d", "k1", CallState.LOST)
        assert await memory.take("d", "k2", repeats=False) is None
        await memory.close()
