"""Two APIs and four workers on one PostgreSQL and one Redis, and workers that are replaced while they work."""

import asyncio
import json
import signal
import uuid

import aiohttp
import pytest

from tests.fleet import Fleet, attempts, until_ready

TASKS = 240


@pytest.fixture
def fleet(tmp_path, own_database_url, redis_url):
    fleet = Fleet(tmp_path, own_database_url, redis_url)
    for _ in range(2):
        fleet.start_api()
    for _ in range(4):
        fleet.start_worker()
    yield fleet
    fleet.stop()


async def submit(client, url, delay_s, key):
    body = {"model": "sandbox/noop", "input": {"delay_s": delay_s, "output_bytes": 10}}
    async with client.post(f"{url}/v1/tasks", json=body, headers={"Idempotency-Key": key}) as answer:
        assert answer.status == 202, await answer.text()
        return (await answer.json())["id"]


async def ended(client, url, task_id):
    """The task, from the stream of the API that did not take it."""
    async with client.get(f"{url}/v1/tasks/{task_id}/events") as stream:
        last = None
        async for line in stream.content:
            if line.startswith(b"data:"):
                last = json.loads(line[5:])
        return last


async def replace_workers(fleet):
    """A rolling restart: each new worker is there before an old one is told to go."""
    for old in fleet.workers[:2]:
        fleet.start_worker()
        await asyncio.sleep(1.0)
        old.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(old.wait, 60) == 0


async def test_many_processes_are_one_service_and_a_rolling_restart_fails_no_task(fleet):
    timeout = aiohttp.ClientTimeout(total=60)
    async with aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=0)) as client:
        await until_ready(fleet, client)
        first, second = fleet.urls
        key = uuid.uuid4().hex
        same = await asyncio.gather(*(submit(client, url, 0, key) for url in (first, second) * 5))
        assert len(set(same)) == 1

        restarting = asyncio.create_task(replace_workers(fleet))
        watching = []
        for number in range(TASKS):
            url, other = (first, second) if number % 2 else (second, first)
            task_id = await submit(client, url, 2 * (number % 3), uuid.uuid4().hex)
            watching.append(asyncio.create_task(ended(client, other, task_id)))
            await asyncio.sleep(0.01)
        await restarting
        tasks = await asyncio.gather(*watching)

    assert [task["status"] for task in tasks] == ["succeeded"] * TASKS
    assert all(task["outputs"][0]["bytes"] == 10 for task in tasks)
    statuses, workers = await attempts(fleet.environment["GENPULSE_DATABASE_URL"])
    assert statuses <= {"succeeded", "released"}
    assert workers >= 4
