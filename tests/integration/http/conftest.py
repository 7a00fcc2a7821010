"""The client, and a server that answers with any bytes."""

from collections.abc import AsyncIterator

import pytest

from genpulse.adapters.http.http_client import HttpClient
from tests.fakes.raw import RawServer


@pytest.fixture
async def http() -> AsyncIterator[HttpClient]:
    client = HttpClient("1.0")
    yield client
    await client.close()


@pytest.fixture
async def raw() -> AsyncIterator[RawServer]:
    server = RawServer()
    async with server.running():
        yield server


async def bytes_of(chunks) -> bytes:
    return b"".join([chunk async for chunk in chunks])
