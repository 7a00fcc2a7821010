"""The port of live events."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol
from uuid import UUID

from genpulse.domain.event import TaskEvent


class Subscription(Protocol):
    """The events of one task, as they come."""

    async def next(self, timeout_s: float) -> TaskEvent | None:
        """The next event, or None after `timeout_s` seconds."""

    def unread(self) -> Sequence[TaskEvent]:
        """What has come and was not taken yet, all of it at once; nothing is waited for."""


class EventBus(Protocol):
    """Carries events from workers to those who watch. What it loses can be read from the row."""

    def publish(self, event: TaskEvent) -> None:
        """Send soon, without waiting; dropped while the bus is away."""

    def subscribe(self, task_id: UUID) -> AbstractAsyncContextManager[Subscription]:
        """Listen from now on. Never fails: while the bus is away there are just no events."""
