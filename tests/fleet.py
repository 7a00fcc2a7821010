"""The processes of one installation, as if each ran on a host of its own."""

import asyncio
import os
import time

import aiohttp
import asyncpg

from genpulse.dev.processes.ports import free_port
from tests import command

UP_S = 120.0
ENDS_WITHIN_S = 60.0


class Fleet:
    """APIs and workers on one PostgreSQL, one Redis and one folder."""

    def __init__(self, folder, database_url, redis_url):
        self.folder = folder
        self.environment = {
            "PATH": os.defpath,
            "ENV": "dev",
            "GENPULSE_DATABASE_URL": database_url,
            "GENPULSE_REDIS__URL": redis_url,
            "GENPULSE_STORAGE__URL": (folder / "storage").as_uri(),
            "GENPULSE_WORKER__GRACE_S": "0.3",
            "GENPULSE_API__DRAIN_S": "0",
        }
        self.urls = []
        self.workers = []
        self._processes = []

    def call(self, *arguments):
        """A command, however it ends."""
        return command.run(*arguments, folder=self.folder, environment=self.environment)

    def run(self, *arguments):
        """What a command prints, which has to succeed."""
        done = self.call(*arguments)
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout

    def start(self, *arguments):
        with (self.folder / "log").open("a") as log:
            process = command.start(*arguments, folder=self.folder, environment=self.environment, log=log)
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
            process.terminate()
        for process in self._processes:
            process.wait(ENDS_WITHIN_S)


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


async def attempts(database_url):
    """How attempts ended, and how many workers made them."""
    connection = await asyncpg.connect(database_url)
    try:
        statuses = await connection.fetch("SELECT DISTINCT status FROM attempts")
        workers = await connection.fetchval("SELECT count(DISTINCT worker) FROM attempts")
    finally:
        await connection.close()
    return {row["status"] for row in statuses}, workers
