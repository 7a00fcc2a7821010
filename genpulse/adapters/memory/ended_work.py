"""The `EndedWork` port inside this process."""

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from genpulse.adapters.memory.tasks.store import MemoryTaskStore
from genpulse.adapters.memory.tasks.sums import cost_of
from genpulse.adapters.memory.webhooks.deliveries import MemoryDeliveries
from genpulse.domain.attempt import Attempt, AttemptStatus
from genpulse.domain.search.ended_work import (
    DeliveryOutcome,
    Durations,
    EndedAttempts,
    EndedTasks,
    EndedWithin,
    TriedDeliveries,
    answer_class,
    bucket_of,
)
from genpulse.domain.task import Task, TaskStatus
from genpulse.domain.webhook_delivery import Delivery, DeliveryState

_OUTCOMES = {
    DeliveryState.TAKEN: DeliveryOutcome.DELIVERED,
    DeliveryState.WAITING: DeliveryOutcome.WILL_BE_RETRIED,
    DeliveryState.GIVEN_UP: DeliveryOutcome.GIVEN_UP,
}
_ANSWERED = {AttemptStatus.SUCCEEDED, AttemptStatus.FAILED}

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class _Measured:
    """A task, and how many seconds it waited and ran, where that is known."""

    task: Task
    waiting_s: float | None
    running_s: float | None


class MemoryEndedWork:
    """Implements `EndedWork` on a store and its messages."""

    def __init__(self, store: MemoryTaskStore, deliveries: MemoryDeliveries) -> None:
        self._store = store
        self._deliveries = deliveries

    async def settled_until(self) -> datetime:
        """Just before now: in this very moment something may still end."""
        return await self._store.now() - timedelta(microseconds=1)

    async def tasks(self, since: datetime, until: datetime, limit: int) -> EndedWithin[EndedTasks]:
        """Tasks that are in an end state."""
        ended = [(task.finished_at, task) for task in self._store.all_tasks()]
        found, until = _first(ended, since, until, limit)
        alike = _alike([(_task_key(one), one) for one in map(self._measured, found)])
        rows = (
            EndedTasks(
                *key[:4],
                count=len(members),
                cost_usd=cost_of([member.task for member in members]),
                waiting=_durations(key[4], [member.waiting_s for member in members]),
                running=_durations(key[5], [member.running_s for member in members]),
            )
            for key, members in alike.items()
        )
        return EndedWithin(tuple(rows), until)

    def _measured(self, task: Task) -> _Measured:
        begun_at, finished_at = self._begun_at(task), task.finished_at
        if begun_at is None or finished_at is None:
            return _Measured(task, None, None)
        due_at = max(at for at in (task.created_at, task.run_at, task.retried_at) if at is not None)
        waiting_s = None if task.depends_on else max(0.0, (begun_at - due_at).total_seconds())
        return _Measured(task, waiting_s, max(0.0, (finished_at - begun_at).total_seconds()))

    def _begun_at(self, task: Task) -> datetime | None:
        if task.retried_at is None:
            return task.started_at
        started = (attempt.started_at for attempt in self._store.all_attempts() if attempt.task_id == task.id)
        return min((at for at in started if at >= task.retried_at), default=None)

    async def attempts(self, since: datetime, until: datetime, limit: int) -> EndedWithin[EndedAttempts]:
        """Attempts, also those of tasks that go on."""
        ended = [(attempt.finished_at, attempt) for attempt in self._store.all_attempts()]
        found, until = _first(ended, since, until, limit)
        alike = _alike([((*_attempt_key(one), _bucket(_vendor_s(one))), one) for one in found])
        rows = (
            EndedAttempts(*key[:4], count=len(members), vendor=_durations(key[4], list(map(_vendor_s, members))))
            for key, members in alike.items()
        )
        return EndedWithin(tuple(rows), until)

    async def deliveries(self, since: datetime, until: datetime, limit: int) -> EndedWithin[TriedDeliveries]:
        """Messages whose last try was then."""
        found, until = _first(self._deliveries.tried(), since, until, limit)
        alike = _alike([(_delivery_key(delivery), delivery) for delivery in found])
        return EndedWithin(tuple(TriedDeliveries(*key, len(members)) for key, members in alike.items()), until)


def _first(
    ended: Sequence[tuple[datetime | None, T]], since: datetime, until: datetime, limit: int
) -> tuple[list[T], datetime]:
    """The first `limit`, with those that ended together with the last of them; and up to when that is all."""
    by_time = sorted(
        [(at, one) for at, one in ended if at is not None and since < at <= until], key=lambda pair: pair[0]
    )
    if len(by_time) >= limit:
        until = by_time[limit - 1][0]
    return [one for at, one in by_time if at <= until], until


def _alike(keyed: Sequence[tuple[K, T]]) -> dict[K, list[T]]:
    alike: dict[K, list[T]] = defaultdict(list)
    for key, one in keyed:
        alike[key].append(one)
    return alike


def _task_key(one: _Measured) -> tuple[str, str, TaskStatus, str, int | None, int | None]:
    task = one.task
    code = task.error.code.value if task.error else ""
    return task.provider, task.model, task.status, code, _bucket(one.waiting_s), _bucket(one.running_s)


def _attempt_key(attempt: Attempt) -> tuple[str, str, AttemptStatus, str]:
    return attempt.provider, attempt.model, attempt.status, attempt.error.code.value if attempt.error else ""


def _delivery_key(delivery: Delivery) -> tuple[DeliveryOutcome, str]:
    return _OUTCOMES[delivery.state], answer_class(delivery.status_code)


def _vendor_s(attempt: Attempt) -> float | None:
    """Seconds from the order to the end, where the vendor has answered."""
    if attempt.submitting_at is None or attempt.finished_at is None or attempt.status not in _ANSWERED:
        return None
    return max(0.0, (attempt.finished_at - attempt.submitting_at).total_seconds())


def _bucket(seconds: float | None) -> int | None:
    return None if seconds is None else bucket_of(seconds)


def _durations(bucket: int | None, seconds: Sequence[float | None]) -> Durations | None:
    return None if bucket is None else Durations(bucket, sum(each or 0.0 for each in seconds))
