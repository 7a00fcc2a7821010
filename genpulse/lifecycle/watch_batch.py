"""Watching a batch: how it stands, and each end of a task in it, as one stream."""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from genpulse.domain.errors import UnknownTask
from genpulse.domain.task import Task
from genpulse.domain.task_batch import EndMark, TaskBatch, TaskEnd
from genpulse.ports import Services

LOOK_AGAIN_S = 1.0
"""The rows are counted this often: a batch has so many tasks that a watcher does not listen to each."""
OVERLAP = timedelta(seconds=30)
"""So much later than it says may an end be committed."""
_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class BatchUpdate:
    """One update for a watcher: how the batch stands, or a task of it that has ended. `number` grows.

    After one that `is_last` nothing more happens by itself.
    """

    number: int
    batch: TaskBatch | None = None
    task: Task | None = None
    is_last: bool = False


def is_told(batch: TaskBatch, after: int) -> bool:
    """Whether the holder of this number was told of the last end of a batch that has ended."""
    if batch.finished_at is None:
        return batch.ended and after > 0
    return batch.finished_at - batch.created_at <= EndMark.of(after).offset


async def watch_batch(
    services: Services, batch_id: UUID, *, after: int | None = None, idle_s: float = 15.0
) -> AsyncGenerator[BatchUpdate | None, None]:
    """Yield how the batch stands, then each end and each change of its counts, until all tasks have ended.

    With `after`, the number of the last update that the watcher has, ends that were told by then do not come
    again, as far as that is known: where an end was committed late, some may. None is missed. Yields None when
    nothing happened for `idle_s` seconds. Raises `UnknownBatch`, `DatabaseUnavailable`.
    """
    batch = await services.batches.get(batch_id)
    told_ends = Told.after(batch, await services.batches.ends(batch_id), EndMark.of(after or 0))
    latest, shown_at = batch, time.monotonic()
    yield BatchUpdate(told_ends.mark.number, batch=batch)
    while True:
        # What has ended by the first look is among the ends of the second one.
        batch = await services.batches.get(batch_id)
        async for update in _news(services, told_ends, await services.batches.ends(batch_id)):
            shown_at = time.monotonic()
            yield update
        if batch.ended:
            yield BatchUpdate(told_ends.mark.number, batch=batch, is_last=True)
            return
        if batch != latest:
            latest, shown_at = batch, time.monotonic()
            yield BatchUpdate(told_ends.mark.number, batch=batch)
        elif time.monotonic() - shown_at >= idle_s:
            shown_at = time.monotonic()
            yield None
        await asyncio.sleep(min(LOOK_AGAIN_S, idle_s))


async def _news(
    services: Services, told_ends: "Told", ends: Sequence[TaskEnd]
) -> AsyncGenerator[BatchUpdate, None]:
    """The ends that were not told yet, with their tasks."""
    new = [end for end in ends if not told_ends.has(end)]
    for start in range(0, len(new), _AT_ONCE):
        part = new[start : start + _AT_ONCE]
        found = await asyncio.gather(*(_task(services, end.task_id) for end in part))
        for end, task in zip(part, found, strict=True):
            if task is not None and task.status.ended:
                told_ends.add(end)
                yield BatchUpdate(told_ends.mark.number, task=task)


async def _task(services: Services, task_id: UUID) -> Task | None:
    """None for one that was deleted since."""
    try:
        return await services.store.get(task_id)
    except UnknownTask:
        return None


@dataclass(slots=True)
class Told:
    """The ends that a watcher knows of."""

    began_at: datetime
    mark: EndMark = field(default_factory=EndMark)
    ends: dict[UUID, datetime] = field(default_factory=dict)

    @classmethod
    def after(cls, batch: TaskBatch, ends: Sequence[TaskEnd], mark: EndMark) -> "Told":
        """What the holder of this mark was told of these ends.

        If the one in that place ended when the mark says, nothing has come between. Else those of the last
        seconds before it may be new.
        """
        told_ends = cls(batch.created_at, mark)
        last_at = batch.created_at + mark.offset
        before = ends[: mark.count]
        if not (before and len(before) == mark.count and before[-1].at == last_at):
            before = [end for end in ends if end.at < last_at - OVERLAP]
        told_ends.ends.update((end.task_id, end.at) for end in before)
        return told_ends

    def has(self, end: TaskEnd) -> bool:
        """Whether this end was told: a task that ran again ends again."""
        return self.ends.get(end.task_id) == end.at

    def add(self, end: TaskEnd) -> None:
        """It is told now."""
        self.ends[end.task_id] = end.at
        offset = max(self.mark.offset, end.at - self.began_at)
        self.mark = EndMark(offset, max(self.mark.count, len(self.ends)))
