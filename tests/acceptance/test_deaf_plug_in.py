"""A worker whose plug-in goes on, whatever it is told, stops all the same."""

import asyncio
import signal
import subprocess
import sys
import uuid
from textwrap import dedent

import aiohttp
import pytest

from tests.fleet import Fleet, until_ready

DEAF = dedent(
    """
    import asyncio
    from contextlib import suppress

    from genpulse.provider import Input, Local, Model, Provider


    class Nothing(Input):
        pass


    class Deaf(Local):
        async def run(self, call, report):
            report(0.5, "goes on")
            while True:
                with suppress(asyncio.CancelledError):
                    await asyncio.Event().wait()


    def provider(settings):
        return Provider("deaf", (Model("engine", ("text-to-image",), Nothing, Deaf()),))
    """
)


class DeafFleet(Fleet):
    """Its plug-in is found by an interpreter, and by no fork."""

    def __init__(self, folder, database_url, redis_url):
        super().__init__(folder, database_url, redis_url)
        facts = folder / "deaf-1.0.dist-info"
        facts.mkdir()
        (folder / "deaf.py").write_text(DEAF)
        (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: deaf\nVersion: 1.0\n")
        (facts / "entry_points.txt").write_text("[genpulse.providers]\ndeaf = deaf:provider\n")
        self.environment |= {"PYTHONPATH": str(folder), "GENPULSE_WORKER__STOP_S": "1"}

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


@pytest.fixture
def fleet(tmp_path, own_database_url, redis_url):
    fleet = DeafFleet(tmp_path, own_database_url, redis_url)
    fleet.start_api()
    fleet.start_worker()
    yield fleet
    for process in fleet._processes:
        process.kill()
        process.wait()


async def until_it_runs(client, url):
    body, key = {"model": "deaf/engine", "input": {}}, uuid.uuid4().hex
    async with client.post(f"{url}/v1/tasks", json=body, headers={"Idempotency-Key": key}) as answer:
        assert answer.status == 202, await answer.text()
        task_id = (await answer.json())["id"]
    async with client.get(f"{url}/v1/tasks/{task_id}/events") as stream:
        async for line in stream.content:
            if b'"progress":0.5' in line:
                return


async def test_a_worker_stops_although_its_plug_in_goes_on_whatever_it_is_told(fleet):
    timeout = aiohttp.ClientTimeout(total=120)
    async with aiohttp.ClientSession(timeout=timeout) as client:
        await until_ready(fleet, client)
        await until_it_runs(client, fleet.urls[0])
    (worker,) = fleet.workers
    worker.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(worker.wait, 60) == 0
    log = (fleet.folder / "log").read_text()
    assert "1 requests of plug-ins go on although they were cut off, and end with this process" in log
    assert "worker stopped" in log
    assert "Traceback" not in log
