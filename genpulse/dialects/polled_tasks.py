"""Where tasks stand that somebody asks for many times a second.

Such a question is answered from memory, which live events keep fresh; the row is read when one of them says that
it has changed, and once a second, so that a lost event delays the news and never hides it.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from starlette.requests import Request

from genpulse.api.context import caller_of, context_in
from genpulse.domain.errors import DatabaseUnavailable, UnknownTask
from genpulse.domain.failure import Failure
from genpulse.domain.task import Task, TaskStatus
from genpulse.ports import Services, Subscription

LOOK_AGAIN_S = 1.0
"""Seconds after which the row is read again. Over a longer time no row is read more often than this says."""
READS_AHEAD = 3
"""So many reads may follow upon each other: a task begins and ends within less than a second."""
FORGOTTEN_S = 15.0
MOST_KEPT = 10_000
LINES_KEPT = 100
"""Of what an engine said while somebody asked."""


@dataclass(frozen=True, slots=True)
class Line:
    """What an engine said about its progress, and when it came here."""

    message: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a task stands: the row without what is large in it. `lines` came while somebody asked."""

    id: UUID
    owner: str
    provider: str
    model: str
    status: TaskStatus
    attempt: int
    seq: int
    progress: float | None
    error: Failure | None
    cancel_requested: bool
    started_at: datetime | None
    finished_at: datetime | None
    lines: tuple[Line, ...] = ()

    @classmethod
    def of(cls, task: Task, lines: tuple[Line, ...] = ()) -> "Standing":
        """From the row."""
        return cls(
            id=task.id,
            owner=task.owner,
            provider=task.provider,
            model=task.model,
            status=task.status,
            attempt=task.attempt,
            seq=task.seq,
            progress=task.progress,
            error=task.error,
            cancel_requested=task.cancel_requested,
            started_at=task.started_at,
            finished_at=task.finished_at,
            lines=lines,
        )


@dataclass(slots=True)
class _Entry:
    """`paid_until_s`: when as many reads were allowed as were done."""

    subscription: Subscription
    listening: AsyncExitStack
    asked_at_s: float
    paid_until_s: float = float("-inf")
    read_at_s: float = float("-inf")
    standing: Standing | None = None
    has_changed: bool = False
    lines: list[Line] = field(default_factory=list)
    reading: asyncio.Lock = field(default_factory=asyncio.Lock)

    def may_read(self, now_s: float) -> bool:
        """Whether it is time to, and not too early."""
        is_due = self.has_changed or now_s - self.read_at_s >= LOOK_AGAIN_S
        return self.standing is None or (is_due and self.paid_until_s <= now_s)


class PolledTasks:
    """The tasks that were asked for in the last seconds. `clock` counts seconds and never jumps."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._entries: OrderedDict[UUID, _Entry] = OrderedDict()

    async def standing(self, request: Request, task_id: UUID) -> Standing:
        """Where the task stands, if it is there for this caller. Raises `UnknownTask`, `DatabaseUnavailable`."""
        services = context_in(request.scope).services
        entry = self._entries.get(task_id) or await self._opened(services, task_id)
        entry.asked_at_s = self._clock()
        self._entries.move_to_end(task_id)
        self._hear(services, entry)
        if entry.may_read(self._clock()):
            async with entry.reading:
                if entry.may_read(self._clock()):
                    await self._read(services, task_id, entry)
        standing = entry.standing
        if standing is None or not caller_of(request).sees(standing.owner):
            raise UnknownTask(task_id)
        return standing

    async def _opened(self, services: Services, task_id: UUID) -> _Entry:
        await self._forget()
        listening = AsyncExitStack()
        subscription = await listening.enter_async_context(services.events.subscribe(task_id))
        if (other := self._entries.get(task_id)) is not None:
            await listening.aclose()
            return other
        entry = self._entries[task_id] = _Entry(subscription, listening, self._clock())
        return entry

    async def _forget(self) -> None:
        """Drop those that nobody asks for any more, and the oldest where there are too many."""
        before_s = self._clock() - FORGOTTEN_S
        while self._entries:
            task_id, entry = next(iter(self._entries.items()))
            if entry.asked_at_s > before_s and len(self._entries) < MOST_KEPT:
                return
            await self._drop(task_id, entry)

    async def _drop(self, task_id: UUID, entry: _Entry) -> None:
        if self._entries.get(task_id) is entry:
            del self._entries[task_id]
            await entry.listening.aclose()

    def _hear(self, services: Services, entry: _Entry) -> None:
        for event in entry.subscription.unread():
            if event.progress is None:
                entry.has_changed = True
            elif event.message:
                entry.lines.append(Line(event.message, services.now()))
                del entry.lines[:-LINES_KEPT]
            if entry.standing is not None and event.progress is not None and event.seq > entry.standing.seq:
                entry.standing = _moved(entry.standing, event.seq, event.progress, tuple(entry.lines))

    async def _read(self, services: Services, task_id: UUID, entry: _Entry) -> None:
        """Raises `UnknownTask`, and `DatabaseUnavailable` where nothing is known yet."""
        entry.has_changed = False
        entry.read_at_s = now_s = self._clock()
        entry.paid_until_s = max(entry.paid_until_s, now_s - READS_AHEAD * LOOK_AGAIN_S) + LOOK_AGAIN_S
        try:
            read = Standing.of(await services.store.get(task_id), tuple(entry.lines))
        except UnknownTask:
            entry.standing = None
            await self._drop(task_id, entry)
            raise
        except DatabaseUnavailable:
            entry.has_changed = True
            if entry.standing is None:
                raise
            return  # nothing about a task changes while its database is away
        entry.standing = _newest(entry.standing, read)


def _newest(known: Standing | None, read: Standing) -> Standing:
    """What was read, with the progress that is known where the row is behind it: that is written less often."""
    if known is None or known.seq <= read.seq or read.status is not TaskStatus.RUNNING:
        return read
    return _moved(read, known.seq, known.progress, read.lines)


def _moved(standing: Standing, seq: int, progress: float | None, lines: tuple[Line, ...]) -> Standing:
    return replace(standing, seq=seq, progress=progress, lines=lines)
