"""A task queue inside this process."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from genpulse.domain.attempt import Claim
from genpulse.domain.task import Priority


@dataclass(slots=True)
class _Entry:
    ticket: int
    provider: str
    task_id: UUID
    priority: int
    due_at: float
    waits_since: float
    held_until: float | None = None
    begun: bool = False


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
        self._canceled: set[asyncio.Queue[UUID]] = set()
        self._changed: set[asyncio.Queue[UUID]] = set()

    def enqueue(self, provider: str, task_id: UUID, priority: int) -> int:
        """Add an entry that is due now; returns its ticket."""
        ticket = next(self._tickets)
        self._entries[ticket] = _Entry(ticket, provider, task_id, priority, self._clock(), self._clock())
        self._work.set()
        return ticket

    def settle(self, ticket: int) -> None:
        """Remove an entry; unknown ones are no error."""
        self._entries.pop(ticket, None)
        self._work.set()

    def postpone(self, ticket: int, delay_s: float) -> None:
        """Let an entry wait again, as a new one; unknown ones are no error."""
        if entry := self._entries.get(ticket):
            entry.held_until = None
            entry.begun = False
            entry.due_at = entry.waits_since = self._clock() + delay_s
            self._work.set()

    def release(self, ticket: int) -> None:
        """Let another worker go on with it; unknown ones are no error."""
        if entry := self._entries.get(ticket):
            entry.held_until = None
            entry.begun = True
            entry.due_at = self._clock()
            self._work.set()

    def announce_cancellation(self, task_id: UUID) -> None:
        """Tell all who listen."""
        for listener in self._canceled:
            listener.put_nowait(task_id)

    async def announce_change(self, task_id: UUID) -> None:
        """Tell the workers that something has happened to this task at its provider."""
        for listener in self._changed:
            listener.put_nowait(task_id)

    async def claim(self, providers: Sequence[str], limit: int) -> tuple[Claim, ...]:
        """At most `limit` entries of these providers that are due, higher priority first."""
        return self._take(providers, limit, self._may_claim)

    async def claim_resumed(self, providers: Sequence[str], limit: int) -> tuple[Claim, ...]:
        """At most `limit` entries of these providers whose work has begun."""
        return self._take(providers, limit, self._may_resume)

    def _take(
        self, providers: Sequence[str], limit: int, may_take: Callable[[_Entry, float], bool]
    ) -> tuple[Claim, ...]:
        now = self._clock()
        claimed: list[Claim] = []
        in_order = sorted(self._entries.values(), key=lambda one: (not one.begun, -one.priority, one.ticket))
        for entry in in_order:
            if len(claimed) < limit and entry.provider in providers and may_take(entry, now):
                entry.held_until = now + self._lease_s
                claimed.append(Claim(entry.ticket, entry.task_id))
        return tuple(claimed)

    def _may_claim(self, entry: _Entry, now: float) -> bool:
        if self._is_due(entry, now):
            return self._below_limit(entry.provider)
        return self._is_lost(entry, now)

    def _may_resume(self, entry: _Entry, now: float) -> bool:
        return (entry.begun and self._is_due(entry, now)) or self._is_lost(entry, now)

    def _is_lost(self, entry: _Entry, now: float) -> bool:
        return entry.held_until is not None and entry.held_until <= now

    def _is_due(self, entry: _Entry, now: float) -> bool:
        return entry.held_until is None and entry.due_at <= now

    async def due(self, providers: Sequence[str]) -> tuple[str, ...]:
        """Which of these providers have an entry that could be claimed now, but for limits."""
        now = self._clock()
        due = {entry.provider for entry in self._entries.values() if self._is_due(entry, now)}
        return tuple(sorted(due.intersection(providers)))

    async def promote(self, older_than_s: float) -> int:
        """Give entries that wait for so many seconds the next higher priority."""
        now = self._clock()
        waiting = [entry for entry in self._entries.values() if entry.waits_since <= now - older_than_s]
        promoted = [entry for entry in waiting if entry.held_until is None and entry.priority < Priority.HIGH]
        for entry in promoted[:1000]:
            entry.priority = min(word for word in Priority if word > entry.priority)
            entry.waits_since = now
        return len(promoted[:1000])

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
        dues = [entry.due_at - now for entry in self._entries.values() if entry.due_at > now]
        try:
            async with asyncio.timeout(max(min([timeout_s, *dues]), 0.01)):
                await self._work.wait()
                self._work.clear()
        except TimeoutError:
            return

    def cancellations(self) -> AsyncIterator[UUID]:
        """Tasks that somebody wants to stop, as they come."""
        return _heard(self._canceled)

    def changes(self) -> AsyncIterator[UUID]:
        """Tasks about which a provider has told something, as it comes."""
        return _heard(self._changed)

    async def depth(self) -> int:
        """How many entries wait."""
        return sum(entry.held_until is None for entry in self._entries.values())

    async def prune(self, older_than_s: float) -> None:
        """Nothing is kept about settled entries."""


async def _heard(listeners: set[asyncio.Queue[UUID]]) -> AsyncIterator[UUID]:
    listener: asyncio.Queue[UUID] = asyncio.Queue()
    listeners.add(listener)
    try:
        while True:
            yield await listener.get()
    finally:
        listeners.discard(listener)
