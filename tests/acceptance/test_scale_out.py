"""Two APIs and four workers on one PostgreSQL and one Redis, and workers that are replaced while they work."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
import uuid

import aiohttp
import asyncpg
import pytest

from genpulse.dev.ports import free_port

UP_S = 40.0
TASKS = 240


class Fleet:
    """Processes of one installation, each as on a host of its own."""

    def __init__(self, folder, database_url, redis_url):
        self.folder = folder
        self.environment = {
            "PATH": os.defpath,
            "ENV": "dev",
            "GENPULSE_DATABASE_URL": database_url,
            "GENPULSE_REDIS__URL": redis_url,
            "GENPULSE_STORAGE__URL": (folder / "storage").as_uri(),
            "GENPULSE_WORKER__GRACE_S": "0.3",
        }
        self.urls = []
        self.workers = []
        self._processes = []

    def run(self, *arguments):
        done = subprocess.run(
            [sys.executable, "-m", "genpulse", *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout

    def start(self, *arguments):
        with (self.folder / "log").open("a") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "genpulse", *arguments],
                cwd=self.folder,
                env=self.environment,
                stdout=log,
                stderr=log,
            )
        self._processes.append(process)
        return process

    def start_api(self):
        port = free_port()
        self.urls.append(f"http://127.0.0.1:{port}")
        return self.start("api", "--port", str(port))

    def start_worker(self):
        worker = self.start("worker")
        self.workers.append(worker)
        return worker

    def stop(self):
        for process in self._processes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self._processes:
            process.wait(20)


@pytest.fixture
def fleet(tmp_path, database_url, redis_url):
    fleet = Fleet(tmp_path, database_url, redis_url)
    fleet.run("db", "upgrade")
    for _ in range(2):
        fleet.start_api()
    for _ in range(4):
        fleet.start_worker()
    yield fleet
    fleet.stop()


async def until_ready(fleet, client):
    deadline = time.monotonic() + UP_S
    for url in fleet.urls:
        while True:
            try:
                async with client.get(f"{url}/readyz") as answer:
                    if answer.status == 200:
                        break
            except aiohttp.ClientError:
                pass
            assert time.monotonic() < deadline, (fleet.folder / "log").read_text()
            await asyncio.sleep(0.1)


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
        assert await asyncio.to_thread(old.wait, 20) == 0


async def attempts(database_url):
    """How attempts ended, and how many workers made them."""
    connection = await asyncpg.connect(database_url)
    try:
        statuses = await connection.fetch("SELECT DISTINCT status FROM attempts")
        workers = await connection.fetchval("SELECT count(DISTINCT worker) FROM attempts")
    finally:
        await connection.close()
    return {row["status"] for row in statuses}, workers


@pytest.mark.xdist_group("processes")
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
