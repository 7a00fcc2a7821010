"""Messages about tasks, inside this process."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from genpulse.domain.errors import UnknownDelivery
from genpulse.domain.search.backlog import Backlog
from genpulse.domain.search.failing_receiver import COUNTED_AT_MOST, FailingReceiver
from genpulse.domain.submission.webhook_choice import USUAL, WebhookEvent
from genpulse.domain.task import Task, TaskStatus
from genpulse.domain.text.storable import storable_line
from genpulse.domain.webhook_delivery import (
    GIVE_UP_AFTER,
    PROGRESS_LASTS,
    PROGRESSED,
    STARTED,
    Answer,
    Delivery,
    Unreadable,
    origin_of,
)

_PROGRESS_APART = timedelta(milliseconds=500)


class MemoryDeliveries:
    """Implements `DeliveryStore`. The store of tasks notes in it how each one begins, goes on and ends.

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
        choice = task.webhook_choice or USUAL
        if task.finished_at is not None and choice.wants_end(succeeded=task.status is TaskStatus.SUCCEEDED):
            self._note(task, f"task.{task.status}", task.finished_at, GIVE_UP_AFTER)

    def note_start(self, task: Task) -> None:
        """The first attempt of a task has begun."""
        if task.started_at is not None and WebhookEvent.START in (task.webhook_choice or USUAL).events:
            self._note(task, STARTED, task.started_at, GIVE_UP_AFTER)

    def note_progress(self, task: Task) -> None:
        """A task has come further. While one message about that waits, there is no other."""
        if WebhookEvent.PROGRESS not in (task.webhook_choice or USUAL).events:
            return
        now = self._clock()
        told = [one for one, of in self._noted.values() if of.id == task.id and one.type == PROGRESSED]
        if not any(one.next_try_at or one.created_at > now - _PROGRESS_APART for one in told):
            self._note(task, PROGRESSED, now, PROGRESS_LASTS)

    def _note(self, task: Task, kind: str, since: datetime, lasts: timedelta) -> None:
        if task.webhook_url is None:
            return
        now = self._clock()
        untried = [one.id for one, of in self._noted.values() if of.id == task.id and _is_untried(one)]
        delivery = Delivery(
            id=uuid4(),
            task_id=task.id,
            type=kind,
            url=task.webhook_url,
            created_at=since,
            next_try_at=now,
            given_until=now + lasts,
            origin=origin_of(task.webhook_url),
            environment=task.environment,
            form=task.webhook_choice.form if task.webhook_choice else "",
            follows=untried[-1] if untried and task.webhook_choice else None,
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
        due_ids = [delivery_id for _, _, delivery_id in sorted(ranked)[: max(limit, 0)]]
        for delivery_id in due_ids:
            self._change(delivery_id, next_try_at=now + timedelta(seconds=held_s))
        return tuple(self._noted[delivery_id] for delivery_id in due_ids)

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
            and not self._has_to_wait(delivery)
        ]
        return sorted(waiting, key=lambda pair: (pair[0], pair[1].id))

    def _has_to_wait(self, delivery: Delivery) -> bool:
        """Whether the one that it follows was not tried yet."""
        return delivery.follows in self._noted and _is_untried(self._noted[delivery.follows][0])

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
                request_excerpt=answer.request_excerpt,
                answer_excerpt=answer.answer_excerpt,
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
            request_excerpt=answer.request_excerpt,
            answer_excerpt=answer.answer_excerpt,
        )
        return next_try_at

    async def leave(self, delivery_id: UUID, again_in_s: float, why: str) -> None:
        """Somebody else may be able to send it."""
        delivery = self._noted[delivery_id][0] if delivery_id in self._noted else None
        if delivery is None or delivery.delivered_at is not None:
            return
        later = self._later(delivery, again_in_s)
        self._change(delivery_id, next_try_at=later, error=storable_line(why))
        if later is None:
            self._tried_at[delivery_id] = self._clock()

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
            if each.delivered_at is None
            and each.tries
            and each.type not in {STARTED, PROGRESSED}
            and self._environment in {None, each.environment}
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


def _is_untried(delivery: Delivery) -> bool:
    return delivery.next_try_at is not None and delivery.tries == 0
