"""Tasks that somebody asks for many times a second.

Such a question is answered from memory, which live events keep fresh. The row is read at once when one of them
says that it has changed, and else once a second: a lost event delays the news and never hides it. Rows of many
tasks are read together, and nobody waits for that who asks on time.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from uuid import UUID

from starlette.requests import Request

from genpulse.api.context import caller_of, context_in
from genpulse.background.shared_task import shared_task
from genpulse.dialects.standing import Line, Standing
from genpulse.domain.errors import DatabaseUnavailable, UnknownTask
from genpulse.domain.search.task_query import TaskFilter, TaskQuery
from genpulse.ports import Services, Subscription

LOOK_AGAIN_S = 1.0
"""Seconds after which the row is read again. Over a longer time no row is read more often than this says."""
LATE_S = 0.25
"""Seconds after that for which what was known is told while the row is being read."""
READS_AHEAD = 3
"""So many reads may follow upon each other: a task begins and ends within less than a second."""
GATHERED_S = 0.02
"""Seconds for which rows that are due are gathered."""
READ_TOGETHER = 200
FORGOTTEN_S = 15.0
MOST_KEPT = 10_000
LINES_KEPT = 100
"""Of what an engine said while somebody asked."""


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

    def is_due(self, now_s: float) -> bool:
        """Whether it is time to read the row again."""
        return now_s - self.read_at_s >= LOOK_AGAIN_S and self.paid_until_s <= now_s

    def is_wanted(self, now_s: float) -> bool:
        """Whether whoever asks has to wait for the row: nothing is known, or it is known to be old."""
        if self.standing is None:
            return True
        is_late = self.has_changed or now_s - self.read_at_s >= LOOK_AGAIN_S + LATE_S
        return is_late and self.paid_until_s <= now_s

    def note_read(self, now_s: float) -> None:
        """The row is being read."""
        self.has_changed = False
        self.read_at_s = now_s
        self.paid_until_s = max(self.paid_until_s, now_s - READS_AHEAD * LOOK_AGAIN_S) + LOOK_AGAIN_S

    def take(self, read: Standing) -> None:
        """What the row said."""
        self.standing = read.or_progress_of(self.standing, tuple(self.lines))

    def hear(self, services: Services) -> None:
        """What has been told since."""
        for event in self.subscription.unread():
            if event.progress is None:
                self.has_changed = True
                continue
            if event.message:
                self.lines.append(Line(event.message, services.now()))
                del self.lines[:-LINES_KEPT]
            if self.standing is not None and event.seq > self.standing.seq:
                self.standing = self.standing.moved(event.seq, event.progress, tuple(self.lines))


class PolledTasks:
    """The tasks that were asked for in the last seconds. `clock` counts seconds and never jumps."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._entries: OrderedDict[UUID, _Entry] = OrderedDict()
        self._due: set[UUID] = set()
        self._refreshing: asyncio.Task[None] | None = None

    async def standing(self, request: Request, task_id: UUID) -> Standing:
        """Where the task stands, if it is there for this caller. Raises `UnknownTask`, `DatabaseUnavailable`."""
        services = context_in(request.scope).services
        entry = self._entries.get(task_id) or await self._opened(services, task_id)
        now_s = entry.asked_at_s = self._clock()
        if task_id in self._entries:
            self._entries.move_to_end(task_id)
        entry.hear(services)
        if entry.is_wanted(now_s):
            async with entry.reading:
                if entry.is_wanted(self._clock()):
                    await self._read(services, task_id, entry)
        elif entry.is_due(now_s):
            self._refresh_soon(services, task_id)
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

    async def _read(self, services: Services, task_id: UUID, entry: _Entry) -> None:
        """Raises `UnknownTask`, and `DatabaseUnavailable` where nothing is known yet."""
        entry.note_read(self._clock())
        try:
            entry.take(Standing.of(await services.store.get(task_id)))
        except UnknownTask:
            entry.standing = None
            await self._drop(task_id, entry)
            raise
        except DatabaseUnavailable:
            entry.has_changed = True
            if entry.standing is None:
                raise
            # Nothing about a task changes while its database is away: what is known is told.

    def _refresh_soon(self, services: Services, task_id: UUID) -> None:
        self._due.add(task_id)
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = shared_task(self._refresh(services))

    async def _refresh(self, services: Services) -> None:
        while self._due:
            await asyncio.sleep(GATHERED_S)
            task_ids = [self._due.pop() for _ in range(min(len(self._due), READ_TOGETHER))]
            await self._read_together(services, [each for each in task_ids if each in self._entries])

    async def _read_together(self, services: Services, task_ids: list[UUID]) -> None:
        """What is not found is forgotten: whoever asks next is told."""
        entries = {task_id: self._entries[task_id] for task_id in task_ids}
        for entry in entries.values():
            entry.note_read(self._clock())
        query = TaskQuery(len(task_ids), filter=TaskFilter(ids=tuple(task_ids)))
        try:
            tasks = {task.id: task for task in await services.store.find(query)} if task_ids else {}
        except DatabaseUnavailable:
            return
        for task_id, entry in entries.items():
            if task_id in tasks:
                entry.take(Standing.of(tasks[task_id]))
            else:
                await self._drop(task_id, entry)
