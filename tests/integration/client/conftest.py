"""Both clients against servers that answer oddly."""

import pytest

from genpulse_client import RetryLimits
from tests.client_flavours import FLAVOURS
from tests.fakes.raw import RawServer

LIMITS = RetryLimits(busy_s=20, unreachable_s=5)


@pytest.fixture
async def odd():
    """A server that answers with any bytes whatever."""
    async with RawServer().running() as server:
        yield server


@pytest.fixture(params=FLAVOURS)
def flavour(request):
    """What makes a client, sync or async."""
    return FLAVOURS[request.param]


@pytest.fixture
async def client(flavour, odd):
    """A client of that server, sync or async."""
    async with flavour(odd.url, "gp_dev_key", retries=LIMITS) as client:
        yield client
