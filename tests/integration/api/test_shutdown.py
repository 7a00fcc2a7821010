"""The server ends as soon as it is told to, even while somebody watches."""

import asyncio
import re
import signal
import sys
from contextlib import asynccontextmanager

import aiohttp

SERVER = """
import random
from contextlib import nullcontext
from datetime import UTC, datetime

import uuid_utils.compat
import uvicorn

from genpulse.adapters.memory.webhooks.deliveries import MemoryDeliveries
from genpulse.adapters.memory.tasks.batches import MemoryBatches
from genpulse.adapters.memory.money.budgets import MemoryBudgets
from genpulse.adapters.memory.assets.uploaded_files import MemoryUploadedFiles
from genpulse.adapters.memory.console import MemoryConsole
from genpulse.adapters.memory.removal.deletion import MemoryDeletions
from genpulse.adapters.memory.ended_work import MemoryEndedWork
from genpulse.adapters.memory.events import MemoryEventBus
from genpulse.adapters.memory.keys.api_keys import MemoryKeys
from genpulse.adapters.memory.presence import MemoryPresence
from genpulse.adapters.memory.provider_gate import MemoryGate
from genpulse.adapters.memory.queue.task_queue import MemoryTaskQueue
from genpulse.adapters.memory.removal.retention import MemoryRetention
from genpulse.adapters.memory.webhooks.sender import MemoryMessageSender
from genpulse.adapters.memory.tasks.store import MemoryTaskStore
from genpulse.adapters.storage.objects import ObjectStorage
from genpulse.api.app import create_app
from genpulse.api.server.draining_server import DrainingServer
from genpulse.api.options import ApiOptions
from genpulse.domain.retention import RetentionPolicy
from genpulse.domain.retry import RetryPolicy
from genpulse.domain.money.spending import Spending
from genpulse.ports import EnvironmentFacts, Services
from genpulse.provider import Input, Local, Model, Provider, Result
from genpulse.providers.catalog import LoadedCatalogue


class Nothing(Local):
    async def run(self, call, report):
        return Result()


def services():
    queue = MemoryTaskQueue()
    deliveries = MemoryDeliveries()
    store = MemoryTaskStore(queue, deliveries)
    model = Model("noop", ("noop",), Input, Nothing())
    return nullcontext(
        Services(
            environment=EnvironmentFacts("dev", "", "", "", "", "", "", ""),
            store=store,
            batches=MemoryBatches(store),
            queue=queue,
                gate=MemoryGate(),
            events=MemoryEventBus(),
            deliveries=deliveries,
            ended_work=MemoryEndedWork(store, deliveries),
            keys=MemoryKeys(store),
            retention=(retention := MemoryRetention(store, deliveries)),
            deletions=MemoryDeletions(store, deliveries, retention),
            budgets=MemoryBudgets(store),
            uploaded_files=MemoryUploadedFiles(store),
            console=MemoryConsole(),
            sender=MemoryMessageSender(),
            presence=MemoryPresence(),
            storage=ObjectStorage("memory:///"),
            catalogue=LoadedCatalogue([Provider("art", (model,))]),
            probes=(),
            retry=RetryPolicy(),
            spending=Spending(),
            retention_policy=RetentionPolicy(),
            now=lambda: datetime.now(UTC),
            new_id=uuid_utils.compat.uuid7,
            random=random.random,
        )
    )


config = uvicorn.Config(create_app(services, ApiOptions()), port=0, timeout_graceful_shutdown=600)
DrainingServer(config, DRAIN_S).run()
"""


@asynccontextmanager
async def a_server(drain_s):
    server = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        SERVER.replace("DRAIN_S", str(drain_s)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield server
    finally:
        if server.returncode is None:
            server.kill()
            await server.wait()


async def test_sigterm_ends_open_streams_and_the_server():
    async with a_server(drain_s=0) as server:
        async with asyncio.timeout(60), aiohttp.ClientSession() as client:
            url = await address_of(server)
            body = {"model": "art/noop", "input": {}}
            task = await (await client.post(f"{url}/v1/tasks", json=body)).json()
            async with client.get(task["urls"]["events"]) as stream:
                assert b"retry" in await stream.content.readline()
                server.send_signal(signal.SIGTERM)
                rest = await stream.content.read()
                output, _ = await server.communicate()
        assert b"event: done" not in rest
        assert server.returncode in (0, -signal.SIGTERM), output
        assert b"Traceback" not in output, output.decode()


async def test_a_server_that_stops_says_so_and_takes_requests_until_proxies_have_noticed():
    async with a_server(drain_s=600) as server, asyncio.timeout(60), aiohttp.ClientSession() as client:
        url = await address_of(server)
        assert (await client.get(f"{url}/readyz")).status == 200
        server.send_signal(signal.SIGTERM)
        while (ready := await client.get(f"{url}/readyz")).status == 200:
            await asyncio.sleep(0.01)
        assert (await ready.json())["checks"]["shutdown"]["state"] == "down"
        body = {"model": "art/noop", "input": {}}
        assert (await client.post(f"{url}/v1/tasks", json=body)).status == 202
        server.send_signal(signal.SIGTERM)
        output, _ = await server.communicate()
        assert server.returncode in (0, -signal.SIGTERM), output


async def test_a_server_that_was_told_to_stop_ends_by_itself():
    async with a_server(drain_s=0.3) as server, asyncio.timeout(60):
        await address_of(server)
        server.send_signal(signal.SIGTERM)
        output, _ = await server.communicate()
        assert server.returncode in (0, -signal.SIGTERM), output


async def address_of(server):
    """Where uvicorn says that it listens."""
    async for line in server.stdout:
        if found := re.search(rb"running on (http://127\.0\.0\.1:\d+)", line):
            return found[1].decode()
    raise AssertionError("the server ended before it listened")
