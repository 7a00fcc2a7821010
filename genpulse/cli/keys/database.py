"""The API keys of the database that the configuration names."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from genpulse.cli.stack import settings_for_servers
from genpulse.configuration.settings import Settings
from genpulse.ports import KeyStore
from genpulse.wiring.database import open_keys

T = TypeVar("T")


def with_keys(act: Callable[[Settings, KeyStore], Awaitable[T]]) -> T:
    """What `act` returns, with the keys open."""
    settings = settings_for_servers(("database_url",))

    async def run() -> T:
        async with open_keys(settings) as keys:
            return await act(settings, keys)

    return asyncio.run(run())
