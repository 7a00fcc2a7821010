"""A task queue inside this process, and the workers that it knows."""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from genpulse.adapters.memory.queue.turns import QueueTurns
from genpulse.domain.attempt import Lease, Worker
from genpulse.domain.search.backlog import Backlog
from genpulse.domain.search.queue_load import COUNTED_AT_MOST, QueueLoad
from genpulse.domain.task import NewTask, Priority, Task
from genpulse.ports import QueueMark, TaskNotification


@dataclass(slots=True)
class Entry:
    """A task that has not ended: it waits, or a worker holds it."""

    task_id: UUID
    provider: str
    priority: int
    owner: str
    due_at: float
    since: float
    has_begun: bool = False
    ordered: bool = False
    lease: UUID | None = None
    worker: UUID | None = None


@dataclass(slots=True)
class _WorkerLease:
    """A worker, and until when what it holds is its own."""

    lease_s: float
    lease_until: float


class MemoryTaskQueue:
    """Implements `TaskQueue`, and keeps entries and workers for a `MemoryTaskStore`.

    `limits` is how many tasks of a provider may run at once; a provider that is not in it has no limit.
    """

    def __init__(
        self, *, limits: Mapping[str, int] | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limits = limits or {}
        self._clock = clock
        self._entries: dict[UUID, Entry] = {}
        self._turns = QueueTurns()
        self._workers: dict[UUID, _WorkerLease] = {}
        self._since = self._renewed_at = clock()
        self._mark = 0
        self._notifications: dict[UUID, asyncio.Queue[TaskNotification]] = {}
        self._waiting: set[asyncio.Future[None]] = set()

    def enqueue(self, task: NewTask | Task, *, ordered: bool = False, delay_s: float = 0.0) -> None:
        """Add a task that is due in so many seconds."""
        now = self._clock()
        self._entries[task.id] = Entry(
            task.id, task.provider, task.priority, task.owner, now + delay_s, now, ordered=ordered
        )
        self._wake()

    def weigh(self, owner: str, weight: int) -> None:
        """From now on so many tasks of this owner are taken in its turn, 1 or more."""
        self._turns.weigh(owner, weight)

    def entry(self, task_id: UUID) -> Entry | None:
        """What waits, or is held, of this task."""
        return self._entries.get(task_id)

    def settle(self, task_id: UUID) -> None:
        """The task has ended."""
        self._entries.pop(task_id, None)
        self._wake()

    def give_back(self, task_id: UUID, *, delay_s: float, has_begun: bool, ordered: bool) -> None:
        """Let the task wait again for so many seconds."""
        if entry := self._entries.get(task_id):
            entry.lease = entry.worker = None
            entry.has_begun, entry.ordered = has_begun, ordered
            entry.due_at = entry.since = self._clock() + delay_s
            self._wake()

    def wake(self, task_id: UUID, delay_s: float) -> None:
        """A task that waited for others is due in so many seconds."""
        if entry := self._entries.get(task_id):
            entry.due_at, entry.since = self._clock() + delay_s, self._clock()
            self._wake()

    def move(self, task_id: UUID, provider: str) -> None:
        """The task waits for another provider, and is due."""
        if entry := self._entries.get(task_id):
            entry.provider, entry.has_begun = provider, False
            entry.due_at = entry.since = self._clock()
            self._wake()

    def is_due(self, task_id: UUID) -> bool:
        """Whether the task waits, and could be taken by a worker."""
        entry = self._entries.get(task_id)
        return entry is not None and entry.lease is None and entry.due_at <= self._clock()

    def push(self, task_id: UUID) -> None:
        """A task with an open order goes to a worker at once."""
        if entry := self._entries.get(task_id):
            entry.due_at, entry.has_begun = self._clock(), True
            self._wake()

    def renew(self, worker: Worker) -> tuple[tuple[Lease, Entry], ...]:
        """Hold all that the worker has for another lease, and say what that is."""
        now = self._clock()
        if now - self._renewed_at > worker.lease_s / 2:
            self._since = now
        self._renewed_at = now
        self._workers[worker.id] = _WorkerLease(worker.lease_s, now + worker.lease_s)
        entries = [entry for entry in self._entries.values() if entry.worker == worker.id]
        return tuple((Lease(entry.task_id, entry.lease), entry) for entry in entries if entry.lease)

    def leave(self, worker: Worker) -> None:
        """What the worker still holds goes to others at once."""
        if worker_lease := self._workers.get(worker.id):
            worker_lease.lease_until = float("-inf")

    def take(
        self, worker: Worker, providers: Sequence[str], ids: Sequence[UUID], *, resumed: bool, new: bool
    ) -> tuple[Entry, ...]:
        """Lease what is due to a worker: what was given back where `resumed`, and else where `new`."""
        now = self._clock()
        if not self._is_alive(worker.id, now):
            return ()
        due = [one for one in self._entries.values() if one.lease is None and one.due_at <= now]
        entries = [one for one in due if one.provider in providers and (resumed if one.has_begun else new)]
        begun = [one for one in entries if one.has_begun]
        begun.sort(key=lambda one: (-one.priority, one.due_at, one.task_id))
        others = [one for one in entries if not one.has_begun and self._has_seat(one.provider)]
        leased_entries = self._lease(worker, [*begun, *self._turns.in_order(others)], ids)
        self._turns.note([one for one in leased_entries if not one.has_begun], others)
        return leased_entries

    def take_over(self, worker: Worker, providers: Sequence[str], ids: Sequence[UUID]) -> tuple[Entry, ...]:
        """Lease what lost workers held."""
        now = self._clock()
        if not self._is_alive(worker.id, now):
            return ()
        lost_workers = {name for name, worker_lease in self._workers.items() if self._is_lost(worker_lease, now)}
        entries = [
            one for one in self._entries.values() if one.worker in lost_workers and one.provider in providers
        ]
        return self._lease(worker, entries, ids)

    def _lease(self, worker: Worker, entries: Sequence[Entry], ids: Sequence[UUID]) -> tuple[Entry, ...]:
        leased_entries: list[Entry] = []
        for entry in entries:
            if len(leased_entries) == len(ids):
                break
            if entry.lease is None and not entry.has_begun and not self._has_seat(entry.provider):
                continue
            entry.lease, entry.worker = ids[len(leased_entries)], worker.id
            leased_entries.append(entry)
        return tuple(leased_entries)

    def _is_alive(self, worker_id: UUID, now: float) -> bool:
        return worker_id in self._workers and self._workers[worker_id].lease_until > now

    def _is_lost(self, worker_lease: _WorkerLease, now: float) -> bool:
        has_left = worker_lease.lease_until == float("-inf")
        return worker_lease.lease_until < now and (has_left or self._since + worker_lease.lease_s < now)

    def _has_seat(self, provider: str) -> bool:
        if provider not in self._limits:
            return True
        return self._running(provider) < self._limits[provider]

    def _running(self, provider: str) -> int:
        return sum(one.provider == provider and one.lease is not None for one in self._entries.values())

    async def running(self, provider: str) -> int:
        """How many tasks of this provider workers hold."""
        return self._running(provider)

    def tell(self, task_id: UUID, *, unwanted: bool) -> None:
        """Tell whoever holds the task."""
        entry = self._entries.get(task_id)
        if entry and entry.worker in self._notifications:
            self._notifications[entry.worker].put_nowait(TaskNotification(task_id, unwanted))

    def limited(self, provider: str) -> bool:
        """Whether only so many tasks of this provider may run at once."""
        return provider in self._limits

    async def due(self, providers: Sequence[str]) -> tuple[str, ...]:
        """Which of these providers have a new task that is due and has a free seat."""
        now = self._clock()
        due = {one.provider for one in self._entries.values() if _is_new(one) and one.due_at <= now}
        return tuple(name for name in providers if name in due and self._has_seat(name))

    def ready(self, providers: Sequence[str]) -> list[str]:
        """Which of these providers have something that is due, new or given back."""
        now = self._clock()
        due = {one.provider for one in self._entries.values() if one.lease is None and one.due_at <= now}
        return [name for name in providers if name in due]

    async def promote(self, older_than_s: float) -> int:
        """Give tasks that wait for so many seconds the next higher priority."""
        now = self._clock()
        urgent: dict[str, int] = {}
        for one in self._entries.values():
            if _is_new(one) and one.since <= one.due_at <= now:
                urgent[one.provider] = max(one.priority, urgent.get(one.provider, one.priority))
        waiting = [one for one in self._entries.values() if max(one.since, one.due_at) <= now - older_than_s]
        promoted = [
            one for one in waiting if one.lease is None and one.priority < urgent.get(one.provider, one.priority)
        ]
        for entry in promoted[:1000]:
            entry.priority = min(word for word in Priority if word > entry.priority)
            entry.since = now
        return len(promoted[:1000])

    def mark(self) -> QueueMark:
        """What `wait` is told."""
        return QueueMark(self._mark, self._clock())

    async def wait(self, mark: QueueMark, providers: Sequence[str], timeout_s: float) -> None:
        """Return when there may be something to claim that was not there at `mark`."""
        if self._mark != mark.number:
            return
        now = self._clock()
        waiting = [one for one in self._entries.values() if one.lease is None and one.due_at > mark.at]
        dues = [one.due_at - now for one in waiting]
        loop = asyncio.get_running_loop()
        waiter = loop.create_future()
        timer = loop.call_later(max(min([timeout_s, *dues]), 0.01), _wake, waiter)
        self._waiting.add(waiter)
        try:
            await waiter
        finally:
            timer.cancel()
            self._waiting.discard(waiter)

    def _wake(self) -> None:
        self._mark += 1
        for waiter in self._waiting:
            _wake(waiter)

    async def notifications(self, worker: Worker) -> AsyncIterator[TaskNotification]:
        """What others tell this worker about tasks that it holds."""
        pending = self._notifications.setdefault(worker.id, asyncio.Queue())
        try:
            while True:
                yield await pending.get()
        finally:
            self._notifications.pop(worker.id, None)

    async def announce_change(self, task_id: UUID) -> None:
        """Tell the worker that holds this task that something has happened to it at its provider."""
        self.tell(task_id, unwanted=False)

    async def backlogs(self) -> Mapping[str, Backlog]:
        """What waits of each provider of which something does."""
        now, dues = self._clock(), defaultdict[str, list[float]](list)
        for entry in self._entries.values():
            if entry.lease is None:
                dues[entry.provider].append(entry.due_at)
        return {name: Backlog(len(moments), max(0.0, now - min(moments))) for name, moments in dues.items()}

    async def loads(self) -> tuple[QueueLoad, ...]:
        """What waits and runs, by provider and priority."""
        now, groups = self._clock(), defaultdict[tuple[str, int], list[Entry]](list)
        for entry in self._entries.values():
            groups[entry.provider, -entry.priority].append(entry)
        return tuple(
            _load(provider, -priority, entries, now) for (provider, priority), entries in sorted(groups.items())
        )

    async def tidy(self) -> None:
        """Forget workers that hold nothing and are gone."""
        holders, now = {entry.worker for entry in self._entries.values()}, self._clock()
        old_workers = [
            name for name, worker_lease in self._workers.items() if worker_lease.lease_until < now - 3600
        ]
        for name in old_workers:
            if name not in holders:
                del self._workers[name]


def _load(provider: str, priority: int, entries: Sequence[Entry], now: float) -> QueueLoad:
    waiting = [one for one in entries if one.lease is None]
    due = [one for one in waiting if one.due_at <= now]
    return QueueLoad(
        provider,
        Priority(priority),
        waiting=min(len(due), COUNTED_AT_MOST),
        later=min(len(waiting) - len(due), COUNTED_AT_MOST),
        running=len(entries) - len(waiting),
        overdue_s=max([0.0, *(now - one.due_at for one in due)]),
    )


def _is_new(entry: Entry) -> bool:
    return entry.lease is None and not entry.has_begun


def _wake(waiter: "asyncio.Future[None]") -> None:
    if not waiter.done():
        waiter.set_result(None)
