"""The connection to Redis, and how it is."""

import asyncio
import logging

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as ConnectionLost
from redis.exceptions import RedisError

from genpulse.ports import Health, State

CONNECT_S = 2.0
COMMAND_S = 5.0
PROBE_S = 2.0

AWAY = (RedisError, OSError, TimeoutError)
"""All the ways in which Redis says, or does not say, that it is away."""

_log = logging.getLogger(__name__)


def open_redis(url: str) -> Redis:
    """One client for the whole process; it connects when it is first used. Close it with `aclose()`.

    A connection takes at most 2 seconds and a command 5. A command is sent a second time when its connection
    turns out to be broken, and no more: everything that is kept here may be lost.
    """
    return Redis.from_url(
        url,
        decode_responses=True,
        protocol=2,
        socket_connect_timeout=CONNECT_S,
        socket_timeout=COMMAND_S,
        retry=Retry(NoBackoff(), 1, supported_errors=(ConnectionLost,)),
        health_check_interval=30,
    )


class Outage:
    """Says once that Redis cannot be used, however many parts notice it, and once that it can again."""

    def __init__(self) -> None:
        self._noticed_by: set[str] = set()

    def __bool__(self) -> bool:
        return bool(self._noticed_by)

    def notice(self, part: str, error: BaseException) -> None:
        """A part of the process could not reach Redis."""
        if not self._noticed_by:
            _log.warning(
                "live events are lost (%s); tasks run on without them", str(error) or type(error).__name__
            )
        self._noticed_by.add(part)

    def end(self, part: str) -> None:
        """A part of the process has reached Redis."""
        if part in self._noticed_by:
            self._noticed_by.remove(part)
            if not self._noticed_by:
                _log.info("events are live again")


async def end_tasks(*tasks: asyncio.Task[None]) -> None:
    """Cancel them until they have ended: a cancellation that comes while the client writes may get lost in it."""
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=0.02)
    await asyncio.gather(*tasks, return_exceptions=True)


def heed_cancellation() -> None:
    """Raise the cancellation of this task that the client may have lost while it wrote."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


class RedisProbe:
    """Whether Redis answers. Tasks run without it, so its absence only slows watchers down."""

    def __init__(self, client: Redis) -> None:
        self._client = client

    async def __call__(self) -> Health:
        """Answers within 2 seconds and never raises."""
        try:
            async with asyncio.timeout(PROBE_S):
                await self._client.ping()
                heed_cancellation()
        except AWAY as error:
            return Health("redis", State.DEGRADED, f"no live events: {type(error).__name__}")
        return Health("redis", State.OK)
