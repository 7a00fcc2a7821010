"""An account that takes less at once than is configured, over real HTTP, PostgreSQL and Redis."""

import asyncio
import base64
import itertools
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace

import pytest
from aiohttp import web

from genpulse.adapters.http.http_client import HttpClient
from genpulse.adapters.redis.connection import open_redis
from genpulse.adapters.redis.keys import Keyspace
from genpulse.adapters.redis.provider_gate import RedisGate
from genpulse.domain.provider_account.gate import CircuitPolicy, Limits
from genpulse.domain.retry import RetryPolicy
from genpulse.domain.task import TaskStatus
from genpulse.provider import ProviderSettings
from genpulse.providers import openai_compatible
from genpulse.providers.catalog import LoadedCatalogue
from genpulse.testing.server import PNG
from tests.lifecycle.conftest import QUICK, opened_world, postgresql_rows

MANY = replace(QUICK, concurrency=25, batch=25, lease_s=60.0)
TAKES = 4
TASKS = 120


@dataclass
class Vendor:
    """Takes so many orders at once and answers 429 to more."""

    takes: int = TAKES
    works: int = 0
    most: int = 0
    sold: int = 0
    refused: int = 0
    seconds: float = 0.03

    async def order(self, _: web.Request) -> web.Response:
        if self.works >= self.takes:
            self.refused += 1
            return web.json_response({"error": {"message": "Too many concurrent requests"}}, status=429)
        self.works += 1
        self.most = max(self.most, self.works)
        await asyncio.sleep(self.seconds)
        self.works -= 1
        self.sold += 1
        return web.json_response({"data": [{"b64_json": base64.b64encode(PNG).decode()}]})


class ForgetfulGate(RedisGate):
    """Is never told under which load the account refused."""

    async def failed(self, provider, failure, load=None):
        return await super().failed(provider, failure)


@asynccontextmanager
async def served(vendor):
    app = web.Application()
    app.router.add_post("/v1/images/generations", vendor.order)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    finally:
        await runner.cleanup()


async def _two() -> int:
    return 2


@pytest.fixture
async def worlds(migrated_url, pools, redis_url, tmp_path):
    """Two workers' services before a vendor: `await worlds(vendor)`."""
    async with AsyncExitStack() as stack:
        numbers = itertools.count()

        async def start(vendor, gate_type=RedisGate, concurrency=None):
            made, base_url = [], await stack.enter_async_context(served(vendor))
            limits = {"studio": concurrency} if concurrency else {}
            for _ in range(2):
                folder = tmp_path / str(next(numbers))
                folder.mkdir()
                pool = await stack.enter_async_context(pools.lent(3, "dev"))
                rows = await stack.enter_async_context(postgresql_rows(migrated_url, pool, limits))
                world = await stack.enter_async_context(opened_world(rows, folder))
                http, redis = HttpClient("test"), open_redis(redis_url, "dev:")
                stack.push_async_callback(http.close)
                stack.push_async_callback(redis.aclose)
                settings = ProviderSettings("k", base_url, {}, http, {"painter": "image"}, "studio")
                gate = gate_type(
                    redis,
                    Keyspace("dev:"),
                    guarded=["studio"],
                    limits={"studio": Limits(concurrency)},
                    policy=CircuitPolicy(),
                    workers=_two,
                    random=lambda: 1.0,
                )
                world.services = replace(
                    world.services,
                    catalogue=LoadedCatalogue([openai_compatible.provider(settings)]),
                    gate=gate,
                    retry=RetryPolicy(max_attempts=3, base_s=0.05, longest_s=0.2),
                )
                made.append(world)
            return made

        yield start


async def all_succeed(worlds, count):
    first, second = worlds
    tasks = [await first.submit("studio/painter", kind="text-to-image") for _ in range(count)]
    async with first.worker(MANY), second.worker(MANY):
        for task in tasks:
            assert (await first.ended(task)).status is TaskStatus.SUCCEEDED


async def test_a_vendor_refuses_less_than_without_learning(worlds):
    """How much less hangs on how busy this machine is; the simulation says it."""
    naive, vendor = Vendor(), Vendor()
    await all_succeed(await worlds(naive, ForgetfulGate), TASKS)
    pair = await worlds(vendor)
    await all_succeed(pair, TASKS)
    assert (naive.sold, vendor.sold) == (TASKS, TASKS)
    assert vendor.most == TAKES
    assert vendor.refused < naive.refused
    for world in pair:
        assert (await world.services.gate.circuit("studio")).learned.concurrency <= 2 * TAKES


async def test_what_is_configured_is_not_exceeded_and_nothing_is_learned_where_the_vendor_takes_it(worlds):
    vendor = Vendor(takes=3)
    pair = await worlds(vendor, concurrency=3)
    await all_succeed(pair, 30)
    assert (vendor.most, vendor.refused) == (3, 0)
    assert (await pair[0].services.gate.circuit("studio")).learned is None
