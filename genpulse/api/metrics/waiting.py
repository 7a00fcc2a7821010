"""Figures of what waits: tasks, and messages to webhooks."""

import asyncio
from functools import partial

from prometheus_client import CollectorRegistry, Gauge

from genpulse.domain.errors import DatabaseUnavailable
from genpulse.domain.search.backlog import Backlog
from genpulse.domain.task import TaskStatus
from genpulse.ports import Services


class TaskFigures:
    """Tasks that have not ended, and how long they wait."""

    def __init__(self, registry: CollectorRegistry) -> None:
        gauge = partial(Gauge, registry=registry)
        self._up = gauge("genpulse_database_up", "1 when PostgreSQL answers, else 0.")
        self._tasks = gauge("genpulse_tasks", "Tasks that have not ended.", ("status",))
        self._depth = gauge("genpulse_queue_depth", "Queue entries that wait.")
        self._waiting = gauge("genpulse_queue_waiting", "Tasks that wait.", ("provider",))
        meaning = "For how long the task that is due longest could have been taken by a worker."
        self._overdue = gauge("genpulse_queue_overdue_seconds", meaning, ("provider",))

    async def look(self, services: Services, timeout_s: float) -> None:
        """What the database says; without an answer in time there are none."""
        try:
            async with asyncio.timeout(timeout_s):
                counts, queues = await asyncio.gather(services.store.counts(), services.queue.backlogs())
        except (DatabaseUnavailable, TimeoutError):
            counts, queues = None, {}
        self._up.set(counts is not None)
        for figure in (self._tasks, self._waiting, self._overdue):
            figure.clear()
        if counts is None:
            self._depth.set(float("nan"))
            return
        for status in (status for status in TaskStatus if not status.ended):
            self._tasks.labels(status.value).set(counts.get(status.value, 0))
        self._depth.set(sum(backlog.count for backlog in queues.values()))
        for provider, backlog in {**dict.fromkeys(services.catalogue.providers(), Backlog()), **queues}.items():
            self._waiting.labels(provider).set(backlog.count)
            self._overdue.labels(provider).set(backlog.overdue_s)


class MessageFigures:
    """Messages that wait, and for how long."""

    def __init__(self, registry: CollectorRegistry) -> None:
        gauge = partial(Gauge, registry=registry)
        self._waiting = gauge("genpulse_deliveries_waiting", "Webhook messages that wait.")
        meaning = "For how long the webhook message that is due longest could have been sent."
        self._overdue = gauge("genpulse_deliveries_overdue_seconds", meaning)

    async def look(self, services: Services, timeout_s: float) -> None:
        """What the database says; without an answer in time no numbers."""
        try:
            async with asyncio.timeout(timeout_s):
                messages = await services.deliveries.backlog()
        except (DatabaseUnavailable, TimeoutError):
            self._waiting.set(float("nan"))
            self._overdue.set(float("nan"))
            return
        self._waiting.set(messages.count)
        self._overdue.set(messages.overdue_s)
