"""The `ProviderGate` port: one value for each account in Redis, changed by one script."""

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import UTC, datetime
from typing import TypeAlias, TypeVar

from redis.asyncio import Redis

from genpulse.adapters.redis.circuit_history import CircuitHistory
from genpulse.adapters.redis.connection import AWAY
from genpulse.adapters.redis.keys import Keyspace
from genpulse.adapters.redis.provider_gate_script import GateAnswer, GateScript
from genpulse.background.cancellations import cancellations, heed_cancellation
from genpulse.domain.errors import DatabaseUnavailable
from genpulse.domain.failure import Failure
from genpulse.domain.provider_account.circuit_event import CircuitEvent, events_of
from genpulse.domain.provider_account.gate import Admission, Circuit, CircuitPolicy, Gate, Limits
from genpulse.domain.provider_account.learned_concurrency import Load
from genpulse.domain.provider_account.rate import Pace, Rate
from genpulse.domain.text.storable import storable_line

ANSWER_S = 1.0
AWAY_S = 2.0
"""Seconds in which Redis is not asked again after it did not answer."""
AT_ONCE = 4
"""Operations that a process has under way: 500 tasks that fail together must not open as many connections."""
WORKERS_KNOWN_S = 10.0
WELL_S = 1.0
"""Seconds for which an account that was seen without failures is not told that it answers."""

T = TypeVar("T")
GateOperation: TypeAlias = Callable[[GateScript, str], Awaitable[GateAnswer]]
"""One operation on the gate under a key."""

_log = logging.getLogger(__name__)


class RedisGate:
    """Implements `ProviderGate`.

    `guarded` are providers that have a gate even without a rate. While Redis is away, or takes no writes, each
    process has gates of its own, and its share of the rate; `workers` tells with how many it shares. An operation
    whose answer got lost may have been counted. Redis has `answer_s` seconds to answer.
    """

    def __init__(
        self,
        redis: Redis,
        keys: Keyspace,
        *,
        guarded: Collection[str],
        limits: Mapping[str, Limits],
        policy: CircuitPolicy,
        workers: Callable[[], Awaitable[int]],
        random: Callable[[], float],
        answer_s: float = ANSWER_S,
    ) -> None:
        self._keys = keys
        self._script = GateScript(redis)
        self._history = CircuitHistory(redis, keys)
        self._guarded = frozenset(guarded)
        self._limits = limits
        self._policy = policy
        self._random = random
        self._workers = workers
        self._sharing, self._counted_at = 1, float("-inf")
        self._own: defaultdict[str, Gate] = defaultdict(Gate)
        self._well_until: dict[str, float] = {}
        self._answer_s = answer_s
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._away_until = float("-inf")

    def guards(self, provider: str) -> bool:
        """Whether there is anything to ask: not where work is done here and no rate is set."""
        return provider in self._guarded or self.limits(provider).rate is not None

    def limits(self, provider: str) -> Limits:
        """The limits of the account."""
        return self._limits.get(provider, Limits())

    async def admit(self, provider: str, count: int) -> Admission:
        """Let at most `count` (1 or more) new tasks through."""
        return await self._admit(provider, self.limits(provider).rate, count)

    async def _admit(self, name: str, rate: Rate | None, count: int) -> Admission:
        answer = await self._shared(name, lambda script, key: script.admit(key, rate, count))
        if answer:
            return answer.admission
        share = await self._share_of(rate)
        return self._change_own(name, lambda gate, now: gate.admit(share, count, now))

    async def give_back(self, provider: str, count: int) -> None:
        """Take back the admissions of so many (0 or more) tasks that asked the provider for nothing."""
        rate = self.limits(provider).rate
        if not await self._shared(provider, lambda script, key: script.give_back(key, rate, count)):
            share = await self._share_of(rate)
            self._change_own(provider, lambda gate, _: (None, gate.give_back(share, count)))

    async def succeeded(self, provider: str) -> None:
        """Note that the account took a task. Redis is not told where it has just been seen to bear everything."""
        if time.monotonic() < self._well_until.get(provider, float("-inf")):
            return
        most = self.limits(provider).concurrency
        if not await self._shared(provider, lambda script, key: script.succeeded(key, most)):
            self._change_own(provider, lambda gate, now: (None, gate.succeeded(most, now)))

    async def failed(self, provider: str, failure: Failure, load: Load | None = None) -> Circuit:
        """Note that an attempt failed. Returns how the account is since then."""
        policy, draw, most = self._policy, self._random(), self.limits(provider).concurrency
        bore = load.within(most) if load else None
        answer = await self._shared(provider, lambda script, key: script.failed(key, failure, policy, draw, bore))
        if answer:
            return answer.circuit

        def note(gate: Gate, now: float) -> tuple[Circuit, Gate]:
            after = gate.failed(failure, policy, now, draw, bore)
            return after.circuit(now), after

        return self._change_own(provider, note)

    async def pace(self, name: str, rate: Rate) -> Pace:
        """Let something of that name happen now, or say when it may."""
        answer = await self._shared(name, lambda script, key: script.admit(key, rate, 1))
        if answer:
            return answer.after.pace(answer.admission, rate, answer.now)
        share = await self._share_of(rate) or rate

        def admit(gate: Gate, now: float) -> tuple[Pace, Gate]:
            admission, after = gate.admit(share, 1, now)
            return after.pace(admission, share, now), after

        return self._change_own(name, admit)

    async def circuit(self, provider: str) -> Circuit:
        """The circuit of the account."""
        answer = await self._shared(provider, lambda script, key: script.look(key))
        return answer.circuit if answer else self._own[provider].circuit(time.monotonic())

    async def history(self, provider: str) -> tuple[CircuitEvent, ...]:
        """What happened to the circuit of the account, the newest first, as far as Redis knows it."""
        return await self._history.read(provider)

    async def _shared(self, name: str, operation: GateOperation) -> GateAnswer | None:
        """None when Redis cannot be asked."""
        async with self._turns:
            if time.monotonic() < self._away_until:
                return None
            before = cancellations()
            try:
                async with asyncio.timeout(self._answer_s):
                    answer = await operation(self._script, self._keys.gate(name))
                    heed_cancellation(before)
            except AWAY as error:
                heed_cancellation(before)
                self._went_away(error)
                return None
        self._note(name, answer.trips_before, answer.after)
        if events := tuple(events_of(answer.trips_before, answer.after, answer.now, datetime.now(UTC))):
            await self._history.add(name, events)
        if name in self._own:
            self._own[name] = self._own[name].answered()
        return answer

    def _went_away(self, error: Exception) -> None:
        now = time.monotonic()
        if now >= self._away_until:
            _log.warning(
                "limits are not shared while Redis cannot be asked (%s): this process keeps to its own part",
                storable_line(str(error)) or type(error).__name__,
            )
        self._away_until = now + AWAY_S

    def _change_own(self, name: str, change: Callable[[Gate, float], tuple[T, Gate]]) -> T:
        before = self._own[name]
        answer, after = change(before, time.monotonic())
        self._own[name] = after
        self._note(name, before.trips, after)
        return answer

    async def _share_of(self, rate: Rate | None) -> Rate | None:
        return rate.shared_by(await self._count_workers()) if rate else None

    async def _count_workers(self) -> int:
        if time.monotonic() - self._counted_at > WORKERS_KNOWN_S:
            try:
                self._sharing, self._counted_at = max(await self._workers(), 1), time.monotonic()
            except DatabaseUnavailable as error:
                _log.debug("workers cannot be counted: %s", error)
        return self._sharing

    def _note(self, name: str, trips_before: int, after: Gate) -> None:
        well = not after.failures and not after.trips and not after.learned.most
        self._well_until[name] = time.monotonic() + WELL_S if well else float("-inf")
        if after.trips > trips_before:
            _log.warning("%s is left alone for a while: %s", name, after.reason)
        elif trips_before and not after.trips:
            _log.info("%s works again", name)
