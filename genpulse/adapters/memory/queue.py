"""A task queue inside this process."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from genpulse.domain.attempt import Claim


@dataclass(slots=True)
class _Entry:
    ticket: int
    provider: str
    task_id: UUID
    priority: int
    due_at: float
    held_until: float | None = None


class MemoryTaskQueue:
    """Implements `TaskQueue`. `lease_s` is how long a claim lasts without renewal, in seconds.

    `limits` is how many entries of a provider may be held at once; a provider that is not in it has no limit.
    """

    def __init__(
        self,
        *,
        lease_s: float = 15.0,
        limits: Mapping[str, int] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lease_s = lease_s
        self._limits = limits or {}
        self._clock = clock
        self._tickets = itertools.count(1)
        self._entries: dict[int, _Entry] = {}
        self._work = asyncio.Event()
        self._listeners: set[asyncio.Queue[UUID]] = set()

    def enqueue(self, provider: str, task_id: UUID, priority: int) -> int:
        """Add an entry that is due now; returns its ticket."""
        ticket = next(self._tickets)
        self._entries[ticket] = _Entry(ticket, provider, task_id, priority, self._clock())
        self._work.set()
        return ticket

    def settle(self, ticket: int) -> None:
        """Remove an entry; unknown ones are no error."""
        self._entries.pop(ticket, None)
        self._work.set()

    def postpone(self, ticket: int, delay_s: float) -> None:
        """Let an entry wait again; unknown ones are no error."""
        if entry := self._entries.get(ticket):
            entry.held_until = None
            entry.due_at = self._clock() + delay_s
            self._work.set()

    def announce_cancellation(self, task_id: UUID) -> None:
        """Tell all who listen."""
        for listener in self._listeners:
            listener.put_nowait(task_id)

    async def claim(self, providers: Sequence[str], limit: int) -> tuple[Claim, ...]:
        """At most `limit` entries of these providers that are due, higher priority first."""
        now = self._clock()
        claimed: list[Claim] = []
        for entry in sorted(self._entries.values(), key=lambda entry: (-entry.priority, entry.ticket)):
            if len(claimed) < limit and entry.provider in providers and self._may_claim(entry, now):
                entry.held_until = now + self._lease_s
                claimed.append(Claim(entry.ticket, entry.task_id))
        return tuple(claimed)

    def _may_claim(self, entry: _Entry, now: float) -> bool:
        if entry.held_until is not None:
            return entry.held_until <= now
        return entry.due_at <= now and self._below_limit(entry.provider)

    def _below_limit(self, provider: str) -> bool:
        limit = self._limits.get(provider, 0)
        held = sum(e.provider == provider and e.held_until is not None for e in self._entries.values())
        return limit <= 0 or held < limit

    async def renew(self, tickets: Sequence[int]) -> None:
        """Hold these for another lease."""
        for ticket in tickets:
            if (entry := self._entries.get(ticket)) and entry.held_until is not None:
                entry.held_until = self._clock() + self._lease_s

    async def wait(self, timeout_s: float) -> None:
        """Return when there may be something to claim, at the latest after `timeout_s` seconds."""
        now = self._clock()
        dues = [entry.due_at - now for entry in self._entries.values() if entry.held_until is None]
        self._work.clear()
        try:
            async with asyncio.timeout(max(min([timeout_s, *dues]), 0.01)):
                await self._work.wait()
        except TimeoutError:
            return

    async def cancellations(self) -> AsyncIterator[UUID]:
        """Tasks that somebody wants to stop, as they come."""
        listener: asyncio.Queue[UUID] = asyncio.Queue()
        self._listeners.add(listener)
        try:
            while True:
                yield await listener.get()
        finally:
            self._listeners.discard(listener)

    async def depth(self) -> int:
        """How many entries wait."""
        return sum(entry.held_until is None for entry in self._entries.values())

    async def prune(self, older_than_s: float) -> None:
        """Nothing is kept about settled entries."""
