"""dev, test and main at the same time on one Redis, each as the user that `genpulse env acl` makes for it."""

import asyncio
import os
import time
import uuid

import aiohttp
import asyncpg
import pytest
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from genpulse import config
from genpulse.dev.processes.ports import free_port
from genpulse.environment.acl import PLACEHOLDER
from genpulse.environment.table import ENVIRONMENTS
from genpulse.lifecycle.submission.submit import Order, submit
from genpulse.wiring.services import open_services
from tests import command

UP_S = 120.0
ENDS_WITHIN_S = 60.0
PASSWORD = "only-for-this-test"
ON_ONE_MACHINE = {
    "GENPULSE_DATABASE__ALLOW_LOOPBACK": "true",
    "GENPULSE_WEBHOOKS__SECRET": "whsec_c2lnbnMgd2l0aCB0aGlz",
    "GENPULSE_DATABASE__ALLOW_PLAINTEXT": "true",
    "GENPULSE_REDIS__ALLOW_PLAINTEXT": "true",
    "GENPULSE_STORAGE__ALLOW_LOCAL": "true",
    "GENPULSE_RELEASE__REQUIRE_TAG": "false",
    "GENPULSE_API__HOST": "127.0.0.1",
    "GENPULSE_API__DRAIN_S": "0",
}

REACHING_OUT = (
    "GET staging:x",
    "SET staging:x 1",
    "PUBLISH staging:x 1",
    "SUBSCRIBE staging:x",
    "EVAL return(redis.call('GET','staging:x')) 0",
    "KEYS *",
    "SCAN 0",
    "RANDOMKEY",
    "DBSIZE",
    "FLUSHALL",
    "FLUSHDB",
    "CONFIG GET *",
    "ACL LIST",
    "MONITOR",
    "SHUTDOWN NOSAVE",
    "SWAPDB 0 1",
)


class System:
    """The API and a worker of one environment."""

    def __init__(self, row, folder, database_url, redis_url):
        self.row = row
        self.folder = folder
        self.port = free_port()
        self.redis_url = redis_url
        self.worker = None
        self.environment = {
            "PATH": os.defpath,
            "ENV": row.name,
            "GENPULSE_DATABASE_URL": database_url,
            "GENPULSE_REDIS__URL": redis_url,
            "GENPULSE_API__PORT": str(self.port),
            **ON_ONE_MACHINE,
        }
        self._processes = []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def run(self, *arguments):
        done = command.run(*arguments, folder=self.folder, environment=self.environment)
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout

    def start(self):
        self.run("db", "upgrade")
        self.run("env", "stamp")
        with (self.folder / "log").open("w") as log:
            self._processes = [
                command.start(verb, folder=self.folder, environment=self.environment, log=log)
                for verb in ("api", "worker")
            ]
        self.worker = self._processes[1]

    def stop(self):
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.wait(ENDS_WITHIN_S)


async def execute(url, statement):
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture
def systems(tmp_path, postgres, redis_url):
    """All three, each with a database and a Redis user of its own."""
    made, found = [], []
    for row in ENVIRONMENTS:
        folder = tmp_path / row.name
        folder.mkdir()
        name = f"{row.name}_{uuid.uuid4().hex}"
        asyncio.run(execute(postgres.url, f"CREATE DATABASE {name}"))
        made.append(name)
        server = postgres.url.rpartition("/")[0]
        address = redis_url.rpartition("@")[2]
        user = f"redis://genpulse_{row.name}:{PASSWORD}@{address}"
        system = System(row, folder, f"{server}/{name}", user)
        rule = system.run("env", "acl").replace(PLACEHOLDER, PASSWORD)
        asyncio.run(as_administrator(redis_url, rule))
        found.append(system)
    for system in found:
        system.start()
    yield found
    for system in found:
        system.stop()
    for name in made:
        asyncio.run(execute(postgres.url, f"DROP DATABASE {name} WITH (FORCE)"))
    for row in ENVIRONMENTS:
        asyncio.run(as_administrator(redis_url, f"ACL DELUSER genpulse_{row.name}"))


async def as_administrator(redis_url, words):
    async with Redis.from_url(redis_url, decode_responses=True) as client:
        return await client.execute_command(*words.split())


async def until_ready(session, system):
    deadline = time.monotonic() + UP_S
    while True:
        try:
            async with session.get(f"{system.url}/readyz") as answer:
                ready = await answer.json()
                if answer.status == 200 and ready["checks"]["redis"]["state"] == "ok":
                    return
        except aiohttp.ClientError:
            ready = None
        assert time.monotonic() < deadline, (ready, (system.folder / "log").read_text())
        await asyncio.sleep(0.1)


async def worked(system):
    """Submits a task as this environment and follows it to its end: its events, live ones and not the row's."""
    settings = config.load(system.folder, system.environment)
    async with open_services(settings, process="test") as services:
        task = (await submit(services, Order("sandbox/noop", {"delay_s": 2}))).task
        async with services.events.subscribe(task.id) as subscription:
            seen = []
            while not (await services.store.get(task.id)).status.ended:
                if found := await subscription.next(0.5):
                    seen.append(found)
        return task.id, seen, await services.presence.workers()


async def heard(redis_url, ended):
    """Every channel on which something is published, as an administrator hears it."""
    channels = set()
    async with Redis.from_url(redis_url, decode_responses=True) as client, client.pubsub() as pubsub:
        await pubsub.psubscribe("*")
        while not ended.is_set():
            message = await pubsub.get_message(timeout=0.2)
            if message and message["type"] == "pmessage":
                channels.add(message["channel"])
    return channels


async def all_at_once(systems, redis_url):
    async with aiohttp.ClientSession() as session:
        await asyncio.gather(*(until_ready(session, system) for system in systems))
    ended = asyncio.Event()
    listening = asyncio.create_task(heard(redis_url, ended))
    done = await asyncio.gather(*(worked(system) for system in systems))
    ended.set()
    async with Redis.from_url(redis_url, decode_responses=True) as client:
        return done, await listening, await client.keys("*")


async def refused(url):
    """Which of the commands that could reach others this user may run."""
    allowed = []
    async with Redis.from_url(url, decode_responses=True) as client:
        for words in REACHING_OUT:
            try:
                await client.execute_command(*words.split())
            except ResponseError as error:
                if "permission" in str(error).lower():
                    continue
            allowed.append(words)
    return allowed


def test_three_environments_on_one_redis(systems, redis_url):
    done, channels, keys = asyncio.run(all_at_once(systems, redis_url))
    prefixes = {system.row.key_prefix for system in systems}
    for system, (task_id, events, workers) in zip(systems, done, strict=True):
        own = system.row.key_prefix
        assert any(event.progress is not None for event in events), system.row.name
        assert [channel for channel in channels if str(task_id) in channel] == [f"{own}events:{task_id}"]
        assert [worker.pid for worker in workers] == [system.worker.pid]
        assert any(key.startswith(own) for key in keys)
        assert asyncio.run(refused(system.redis_url)) == []
    for name in (*keys, *channels):
        assert name.startswith(tuple(prefixes)), name
