"""Both clients against the API."""

import pytest

from tests.client_flavours import FLAVOURS


@pytest.fixture(params=FLAVOURS)
async def client(request, api):
    """A client of the API, sync or async."""
    async with FLAVOURS[request.param](api.url) as client:
        yield client
