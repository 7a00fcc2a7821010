"""Live workers, from their heartbeats."""

import json
import logging
from dataclasses import asdict

from pydantic import TypeAdapter, ValidationError
from redis.asyncio import Redis

from genpulse.adapters.redis.connection import AWAY
from genpulse.adapters.redis.keys import Keyspace
from genpulse.background.cancellations import cancellations, heed_cancellation
from genpulse.ports import WorkerPresence

_WORKER = TypeAdapter(WorkerPresence)

_log = logging.getLogger(__name__)


class RedisPresence:
    """Implements `Presence`. An index by name spares a scan, which would meet other environments' keys.

    Redis' own clock is used, so that workers whose clocks differ do not lose sight of each other.
    """

    def __init__(self, redis: Redis, keys: Keyspace) -> None:
        self._redis = redis
        self._keys = keys

    async def beat(self, worker: WorkerPresence, ttl_s: float) -> None:
        """Record a heartbeat that counts for `ttl_s` seconds, which is more than 0."""
        ttl_ms, before = max(1, round(ttl_s * 1000)), cancellations()
        try:
            now = await self._now()
            async with self._redis.pipeline(transaction=True) as pipeline:
                pipeline.set(self._keys.worker(worker.name), json.dumps(asdict(worker)), px=ttl_ms)
                pipeline.zadd(self._keys.workers, {worker.name: now + ttl_ms / 1000})
                pipeline.zremrangebyscore(self._keys.workers, 0, now)
                await pipeline.execute()
        except AWAY as error:
            _log.debug("the presence of %s was not told: %s", worker.name, error)
        heed_cancellation(before)

    async def workers(self) -> tuple[WorkerPresence, ...]:
        """The workers with a heartbeat that counts, sorted by name. Empty while Redis is away."""
        before = cancellations()
        try:
            names = await self._redis.zrangebyscore(self._keys.workers, await self._now(), "+inf")
            keys = [self._keys.worker(name) for name in sorted(map(str, names))]
            documents = await self._redis.mget(keys) if keys else []
        except AWAY as error:
            _log.debug("workers are not known: %s", error)
            documents = []
        heed_cancellation(before)
        workers = (_worker(str(document)) for document in documents if document)
        return tuple(worker for worker in workers if worker is not None)

    async def _now(self) -> float:
        seconds, microseconds = await self._redis.time()
        return float(seconds) + float(microseconds) / 1e6


def _worker(document: str) -> WorkerPresence | None:
    """None for what another version of this software wrote."""
    try:
        return _WORKER.validate_json(document, strict=True)
    except ValidationError:
        return None
