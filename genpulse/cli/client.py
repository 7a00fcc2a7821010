"""A call of the API for the length of a command."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from genpulse.cli.stack import api_key, api_url
from genpulse_client import AsyncGenPulse, RetryLimits

T = TypeVar("T")
AT_A_TERMINAL = RetryLimits(busy_s=5.0, unreachable_s=5.0)
"""So long a person waits for an answer without a word; then what is wrong is told."""


def with_client(api: str | None, act: Callable[[AsyncGenPulse], Awaitable[T]]) -> T:
    """Run `act` with a client of the API at that address; with None it is the address that is found."""

    async def run() -> T:
        async with AsyncGenPulse(api_url(api), api_key(), retries=AT_A_TERMINAL) as genpulse:
            return await act(genpulse)

    return asyncio.run(run())
