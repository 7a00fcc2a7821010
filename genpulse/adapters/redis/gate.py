"""The `ProviderGate` port: one value for each account in Redis, changed by compare-and-set."""

import asyncio
import json
import logging
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import astuple
from typing import TypeAlias, TypeVar

from redis.asyncio import Redis

from genpulse.adapters.redis.connection import AWAY, heed_cancellation
from genpulse.adapters.redis.keys import Keyspace
from genpulse.domain.errors import DatabaseUnavailable
from genpulse.domain.failure import Failure
from genpulse.domain.gate import Admission, Circuit, CircuitPolicy, Gate, Limits
from genpulse.domain.rate import Rate

KEPT_S = 2 * 3600
"""How long Redis remembers an account that nobody asks about: longer than any circuit is open."""
ANSWER_S = 1.0
AWAY_S = 2.0
"""Seconds in which Redis is not asked again after it did not answer."""
WORKERS_KNOWN_S = 10.0
_TRIES = 20

# Redis' own clock is read with the value, so that workers whose clocks differ keep to one rate.
_READ = "return {redis.call('TIME'), redis.call('GET', KEYS[1])}"
_SWAP = """
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
return 1
"""

T = TypeVar("T")
Change: TypeAlias = Callable[[Gate, Rate | None, float], tuple[T, Gate]]
"""From the gate, its rate and the time to an answer and the next gate."""

_log = logging.getLogger(__name__)


class RedisGate:
    """Implements `ProviderGate`.

    `guarded` are providers that have a gate even without a rate. While Redis is away each process has gates of its
    own, and its share of the rate; `workers` tells with how many it shares.
    """

    def __init__(
        self,
        client: Redis,
        keys: Keyspace,
        *,
        guarded: Collection[str],
        limits: Mapping[str, Limits],
        policy: CircuitPolicy,
        workers: Callable[[], Awaitable[int]],
        random: Callable[[], float],
    ) -> None:
        self._keys = keys
        self._read = client.register_script(_READ)
        self._swap = client.register_script(_SWAP)
        self._guarded = frozenset(guarded)
        self._limits = limits
        self._policy = policy
        self._random = random
        self._workers = workers
        self._sharing, self._counted_at = 1, float("-inf")
        self._own: defaultdict[str, Gate] = defaultdict(Gate)
        self._seen: defaultdict[str, Gate] = defaultdict(Gate)
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._away_until = float("-inf")

    def guards(self, provider: str) -> bool:
        """Whether there is anything to ask: not where work is done here and no rate is set."""
        return provider in self._guarded or self.limits(provider).rate is not None

    def limits(self, provider: str) -> Limits:
        """What the account may be asked."""
        return self._limits.get(provider, Limits())

    async def admit(self, provider: str, wanted: int) -> Admission:
        """Let at most `wanted` (1 or more) new tasks through."""
        return await self._change(provider, lambda gate, rate, now: gate.admit(rate, wanted, now))

    async def give_back(self, provider: str, count: int) -> None:
        """So many of those that were let through did not go."""
        await self._change(provider, lambda gate, rate, _: (None, gate.give_back(rate, count)))

    async def succeeded(self, provider: str) -> None:
        """The account answered as it should. Nothing is written where it was seen to do so before."""
        seen = self._seen[provider]
        if seen.failures or seen.trips:
            await self._change(provider, lambda gate, _rate, _now: (None, gate.succeeded()))

    async def failed(self, provider: str, failure: Failure) -> Circuit:
        """An attempt failed."""
        draw = self._random()

        def note(gate: Gate, _: Rate | None, now: float) -> tuple[Circuit, Gate]:
            after = gate.failed(failure, self._policy, now, draw)
            return after.circuit(now), after

        return await self._change(provider, note)

    async def pace(self, name: str, rate: Rate) -> float:
        """Seconds until something of that name may happen again; 0 lets it happen now."""
        admission = await self._change(name, lambda gate, _, now: gate.admit(rate, 1, now))
        return 0.0 if admission.granted else admission.wait_s

    async def circuit(self, provider: str) -> Circuit:
        """How the account is."""
        return await self._change(provider, lambda gate, _, now: (gate.circuit(now), gate))

    async def _change(self, provider: str, change: Change[T]) -> T:
        async with self._locks[provider]:
            if time.monotonic() >= self._away_until:
                try:
                    async with asyncio.timeout(ANSWER_S):
                        answer = await self._change_shared(provider, change)
                        heed_cancellation()
                        return answer
                except AWAY as error:
                    heed_cancellation()
                    self._away_until = time.monotonic() + AWAY_S
                    _log.warning(
                        "limits are not shared while Redis is away (%s): this process keeps to its own part",
                        str(error) or type(error).__name__,
                    )
            return await self._change_own(provider, change)

    async def _change_shared(self, provider: str, change: Change[T]) -> T:
        key = self._keys.gate(provider)
        for _ in range(_TRIES):
            (seconds, microseconds), text = await self._read(keys=[key])
            before = _gate(text)
            answer, after = change(before, self.limits(provider).rate, float(seconds) + float(microseconds) / 1e6)
            self._seen[provider] = after
            if after == before or await self._swap(keys=[key], args=[text or "", _text(after), KEPT_S]):
                self._tell(provider, before, after)
                return answer
        raise TimeoutError(f"the gate of {provider} is changed by others all the time")

    async def _change_own(self, provider: str, change: Change[T]) -> T:
        rate = self.limits(provider).rate
        share = rate.shared_by(await self._count_workers()) if rate else None
        before = self._own[provider]
        answer, after = change(before, share, time.monotonic())
        self._own[provider] = self._seen[provider] = after
        self._tell(provider, before, after)
        return answer

    async def _count_workers(self) -> int:
        if time.monotonic() - self._counted_at > WORKERS_KNOWN_S:
            try:
                self._sharing, self._counted_at = max(await self._workers(), 1), time.monotonic()
            except DatabaseUnavailable as error:
                _log.debug("workers cannot be counted: %s", error)
        return self._sharing

    def _tell(self, provider: str, before: Gate, after: Gate) -> None:
        if after.trips > before.trips:
            _log.warning("%s is left alone for a while: %s", provider, after.reason)
        elif before.trips and not after.trips:
            _log.info("%s works again", provider)


def _text(gate: Gate) -> str:
    return json.dumps(astuple(gate), separators=(",", ":"))


def _gate(text: str | None) -> Gate:
    """A new one where there is none, or where another version of this software wrote it."""
    if not text:
        return Gate()
    try:
        next_at, failures, trips, shut_until, probing_until, reason = json.loads(text)
        moments = float(next_at), float(shut_until), float(probing_until)
    except (ValueError, TypeError):
        return Gate()
    return Gate(moments[0], int(failures), int(trips), moments[1], moments[2], str(reason))
