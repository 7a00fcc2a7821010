"""The connection to Redis, and how it is."""

import asyncio

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from genpulse.ports import Health, State

CONNECT_S = 2.0
COMMAND_S = 5.0
PROBE_S = 2.0

AWAY = (RedisError, OSError, TimeoutError)
"""All the ways in which Redis says, or does not say, that it is away."""


def open_redis(url: str) -> Redis:
    """A client whose calls fail soon and are not repeated: everything here may be lost."""
    return Redis.from_url(
        url,
        decode_responses=True,
        socket_connect_timeout=CONNECT_S,
        socket_timeout=COMMAND_S,
        retry=Retry(NoBackoff(), 0),
        health_check_interval=30,
    )


class RedisProbe:
    """Whether Redis answers. Tasks run without it, so its absence only slows watchers down."""

    def __init__(self, client: Redis) -> None:
        self._client = client

    async def __call__(self) -> Health:
        """Answers within 2 seconds and never raises."""
        try:
            async with asyncio.timeout(PROBE_S):
                await self._client.ping()
        except AWAY as error:
            return Health("redis", State.DEGRADED, f"no live events: {type(error).__name__}")
        return Health("redis", State.OK)
