"""A gate for the workers of one process."""

import time
from collections import defaultdict, deque
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime

from genpulse.domain.failure import Failure
from genpulse.domain.provider_account.circuit_event import KEPT, CircuitEvent, events_of
from genpulse.domain.provider_account.gate import Admission, Circuit, CircuitPolicy, Gate, Limits
from genpulse.domain.provider_account.learned_concurrency import Load
from genpulse.domain.provider_account.rate import Pace, Rate


class MemoryGate:
    """Implements `ProviderGate`. `guarded` are providers that have a gate even without a rate."""

    def __init__(
        self,
        guarded: Collection[str] = (),
        limits: Mapping[str, Limits] | None = None,
        policy: CircuitPolicy | None = None,
        clock: Callable[[], float] = time.monotonic,
        random: Callable[[], float] = lambda: 1.0,
    ) -> None:
        self._guarded = frozenset(guarded)
        self._limits = limits or {}
        self._policy = policy or CircuitPolicy()
        self._clock = clock
        self._random = random
        self._gates: defaultdict[str, Gate] = defaultdict(Gate)
        self._history: defaultdict[str, deque[CircuitEvent]] = defaultdict(lambda: deque(maxlen=KEPT))

    def guards(self, provider: str) -> bool:
        """Whether there is anything to ask."""
        return provider in self._guarded or self.limits(provider).rate is not None

    def limits(self, provider: str) -> Limits:
        """What the account may be asked."""
        return self._limits.get(provider, Limits())

    async def admit(self, provider: str, count: int) -> Admission:
        """Let at most `count` new tasks through."""
        rate = self.limits(provider).rate
        admission, self._gates[provider] = self._gates[provider].admit(rate, count, self._clock())
        return admission

    async def give_back(self, provider: str, count: int) -> None:
        """So many (0 or more) of those that were let through asked the provider for nothing."""
        self._gates[provider] = self._gates[provider].give_back(self.limits(provider).rate, count)

    async def succeeded(self, provider: str) -> None:
        """The account took a task."""
        most, now = self.limits(provider).concurrency, self._clock()
        self._keep(provider, self._gates[provider].succeeded(most, now), now)

    async def failed(self, provider: str, failure: Failure, load: Load | None = None) -> Circuit:
        """An attempt failed."""
        bore = load.within(self.limits(provider).concurrency) if load else None
        now = self._clock()
        self._keep(provider, self._gates[provider].failed(failure, self._policy, now, self._random(), bore), now)
        return self._gates[provider].circuit(self._clock())

    def _keep(self, provider: str, gate: Gate, now: float) -> None:
        events = events_of(self._gates[provider].trips, gate, now, datetime.now(UTC))
        self._history[provider].extendleft(events)
        self._gates[provider] = gate

    async def pace(self, name: str, rate: Rate) -> Pace:
        """Let something of that name happen now, or say when it may."""
        now = self._clock()
        admission, self._gates[name] = self._gates[name].admit(rate, 1, now)
        return self._gates[name].pace(admission, rate, now)

    async def circuit(self, provider: str) -> Circuit:
        """How the account is."""
        return self._gates[provider].circuit(self._clock())

    async def history(self, provider: str) -> tuple[CircuitEvent, ...]:
        """What happened to it, the newest first."""
        return tuple(self._history[provider])
