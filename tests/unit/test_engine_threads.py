"""The threads that local engines work in."""

import asyncio
import contextvars
import os
import threading
from uuid import uuid4

import pytest

from genpulse.provider import Call, EngineThreads, Input


@pytest.fixture
async def threads():
    threads = EngineThreads(2)
    yield threads
    await threads.close()


def call(**changes):
    return Call("model", "kind", Input(), uuid4(), "reference", attempt=1, **changes)


async def test_a_function_is_called_with_what_it_takes(threads):
    def add(one, *, other):
        return one + other, threading.current_thread().name

    found, name = await call(threads=threads).in_thread(add, 1, other=2)
    assert found == 3
    assert name.startswith("engine")


async def test_what_it_raises_comes_back(threads):
    with pytest.raises(ZeroDivisionError):
        await call(threads=threads).in_thread(lambda: 1 / 0)


async def test_what_the_caller_has_set_is_seen(threads):
    seen = contextvars.ContextVar("seen")
    seen.set("here")
    assert await threads.run(seen.get) == "here"


async def test_there_are_no_more_than_so_many(threads):
    began, free = threading.Semaphore(0), threading.Event()
    works = [asyncio.create_task(threads.run(lambda: (began.release(), free.wait()))) for _ in range(5)]
    await asyncio.to_thread(lambda: (began.acquire(), began.acquire()))
    assert not began.acquire(blocking=False)
    free.set()
    assert len(await asyncio.gather(*works)) == 5


async def test_what_waits_is_not_begun_once_nobody_wants_it(threads):
    free, called = threading.Event(), []
    holding = [asyncio.create_task(threads.run(free.wait)) for _ in range(2)]
    await asyncio.sleep(0)
    waiting = asyncio.create_task(threads.run(called.append, 1))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    free.set()
    await asyncio.gather(*holding)
    await threads.run(lambda: None)
    assert waiting.cancelled()
    assert called == []


async def test_without_any_all_calls_share_those_of_the_process():
    assert call().threads is call().threads
    assert await call().in_thread(os.getpid) == os.getpid()
