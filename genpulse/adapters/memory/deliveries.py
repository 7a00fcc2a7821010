"""Messages about ended tasks, inside this process."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from genpulse.domain.delivery import Answer, Delivery
from genpulse.domain.errors import UnknownDelivery
from genpulse.domain.task import Task


class MemoryDeliveries:
    """Implements `DeliveryStore`. The store of tasks notes in it how each one ended."""

    def __init__(self) -> None:
        self._noted: dict[UUID, tuple[Delivery, Task]] = {}

    def note(self, task: Task) -> None:
        """A task has ended; if somebody wants to know, there is a message now."""
        if task.webhook_url is None or task.finished_at is None:
            return
        delivery = Delivery(
            id=uuid4(),
            task_id=task.id,
            type=f"task.{task.status}",
            url=task.webhook_url,
            created_at=task.finished_at,
            next_try_at=task.finished_at,
        )
        self._noted[delivery.id] = (delivery, task)

    async def due(self, now: datetime, limit: int, held_s: float) -> tuple[tuple[Delivery, Task], ...]:
        """Take what is due, so that nobody else sends it for `held_s` seconds."""
        waiting = [pair for pair in self._noted.values() if pair[0].next_try_at and pair[0].next_try_at <= now]
        for delivery, _ in waiting[:limit]:
            self._change(delivery.id, next_try_at=now + timedelta(seconds=held_s))
        return tuple(self._noted[delivery.id] for delivery, _ in waiting[:limit])

    async def taken(self, delivery_id: UUID, answer: Answer, now: datetime) -> None:
        """It was received."""
        self._change(
            delivery_id,
            tries=self._noted[delivery_id][0].tries + 1,
            status_code=answer.status_code,
            error="",
            next_try_at=None,
            delivered_at=now,
        )

    async def not_taken(self, delivery_id: UUID, answer: Answer, next_try_at: datetime | None) -> None:
        """It was not received; without another try it is given up."""
        known = self._noted[delivery_id][0]
        if known.delivered_at is None:
            self._change(
                delivery_id,
                tries=known.tries + 1,
                status_code=answer.status_code,
                error=answer.error,
                next_try_at=next_try_at,
            )

    async def of_task(self, task_id: UUID) -> tuple[Delivery, ...]:
        """All about one task, oldest first."""
        return tuple(delivery for delivery, task in self._noted.values() if task.id == task_id)

    async def again(self, task_id: UUID, delivery_id: UUID, now: datetime) -> Delivery:
        """Send it again as soon as possible. Raises `UnknownDelivery`."""
        known = self._noted.get(delivery_id)
        if known is None or known[1].id != task_id:
            raise UnknownDelivery(delivery_id)
        self._change(delivery_id, next_try_at=now, delivered_at=None)
        return self._noted[delivery_id][0]

    def waits(self, task_id: UUID) -> bool:
        """Whether a message about this task is still to be sent."""
        return any(delivery.next_try_at for delivery, task in self._noted.values() if task.id == task_id)

    def drop(self, task_id: UUID) -> int:
        """Forget the messages about this task; returns how many there were."""
        gone = [delivery.id for delivery, task in self._noted.values() if task.id == task_id]
        for delivery_id in gone:
            del self._noted[delivery_id]
        return len(gone)

    def _change(self, delivery_id: UUID, **changes: object) -> None:
        delivery, task = self._noted[delivery_id]
        self._noted[delivery_id] = (replace(delivery, **changes), task)  # type: ignore[arg-type]
