"""What happened to the circuits of accounts: a short list for each, which Redis may lose."""

import logging
from collections.abc import Sequence

from pydantic import TypeAdapter, ValidationError
from redis.asyncio import Redis

from genpulse.adapters.redis.connection import AWAY
from genpulse.adapters.redis.keys import Keyspace
from genpulse.adapters.redis.script import Script
from genpulse.background.cancellations import cancellations, heed_cancellation
from genpulse.domain.provider_account.circuit_event import KEPT, CircuitEvent

KEPT_S = 30 * 86_400
"""How long it is remembered of an account with which nothing happens."""
_ADD = """
for place = 3, #ARGV do redis.call('LPUSH', KEYS[1], ARGV[place]) end
redis.call('LTRIM', KEYS[1], 0, ARGV[1] - 1)
redis.call('EXPIRE', KEYS[1], ARGV[2])
return 0
"""
_EVENT = TypeAdapter(CircuitEvent)
_log = logging.getLogger(__name__)


class CircuitHistory:
    """Never raises because of Redis: what cannot be noted or read is not there."""

    def __init__(self, redis: Redis, keys: Keyspace) -> None:
        self._redis = redis
        self._keys = keys
        self._add = Script(redis, _ADD)

    async def add(self, provider: str, events: Sequence[CircuitEvent]) -> None:
        """Note what happened, the oldest first."""
        before = cancellations()
        try:
            await self._add(self._keys.gate_history(provider), (KEPT, KEPT_S, *map(_text, events)))
        except AWAY as error:
            heed_cancellation(before)
            _log.debug("what happened to %s is not kept: %s", provider, error)

    async def read(self, provider: str) -> tuple[CircuitEvent, ...]:
        """What is kept, the newest first."""
        before = cancellations()
        try:
            texts = await self._redis.lrange(self._keys.gate_history(provider), 0, KEPT - 1)
        except AWAY as error:
            heed_cancellation(before)
            _log.debug("what happened to %s cannot be read: %s", provider, error)
            return ()
        return tuple(event for text in texts if (event := _event(text)))


def _text(event: CircuitEvent) -> str:
    return _EVENT.dump_json(event).decode()


def _event(text: bytes | str) -> CircuitEvent | None:
    """None for what another version has written."""
    try:
        return _EVENT.validate_json(text)
    except ValidationError:
        return None
