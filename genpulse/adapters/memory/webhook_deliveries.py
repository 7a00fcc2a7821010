"""Messages about ended tasks, inside this process."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from genpulse.domain.errors import UnknownDelivery
from genpulse.domain.search.backlog import Backlog
from genpulse.domain.search.failing_receiver import COUNTED_AT_MOST, FailingReceiver
from genpulse.domain.task import Task
from genpulse.domain.text.storable import storable_line
from genpulse.domain.webhook_delivery import GIVE_UP_AFTER, Answer, Delivery, Unreadable, origin_of


class MemoryDeliveries:
    """Implements `DeliveryStore`. The store of tasks notes in it how each one ended.

    `clock` is this store's now. None takes the messages of all environments.
    """

    def __init__(
        self, environment: str | None = None, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._noted: dict[UUID, tuple[Delivery, Task]] = {}
        self._tried_at: dict[UUID, datetime] = {}
        self._environment = environment
        self._clock = clock

    def note(self, task: Task) -> None:
        """A task has ended; if somebody wants to know, there is a message now."""
        if task.webhook_url is None or task.finished_at is None:
            return
        now = self._clock()
        delivery = Delivery(
            id=uuid4(),
            task_id=task.id,
            type=f"task.{task.status}",
            url=task.webhook_url,
            created_at=task.finished_at,
            next_try_at=now,
            given_until=now + GIVE_UP_AFTER,
            origin=origin_of(task.webhook_url),
            environment=task.environment,
        )
        self._noted[delivery.id] = (delivery, task)

    async def due(
        self, limit: int, held_s: float, *, per_origin: int, room: Mapping[str, int]
    ) -> tuple[tuple[Delivery, Task | Unreadable], ...]:
        """Take what is due, so that nobody else sends it for `held_s` seconds."""
        now = self._clock()
        place: Counter[str] = Counter()
        ranked: list[tuple[int, datetime, UUID]] = []
        for at, delivery in self._waiting(now):
            place[delivery.origin] += 1
            if place[delivery.origin] <= room.get(delivery.origin, per_origin):
                ranked.append((place[delivery.origin], at, delivery.id))
        chosen = [delivery_id for _, _, delivery_id in sorted(ranked)[: max(limit, 0)]]
        for delivery_id in chosen:
            self._change(delivery_id, next_try_at=now + timedelta(seconds=held_s))
        return tuple(self._noted[delivery_id] for delivery_id in chosen)

    async def backlog(self) -> Backlog:
        """The messages that will be sent, once or again."""
        ours = [each for each, _ in self._noted.values() if self._environment in {None, each.environment}]
        moments = [each.next_try_at for each in ours if each.next_try_at]
        overdue_s = (self._clock() - min(moments)).total_seconds() if moments else 0.0
        return Backlog(len(moments), max(0.0, overdue_s))

    def _waiting(self, now: datetime) -> list[tuple[datetime, Delivery]]:
        """What is due, longest first."""
        waiting = [
            (delivery.next_try_at, delivery)
            for delivery, _ in self._noted.values()
            if delivery.next_try_at
            and delivery.next_try_at <= now
            and self._environment in {None, delivery.environment}
        ]
        return sorted(waiting, key=lambda pair: (pair[0], pair[1].id))

    async def taken(self, delivery_id: UUID, answer: Answer) -> None:
        """It was received."""
        if delivery_id in self._noted:
            self._tried_at[delivery_id] = self._clock()
            self._change(
                delivery_id,
                tries=self._noted[delivery_id][0].tries + 1,
                status_code=answer.status_code,
                error="",
                next_try_at=None,
                delivered_at=self._clock(),
            )

    async def not_taken(self, delivery_id: UUID, answer: Answer, again_in_s: float | None) -> datetime | None:
        """It was not received; without another try it is given up."""
        if delivery_id not in self._noted:
            return None
        delivery = self._noted[delivery_id][0]
        if delivery.delivered_at is not None:
            return None
        next_try_at = None if again_in_s is None else self._later(delivery, again_in_s)
        self._tried_at[delivery_id] = self._clock()
        self._change(
            delivery_id,
            tries=delivery.tries + 1,
            status_code=answer.status_code,
            error=answer.error,
            next_try_at=next_try_at,
        )
        return next_try_at

    async def put_off(self, origin: str, again_in_s: float, why: str) -> int:
        """All messages to a silent origin that are due wait."""
        waiting = [delivery for _, delivery in self._waiting(self._clock()) if delivery.origin == origin]
        for delivery in waiting:
            later = self._later(delivery, again_in_s)
            self._change(delivery.id, next_try_at=later, error=delivery.error if later else storable_line(why))
            if later is None:
                self._tried_at[delivery.id] = self._clock()
        return len(waiting)

    def _later(self, delivery: Delivery, again_in_s: float) -> datetime | None:
        """In so many seconds, or when its time is over; None when that is past."""
        now, until = self._clock(), delivery.given_until
        if until is None or until <= now:
            return None
        return min(until, now + timedelta(seconds=again_in_s))

    async def of_task(self, task_id: UUID) -> tuple[Delivery, ...]:
        """All about one task, oldest first."""
        return tuple(delivery for delivery, task in self._noted.values() if task.id == task_id)

    async def again(self, task_id: UUID, delivery_id: UUID) -> Delivery:
        """Send it as soon as possible and for a whole day. Raises `UnknownDelivery`."""
        entry = self._noted.get(delivery_id)
        if entry is None or entry[1].id != task_id:
            raise UnknownDelivery(delivery_id)
        now = self._clock()
        self._change(delivery_id, next_try_at=now, delivered_at=None, given_until=now + GIVE_UP_AFTER)
        return self._noted[delivery_id][0]

    async def failing(self, limit: int) -> tuple[FailingReceiver, ...]:
        """Receivers that do not take messages, by their origins in order."""
        origins = sorted({each.origin for each in self._failing()})
        return tuple(self._receiver(origin) for origin in origins[:limit])

    def _receiver(self, origin: str) -> FailingReceiver:
        newest = [each for each in self._failing() if each.origin == origin][:COUNTED_AT_MOST]
        waiting = sum(each.next_try_at is not None for each in newest)
        first, last = newest[0], newest[-1]
        return FailingReceiver(
            origin, waiting, len(newest) - waiting, last.created_at, first.status_code, first.error
        )

    async def failing_at(self, origin: str, limit: int) -> tuple[Delivery, ...]:
        """Messages to an origin that were sent and not received, newest first."""
        return tuple([each for each in self._failing() if each.origin == origin][:limit])

    async def send_again(self, origin: str, limit: int) -> int:
        """Send those again that were given up, the oldest first."""
        given_up = [each for each in reversed(self._failing()) if each.origin == origin and not each.next_try_at]
        now = self._clock()
        for each in given_up[:limit]:
            self._change(each.id, next_try_at=now, given_until=now + GIVE_UP_AFTER)
        return len(given_up[:limit])

    def _failing(self) -> list[Delivery]:
        """What was sent and not received, newest first."""
        failing = [
            each
            for each, _ in self._noted.values()
            if each.delivered_at is None and each.tries and self._environment in {None, each.environment}
        ]
        return sorted(failing, key=lambda each: each.created_at, reverse=True)

    def tried(self) -> list[tuple[datetime, Delivery]]:
        """When each message was tried last, or was given up."""
        ours = [each for each, _ in self._noted.values() if self._environment in {None, each.environment}]
        return [(self._tried_at[each.id], each) for each in ours if each.id in self._tried_at]

    def waits(self, task_id: UUID) -> bool:
        """Whether a message about this task is still to be sent."""
        return any(delivery.next_try_at for delivery, task in self._noted.values() if task.id == task_id)

    def drop(self, task_id: UUID) -> int:
        """Forget the messages about this task; returns how many there were."""
        ids = [delivery.id for delivery, task in self._noted.values() if task.id == task_id]
        for delivery_id in ids:
            del self._noted[delivery_id]
            self._tried_at.pop(delivery_id, None)
        return len(ids)

    def _change(self, delivery_id: UUID, **changes: object) -> None:
        delivery, task = self._noted[delivery_id]
        self._noted[delivery_id] = (replace(delivery, **changes), task)  # type: ignore[arg-type]
