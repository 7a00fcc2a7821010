"""PostgreSQL and Redis are killed under APIs and workers that are at work."""

import asyncio
import tempfile
import uuid
from pathlib import Path

import aiohttp
import pytest

from genpulse.dev.processes.unprivileged import remove_home
from tests.fleet import Fleet, attempts, until_ready
from tests.servers import finished, stack_of

TASKS = 150
AWAY_S = 4.0


@pytest.fixture
def servers(guard):
    """A PostgreSQL and a Redis of its own, which may be killed."""
    home = Path(tempfile.mkdtemp(prefix="genpulse-tests-"))
    postgres, redis = stack_of(home, guard, durable=True)
    yield postgres, redis
    for server in (postgres, redis):
        server.stop()
    remove_home(home)


@pytest.fixture
def fleet(tmp_path, servers):
    postgres, redis = servers
    fleet = Fleet(tmp_path, postgres.url, redis.url)
    fleet.run("db", "upgrade")
    fleet.start_api()
    for _ in range(2):
        fleet.start_worker()
    yield fleet
    fleet.stop()


async def kill_for_a_while(server, away_s):
    await asyncio.to_thread(server.kill)
    await asyncio.sleep(away_s)
    await asyncio.to_thread(server.start)


async def submit_until_taken(client, url, seen, delay_s):
    """Send one task again and again, as a careful caller does; notes every answer."""
    body = {"model": "sandbox/noop", "input": {"delay_s": delay_s}}
    headers = {"Idempotency-Key": uuid.uuid4().hex}
    while True:
        async with client.post(f"{url}/v1/tasks", json=body, headers=headers) as answer:
            seen.append(answer.status)
            document = await answer.json()
            if answer.status == 202:
                return document["id"]
            assert answer.headers.get("Retry-After"), document
            assert document["code"] == "database_unavailable"
        await asyncio.sleep(0.2)


async def ended(client, url, task_id):
    while True:
        async with client.get(f"{url}/v1/tasks/{task_id}") as answer:
            if answer.status == 200 and (task := await answer.json())["finished_at"]:
                return task
        await asyncio.sleep(0.2)


async def test_an_outage_of_the_servers_loses_no_task_and_is_never_an_error_of_ours(fleet, servers):
    postgres, redis = servers
    (url,) = fleet.urls
    seen = []
    timeout = aiohttp.ClientTimeout(total=60)
    async with aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=0)) as client:
        await until_ready(fleet, client)
        outages = asyncio.create_task(kill_for_a_while(postgres, AWAY_S))
        flush = asyncio.create_task(kill_for_a_while(redis, 1.0))
        waiting = []
        for number in range(TASKS):
            waiting.append(asyncio.create_task(submit_until_taken(client, url, seen, number % 3)))
            await asyncio.sleep(0.02)
        ids = await asyncio.gather(*waiting)
        await asyncio.gather(outages, flush)
        async with asyncio.timeout(60):
            tasks = await asyncio.gather(*(ended(client, url, task_id) for task_id in ids))
    assert set(seen) == {202, 503}
    assert len(set(ids)) == TASKS
    assert {task["status"] for task in tasks} == {"succeeded"}
    statuses, _ = await attempts(postgres.url)
    assert "failed" not in statuses
    for worker in fleet.workers:
        assert worker.poll() is None
    assert finished(_rows(postgres.url)) == TASKS


async def _rows(url):
    import asyncpg

    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval("SELECT count(*) FROM tasks")
    finally:
        await connection.close()
