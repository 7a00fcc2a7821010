"""What every presence does."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import asdict, replace

import pytest

from genpulse.adapters.memory.presence import MemoryPresence
from genpulse.adapters.redis.connection import open_redis
from genpulse.adapters.redis.keys import Keyspace
from genpulse.adapters.redis.presence import RedisPresence
from genpulse.ports import Presence, WorkerPresence


@pytest.fixture(params=["redis", "memory"])
async def presence(request: pytest.FixtureRequest) -> AsyncIterator[Presence]:
    if request.param == "memory":
        yield MemoryPresence()
        return
    async with open_redis(request.getfixturevalue("redis_url"), "dev:") as client:
        yield RedisPresence(client, Keyspace("dev:"))


def worker(name: str, running: int = 0) -> WorkerPresence:
    return WorkerPresence(name, "höst", 4711, 16, running, ("comfyui", "sandbox"))


async def test_nobody_is_there_at_first(presence: Presence) -> None:
    assert await presence.workers() == ()


async def test_who_was_seen_is_there(presence: Presence) -> None:
    await presence.beat(worker("b"), 60)
    await presence.beat(worker("a", running=3), 60)
    assert await presence.workers() == (worker("a", running=3), worker("b"))


async def test_the_last_beat_counts(presence: Presence) -> None:
    await presence.beat(worker("a", running=1), 60)
    await presence.beat(worker("a", running=2), 60)
    assert await presence.workers() == (worker("a", running=2),)


async def test_who_is_not_seen_again_is_gone(presence: Presence) -> None:
    await presence.beat(worker("stays"), 60)
    await presence.beat(worker("goes"), 0.05)
    deadline = time.monotonic() + 60
    while len(await presence.workers()) > 1:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)
    assert await presence.workers() == (worker("stays"),)
    await presence.beat(worker("goes"), 60)
    assert await presence.workers() == (worker("goes"), worker("stays"))


async def test_loops_that_fail_are_seen(presence: Presence) -> None:
    ill = replace(worker("a"), failing=("the sweep", "hearing of running tasks"))
    await presence.beat(ill, 60)
    assert await presence.workers() == (ill,)
    await presence.beat(worker("a"), 60)
    assert await presence.workers() == (worker("a"),)


async def test_no_name_keeps_a_worker_from_being_seen(presence: Presence) -> None:
    """A host is named by others, and a loop after plug-ins."""
    odd = replace(worker("a\udcff"), host="h\udcff\0", failing=("claiming work of \ud83d",))
    await presence.beat(odd, 60)
    (seen,) = await presence.workers()
    assert (seen.pid, len(seen.failing)) == (odd.pid, 1)
    json.dumps(asdict(seen), ensure_ascii=False).encode()
