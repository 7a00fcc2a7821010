"""Watching a task: its row and its live events as one stream."""

import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from uuid import UUID

from genpulse.domain.errors import UnknownTask
from genpulse.domain.task import Task
from genpulse.ports import Services, Subscription

LOOK_AGAIN_S = 2.0
"""The row is read this often at least, so that a lost event delays the end and never hides it."""


@dataclass(frozen=True, slots=True)
class Update:
    """One update for a watcher: the whole task, or only its progress (0.0 to 1.0)."""

    seq: int
    task: Task | None = None
    progress: float | None = None
    message: str | None = None


async def watch(
    services: Services, task_id: UUID, *, after: int | None = None, idle_s: float = 15.0
) -> AsyncGenerator[Update | None, None]:
    """Yield the task as it is, then each change with a number higher than `after`, until the task has ended.

    So it does, without a further word, when the task is deleted. Yields None when nothing happened for `idle_s`
    seconds. Raises `UnknownTask`, `DatabaseUnavailable`.
    """
    async with services.events.subscribe(task_id) as subscription:
        last_seq = -1 if after is None else after
        yielded_at = time.monotonic()
        task: Task | None = await services.store.get(task_id)
        while True:
            if task is not None and (task.seq > last_seq or (task.status.ended and task.seq != last_seq)):
                last_seq, yielded_at = task.seq, time.monotonic()
                yield Update(last_seq, task=task)
            if task is not None and task.status.ended:
                return
            task = None  # a watcher that waits holds no task
            try:
                update, task = await _next(services, subscription, task_id, last_seq, min(LOOK_AGAIN_S, idle_s))
            except UnknownTask:
                return  # it was deleted meanwhile
            if update is not None:
                last_seq, yielded_at = update.seq, time.monotonic()
                yield update
            elif time.monotonic() - yielded_at >= idle_s:
                yielded_at = time.monotonic()
                yield None


async def _next(
    services: Services, subscription: Subscription, task_id: UUID, last_seq: int, timeout_s: float
) -> tuple[Update | None, Task | None]:
    """Either a progress, or the row read again after a change or after `timeout_s` without an event.

    Whoever changed it may have known of fewer changes than the row, whose own number counts.
    """
    event = await subscription.next(timeout_s)
    if event is None or event.progress is None:
        return None, await services.store.get(task_id)
    if event.seq <= last_seq:
        return None, None
    return Update(event.seq, progress=event.progress, message=event.message), None


async def wait(services: Services, task_id: UUID, timeout_s: float) -> Task:
    """The task when it has ended, or as it stands after `timeout_s` seconds.

    Raises `UnknownTask`, `DatabaseUnavailable`.
    """
    ends_at = time.monotonic() + timeout_s
    async with services.events.subscribe(task_id) as subscription:
        task = await services.store.get(task_id)
        while not task.status.ended and (left_s := ends_at - time.monotonic()) > 0:
            event = await subscription.next(min(left_s, LOOK_AGAIN_S))
            if event is None or event.progress is None:
                task = await services.store.get(task_id)
    return task
