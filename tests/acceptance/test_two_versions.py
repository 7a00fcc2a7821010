"""The version before and this one on one database: during an upgrade, after it, and when this one goes again."""

import asyncio
import itertools
import signal
import time
import uuid

import aiohttp
import asyncpg
import pytest

from genpulse.adapters.database.schema.expected_revision import head
from genpulse.dev.processes.ports import free_port
from tests.fleet import Fleet, until_ready
from tests.upgrades.versions import OlderVersion, missing, previous_versions

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
PATIENCE_S = 300
ENDED = ("succeeded", "failed", "canceled")
RAN = "SELECT worker FROM attempts WHERE task_id = $1 ORDER BY number DESC LIMIT 1"

HELD = """
SELECT queue.task_id FROM queue JOIN workers ON workers.id = queue.worker
WHERE workers.name LIKE '%:' || $1::int || ':%'
"""


class Pair:
    """Both versions on one PostgreSQL, one Redis and one folder of assets."""

    def __init__(self, version, fleet, client, connection):
        self.older, self.fleet, self.client, self.connection = version, fleet, client, connection
        self.tasks = {}

    def run_older(self, *arguments):
        return self.older.run(*arguments, folder=self.fleet.folder, environment=self.fleet.environment)

    def start_older(self, *arguments):
        with (self.fleet.folder / "log").open("a") as log:
            return self.older.start(
                *arguments, folder=self.fleet.folder, environment=self.fleet.environment, log=log
            )

    def start_older_api(self):
        port = free_port()
        self.fleet.urls.append(f"http://127.0.0.1:{port}")
        return self.start_older("api", "--port", str(port))

    async def submit(self, url, delay_s=0.0):
        body = {"model": "sandbox/noop", "input": {"delay_s": delay_s, "output_bytes": 10}}
        headers = {"Idempotency-Key": uuid.uuid4().hex}
        async with self.client.post(f"{url}/v1/tasks", json=body, headers=headers) as answer:
            assert answer.status == 202, await answer.text()
            task_id = (await answer.json())["id"]
        self.tasks[task_id] = url
        return task_id

    async def ended(self, task_id, url):
        """How it ended, as an API says it."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            async with self.client.get(f"{url}/v1/tasks/{task_id}") as answer:
                assert answer.status == 200, await answer.text()
                task = await answer.json()
            if task["status"] in ENDED:
                return task
            assert time.monotonic() < deadline, (task, (self.fleet.folder / "log").read_text()[-5000:])
            await asyncio.sleep(0.05)

    async def all_succeeded(self, url):
        """Nothing is lost: each task that was ever accepted."""
        for task_id in list(self.tasks):
            task = await self.ended(task_id, url)
            assert (task["status"], task["outputs"][0]["bytes"]) == ("succeeded", 10), task

    async def worker_of(self, task_id):
        return await self.connection.fetchval(RAN, uuid.UUID(task_id))


@pytest.fixture(params=previous_versions(), ids=lambda version: version.head or version.commit)
def older(request, tmp_path):
    if why := missing(request.param):
        pytest.skip(why)
    folder = tmp_path / "older"
    folder.mkdir()
    version = OlderVersion(request.param.commit, folder)
    yield version
    version.stop()


@pytest.fixture
async def pair(older, tmp_path, database_url, redis_url):
    folder = tmp_path / "run"
    folder.mkdir()
    fleet = Fleet(folder, database_url, redis_url)
    connection = await asyncpg.connect(database_url)
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=120)) as client:
        yield Pair(older, fleet, client, connection)
    fleet.stop()
    await connection.close()


async def test_nothing_is_lost_while_one_version_follows_the_other_and_goes_again(pair):
    older_worker, old_url = await older_at_work(pair)
    new_worker, new_url = await upgraded_beside(pair, old_url)
    await each_runs_what_the_other_took(pair, old_url, new_url)
    await each_takes_over_what_the_other_lost(pair, old_url, new_url, older_worker, new_worker)
    await pair.all_succeeded(old_url)
    await pair.all_succeeded(new_url)
    await back_to_the_version_before(pair, old_url)


async def older_at_work(pair):
    done = await asyncio.to_thread(pair.run_older, "db", "upgrade")
    assert done.returncode == 0, done.stderr
    pair.start_older_api()
    worker = pair.start_older("worker")
    await until_ready(pair.fleet, pair.client)
    (url,) = pair.fleet.urls
    await pair.ended(await pair.submit(url), url)
    return worker, url


async def upgraded_beside(pair, url):
    """The older processes take and run tasks all the while."""
    goes_on = True

    async def submits():
        while goes_on:
            await pair.submit(url, 0.2)
            await asyncio.sleep(0.05)

    submitting = asyncio.create_task(submits())
    plan = await asyncio.to_thread(pair.fleet.run, "db", "upgrade", "--plan")
    assert "Processes of the version before may go on meanwhile, and afterwards." in plan
    await asyncio.to_thread(pair.fleet.run, "db", "upgrade")
    assert await pair.connection.fetchval("SELECT version_num FROM alembic_version") == head()
    pair.fleet.start_api()
    worker = pair.fleet.start_worker()
    await until_ready(pair.fleet, pair.client)
    goes_on = False
    await submitting
    assert len(pair.tasks) > 10
    await pair.all_succeeded(url)
    return worker, pair.fleet.urls[-1]


async def each_runs_what_the_other_took(pair, old_url, new_url):
    """Until tasks of either API have been run by both workers, and were shown by the other API."""
    seen = set()
    deadline = time.monotonic() + PATIENCE_S
    while len(seen) < 4:
        assert time.monotonic() < deadline, seen
        batch = [(url, await pair.submit(url, 0.1)) for url in (old_url, new_url) * 10]
        for url, task_id in batch:
            other = new_url if url == old_url else old_url
            assert (await pair.ended(task_id, other))["status"] == "succeeded"
            seen.add((url, await pair.worker_of(task_id)))
    assert len({worker for _, worker in seen}) == 2


async def each_takes_over_what_the_other_lost(pair, old_url, new_url, older_worker, new_worker):
    for victim, url, start in (
        (new_worker, old_url, pair.fleet.start_worker),
        (older_worker, new_url, lambda: pair.start_older("worker")),
    ):
        lost = await held_by(pair, victim, url)
        victim.send_signal(signal.SIGKILL)
        for task_id in lost:
            assert (await pair.ended(task_id, url))["status"] == "succeeded"
            assert f":{victim.pid}:" not in await pair.worker_of(task_id)
        start()


async def held_by(pair, worker, url):
    """Tasks that this worker runs, and that have some seconds to go."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        await pair.submit(url, 8.0)
        rows = await pair.connection.fetch(HELD, worker.pid)
        if len(rows) >= 3:
            return [str(row["task_id"]) for row in rows]
        assert time.monotonic() < deadline, (pair.fleet.folder / "log").read_text()[-5000:]
        await asyncio.sleep(0.1)


async def back_to_the_version_before(pair, old_url):
    """The tables stay as they are."""
    pair.fleet.stop()
    async with pair.client.get(f"{old_url}/readyz") as answer:
        assert answer.status == 200, await answer.text()
        assert f"at {head()}, newer than this version's" in await answer.text()
    for _ in itertools.repeat(None, 5):
        await pair.ended(await pair.submit(old_url), old_url)
    await pair.all_succeeded(old_url)
