"""Calls without an idempotency key, over two APIs, and over the death of the one that took the first."""

import asyncio

import aiohttp
import pytest

from tests.fleet import Fleet, until_ready

pytestmark = pytest.mark.slow

BODY = {"model": "sandbox/noop", "prompt": "x", "delay_s": 3, "output_bytes": 10}
CLIENTS_WAIT_S = 0.5
"""So long at least clients of OpenAI wait before they repeat a call."""
AGAIN = {"x-stainless-retry-count": "1"}


@pytest.fixture
def fleet(tmp_path, own_database_url, redis_url):
    fleet = Fleet(tmp_path, own_database_url, redis_url)
    fleet.processes = [fleet.start_api() for _ in range(2)]
    fleet.start_worker()
    yield fleet
    fleet.stop()


async def asked(client, url, headers=None):
    async with client.post(f"{url}/openai/v1/images/generations", json=BODY, headers=headers) as answer:
        await answer.read()  # an answer that nobody reads is a lost one
        return answer.status


async def count(client, url):
    async with client.get(f"{url}/v1/tasks") as answer:
        return len((await answer.json())["data"])


async def until_taken(client, url, tasks):
    async with asyncio.timeout(60):
        while await count(client, url) < tasks:
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("headers", [None, AGAIN], ids=["without a word", "by the client's word"])
async def test_a_call_survives_the_process_that_took_it(fleet, headers):
    first, second = fleet.urls
    async with aiohttp.ClientSession() as client:
        await until_ready(fleet, client)
        lost = asyncio.create_task(asked(client, first))
        meant = asyncio.create_task(asked(client, second))
        await until_taken(client, second, 2)
        fleet.processes[0].kill()
        with pytest.raises(aiohttp.ClientError):
            await lost
        assert await asked(client, second, headers) == 200
        assert await meant == 200
        assert await count(client, second) == 2
        assert await asked(client, second) == 200
        assert await count(client, second) == 3


async def test_a_client_that_leaves_one_api_finds_its_task_at_the_other(fleet):
    first, second = fleet.urls
    async with aiohttp.ClientSession() as client:
        await until_ready(fleet, client)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1.0):
                await asked(client, first)
        await asyncio.sleep(CLIENTS_WAIT_S)
        assert await asked(client, second) == 200
        assert await count(client, second) == 1
