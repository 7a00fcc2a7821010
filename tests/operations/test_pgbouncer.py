"""By way of a real PgBouncer: by session and by transaction, with its defaults, and restarted under load."""

import asyncio
import statistics
import time

import aiohttp
import asyncpg
import pytest

from tests.fleet import Fleet, until_ready
from tests.operations.load import Load
from tests.operations.pgbouncer import PgBouncer, tracks_statements
from tests.session_leftovers import CLEAN, LEFT

TASKS = 200
POOL = 10
SLOWEST_SUBMIT_S = 15.0
"""Far above what a busy machine takes, and far below the 42 s of a pooler without room."""
SECRET = "whsec_" + "cG9vbGVyLXBvb2xlci1wb29sZXItcG9vbGVyLTMyISE="


class Installation:
    """An API and a worker whose database is behind a PgBouncer."""

    def __init__(self, folder, database_url, redis_url, mode, *, listens, **settings):
        self.direct_url, self.mode, self.listens = database_url, mode, listens
        self.pooler = PgBouncer(database_url, mode, POOL, **settings)
        self.fleet = Fleet(folder, self.pooler.url, redis_url)
        self.fleet.environment |= {"GENPULSE_DATABASE__POOLER": mode, "GENPULSE_WEBHOOKS__SECRET": SECRET}
        if mode == "session":  # an API, a worker, and the connection with which it listens, fit into the pool
            self.fleet.environment["GENPULSE_DATABASE__POOL_SIZE"] = str((POOL - 1) // 2)
        if listens:
            self.fleet.environment["GENPULSE_DATABASE__LISTEN_URL"] = database_url

    def start(self):
        self.pooler.start()
        self.fleet.start_api()
        self.fleet.start_worker()

    def close(self):
        self.fleet.stop()
        self.pooler.close()

    @property
    def log(self):
        return (self.fleet.folder / "log").read_text()

    async def sessions(self):
        """What is left in each session of PostgreSQL that the pooler has: all are asked at once."""
        connections = [await asyncpg.connect(self.pooler.url, statement_cache_size=0) for _ in range(POOL)]
        rows = []
        for connection in connections:
            await connection.execute("BEGIN")
            rows.append(await connection.fetchrow(LEFT))
        for connection in connections:
            await connection.close()
        return rows


@pytest.fixture(params=["transaction, listening", "transaction, looking", "transaction, prepared", "session"])
async def installation(request, tmp_path, own_database_url, redis_url):
    mode, _, how = request.param.partition(", ")
    if how == "prepared" and not tracks_statements():
        pytest.skip("this PgBouncer is older than 1.21 and keeps no account of prepared statements")
    settings = {"max_prepared_statements": 100} if how == "prepared" else {}
    listens = how in {"listening", "prepared"}
    installation = Installation(tmp_path, own_database_url, redis_url, mode, listens=listens, **settings)
    if how == "prepared":
        installation.fleet.environment["GENPULSE_DATABASE__PREPARED_STATEMENTS"] = "true"
    installation.start()
    yield installation
    installation.close()


def client_of():
    return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60), connector=aiohttp.TCPConnector(limit=0))


async def test_tasks_webhooks_and_cancels_pass_and_no_submit_waits_for_long(installation):
    async with client_of() as client, Load(installation.fleet.urls) as load:
        await until_ready(installation.fleet, client)
        await asyncio.gather(*(load.submit(client, number, delay_s=number % 3 / 10) for number in range(TASKS)))
        unwanted = range(TASKS, TASKS + 5)
        await asyncio.gather(*(load.submit(client, number, delay_s=600) for number in unwanted))
        await running(client, load, unwanted)
        await asyncio.gather(*(load.cancel(client, number) for number in unwanted))
        ends = await asyncio.gather(*(load.ended(client, number) for number in range(TASKS)))
        stopped = await asyncio.gather(*(load.ended(client, number) for number in unwanted))
        assert {end["status"] for end in ends} == {"succeeded"}
        assert {end["status"] for end in stopped} == {"canceled"}
        await load.all_told()
        assert load.refusals == {}
        assert max(load.waits_s) < SLOWEST_SUBMIT_S
        print(f"slowest of {TASKS} submits at once: {max(load.waits_s):.2f} s")
        delays = [await start_delay_s(client, load, number) for number in range(1000, 1012)]
        print(
            f"a task of nothing takes {statistics.median(delays) * 1000:.0f} ms, {max(delays) * 1000:.0f} at most"
        )
        is_said = "The queue is looked at every 0.5 s" in installation.log
        assert is_said == (installation.mode == "transaction" and not installation.listens)
    if installation.mode == "transaction":
        prepares = "GENPULSE_DATABASE__PREPARED_STATEMENTS" in installation.fleet.environment
        for row in await installation.sessions():
            assert {**row, "prepared": 0 if prepares else row["prepared"]} == CLEAN


async def running(client, load, numbers):
    for number in numbers:
        while True:
            async with client.get(f"{load.urls[0]}/v1/tasks/{load.ids[number]}") as answer:
                if (await answer.json())["status"] == "running":
                    break
            await asyncio.sleep(0.1)


async def start_delay_s(client, load, number):
    """Seconds from a submit to the end of a task that does nothing, when nothing else is to be done."""
    await asyncio.sleep(0.3)
    began = time.monotonic()
    body = {"model": "sandbox/noop", "input": {}}
    async with client.post(f"{load.urls[0]}/v1/tasks", json=body, headers={"Prefer": "wait=30"}) as answer:
        assert (await answer.json())["status"] == "succeeded"
    return time.monotonic() - began


async def test_a_restart_under_load_loses_nothing(installation):
    async with client_of() as client, Load(installation.fleet.urls) as load:
        await until_ready(installation.fleet, client)
        submits = []
        for number in range(TASKS):
            if number in {TASKS // 3, 2 * TASKS // 3}:
                await asyncio.to_thread(installation.pooler.restart)
            submits.append(asyncio.create_task(load.submit(client, number, delay_s=number % 4)))
            await asyncio.sleep(0.02)
        ids = await asyncio.gather(*submits)
        assert len(set(ids)) == TASKS
        ends = await asyncio.gather(*(load.ended(client, number) for number in range(TASKS)))
        assert {end["status"] for end in ends} == {"succeeded"}
        await load.all_told()
        print(f"slowest submit {max(load.waits_s):.2f} s, answered in between: {load.refusals}")
    direct = await asyncpg.connect(installation.direct_url)
    assert await direct.fetchval("SELECT count(*) FROM tasks") == TASKS
    assert await direct.fetchval("SELECT count(*) FROM queue") == 0
    await direct.close()
