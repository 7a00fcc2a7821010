"""Which workers are there, as they said themselves."""

import json
import logging
import time
from collections.abc import Callable
from dataclasses import asdict

from redis.asyncio import Redis

from genpulse.adapters.redis.connection import AWAY
from genpulse.adapters.redis.keys import Keyspace
from genpulse.ports import WorkerPresence

_log = logging.getLogger(__name__)


class RedisPresence:
    """Implements `Presence`. An index by name spares a scan, which would meet other environments' keys."""

    def __init__(self, client: Redis, keys: Keyspace, clock: Callable[[], float] = time.time) -> None:
        self._client = client
        self._keys = keys
        self._clock = clock

    async def beat(self, worker: WorkerPresence, ttl_s: float) -> None:
        """Be seen for `ttl_s` seconds."""
        now = self._clock()
        try:
            async with self._client.pipeline(transaction=False) as pipeline:
                pipeline.set(self._keys.worker(worker.name), json.dumps(asdict(worker)), px=int(ttl_s * 1000))
                pipeline.zadd(self._keys.workers, {worker.name: now + ttl_s})
                pipeline.zremrangebyscore(self._keys.workers, 0, now)
                await pipeline.execute()
        except AWAY as error:
            _log.debug("the presence of %s was not told: %s", worker.name, error)

    async def workers(self) -> tuple[WorkerPresence, ...]:
        """Those that were seen. Empty when nothing is known."""
        try:
            names = await self._client.zrangebyscore(self._keys.workers, self._clock(), "+inf")
            found = await self._client.mget([self._keys.worker(name) for name in map(str, names)]) if names else []
        except AWAY as error:
            _log.debug("workers are not known: %s", error)
            return ()
        return tuple(_worker(str(document)) for document in found if document)


def _worker(document: str) -> WorkerPresence:
    values = json.loads(document)
    return WorkerPresence(**{**values, "providers": tuple(values["providers"])})
