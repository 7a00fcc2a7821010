"""The server ends as soon as it is told to, even while somebody watches."""

import asyncio
import re
import signal
import sys
import time

import aiohttp

SERVER = """
import random
from contextlib import nullcontext
from datetime import UTC, datetime

import uuid_utils.compat
import uvicorn

from genpulse.adapters.memory.deliveries import MemoryDeliveries
from genpulse.adapters.memory.events import MemoryEventBus
from genpulse.adapters.memory.keys import MemoryKeys
from genpulse.adapters.memory.presence import MemoryPresence
from genpulse.adapters.memory.gate import MemoryGate
from genpulse.adapters.memory.queue import MemoryTaskQueue
from genpulse.adapters.memory.retention import MemoryRetention
from genpulse.adapters.memory.sender import MemoryMessageSender
from genpulse.adapters.memory.store import MemoryTaskStore
from genpulse.adapters.storage.objects import ObjectStorage
from genpulse.api.app import create_app
from genpulse.api.options import ApiOptions
from genpulse.domain.retention import RetentionPolicy
from genpulse.domain.retry import RetryPolicy
from genpulse.domain.spending import Spending
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
            queue=queue,
                gate=MemoryGate(),
            events=MemoryEventBus(),
            deliveries=deliveries,
            keys=MemoryKeys(store),
            retention=MemoryRetention(store, deliveries),
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


uvicorn.run(create_app(services, ApiOptions()), port=0, timeout_graceful_shutdown=20)
"""


async def test_sigterm_ends_open_streams_and_the_server():
    server = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        SERVER,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(30), aiohttp.ClientSession() as client:
            url = await address_of(server)
            body = {"model": "art/noop", "input": {}}
            task = await (await client.post(f"{url}/v1/tasks", json=body)).json()
            async with client.get(task["urls"]["events"]) as stream:
                assert b"retry" in await stream.content.readline()
                told_at = time.monotonic()
                server.send_signal(signal.SIGTERM)
                rest = await stream.content.read()
                output, _ = await server.communicate()
        assert b"event: done" not in rest
        assert time.monotonic() - told_at < 5
        assert server.returncode in (0, -signal.SIGTERM), output
        assert b"Traceback" not in output, output.decode()
    finally:
        if server.returncode is None:
            server.kill()
            await server.wait()


async def address_of(server):
    """Where uvicorn says that it listens."""
    async for line in server.stdout:
        if found := re.search(rb"running on (http://127\.0\.0\.1:\d+)", line):
            return found[1].decode()
    raise AssertionError("the server ended before it listened")
