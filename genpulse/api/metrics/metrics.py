"""Prometheus metrics."""

import asyncio
from collections.abc import Iterable
from functools import cache

from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.exposition import generate_latest
from prometheus_client.openmetrics import exposition as openmetrics

from genpulse.api.metrics.accounts import AccountFigures
from genpulse.api.metrics.budgets import BudgetFigures
from genpulse.api.metrics.ended_work import EndedWorkFigures
from genpulse.api.metrics.model_labels import ModelLabels
from genpulse.api.metrics.money import MoneyCounters
from genpulse.api.metrics.parts import PartFigures
from genpulse.api.metrics.process import Connections, LoopFailures, RequestFigures
from genpulse.api.metrics.waiting import MessageFigures, TaskFigures
from genpulse.api.server.connections_per_peer import Peers
from genpulse.background.loops import Loops
from genpulse.domain.errors import DatabaseUnavailable
from genpulse.domain.task import Submitted
from genpulse.ports import Services

SCRAPE_TIMEOUT_S = 1.8
COUNTING = "the count of ended work"


class Metrics:
    """The figures of one API process, in a registry of their own; those of `models` by name."""

    def __init__(self, loops: Loops, peers: Peers | None = None, models: Iterable[str] = ()) -> None:
        self._label_of = ModelLabels(models).of
        self._registry = registry = CollectorRegistry()
        registry.register(LoopFailures(loops))
        if peers is not None:
            registry.register(Connections(peers))
        self._ended = EndedWorkFigures(self._label_of)
        registry.register(self._ended)
        self.request = RequestFigures(registry).add
        submitted = Counter("genpulse_tasks_submitted", "Tasks that were accepted.", ("model",), registry=registry)
        self._submitted_to = cache(submitted.labels)
        self._asked = (
            TaskFigures(registry),
            MessageFigures(registry),
            BudgetFigures(registry),
            AccountFigures(registry),
        )
        self._parts = PartFigures(registry)
        self._money = MoneyCounters(registry, self._label_of)
        self.watchers = Gauge("genpulse_watchers", "Open event streams.", registry=registry)

    def submitted(self, submitted: Submitted) -> None:
        """Count a task, unless it was there before."""
        if not submitted.replayed:
            self._submitted_to(self._label_of(submitted.task.provider, submitted.task.model)).inc()

    async def scrape(self, services: Services, *, with_exemplars: bool = False) -> bytes:
        """Everything as text, within `SCRAPE_TIMEOUT_S` seconds. What cannot be known by then is left out.

        `with_exemplars`: in the text of OpenMetrics, which has a place for them.
        """
        await asyncio.gather(
            self._parts.look(services),
            *(figures.look(services, SCRAPE_TIMEOUT_S) for figures in self._asked),
            self._look_at_ended_work(services),
            self._money.look(services.store, SCRAPE_TIMEOUT_S),
        )
        if not with_exemplars:
            return generate_latest(self._registry)
        text: bytes = openmetrics.generate_latest(self._registry)  # type: ignore[no-untyped-call]
        return text

    async def _look_at_ended_work(self, services: Services) -> None:
        """What has ended while the database is away is counted when it is there again."""
        try:
            await self._ended.look(services.ended_work, SCRAPE_TIMEOUT_S)
        except (DatabaseUnavailable, TimeoutError):
            return
        except Exception:  # noqa: BLE001 - as where the tables are those of an older version: the rest is still shown
            services.loops.failed(COUNTING)
