"""A Redis of its own for each test that kills it or changes who may enter."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis as Client

from genpulse.dev.processes.child import Guard
from genpulse.dev.processes.unprivileged import remove_home
from genpulse.dev.servers.redis import Redis
from tests.servers import TestServer, launch


@pytest.fixture
def own_server(tmp_path_factory: pytest.TempPathFactory, guard: Guard) -> Iterator[TestServer]:
    home = tmp_path_factory.mktemp("redis")
    home.chmod(0o755)
    server = launch(Redis.lay_out, Path(home), guard)
    yield server
    server.stop()
    remove_home(home)


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Client]:
    client = Client.from_url(redis_url, decode_responses=True, protocol=2)
    yield client
    await client.aclose()
