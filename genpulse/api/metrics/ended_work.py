"""Prometheus counters of what has ended."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from genpulse.api.metrics.model_labels import OTHER
from genpulse.domain.failure import FailureCode
from genpulse.domain.search.ended_work import (
    BOUNDS_S,
    Durations,
    EndedAttempts,
    EndedTasks,
    EndedWithin,
    TriedDeliveries,
)
from genpulse.ports import EndedWork

MOST_AT_ONCE = 50_000
"""What one look counts of each kind; more is counted by the next ones."""
_LEAST_AT_ONCE = 1_000
LONGEST_BACK_S = 3600.0
"""How far back the first look goes at most, however long the process ran before anybody asked it."""
_LES = (*map(floatToGoString, BOUNDS_S), "+Inf")
_CODES = frozenset(FailureCode) | {""}
_TASKS, _ATTEMPTS, _DELIVERIES = "tasks", "attempts", "deliveries"

Labels = tuple[str, ...]


@dataclass(slots=True)
class _Buckets:
    counts: list[int] = field(default_factory=lambda: [0] * len(_LES))
    total_s: float = 0.0


class _Histogram:
    """Durations by labels."""

    def __init__(self, name: str, meaning: str, *labels: str) -> None:
        self._about = (name, meaning, labels)
        self._by_labels: dict[Labels, _Buckets] = defaultdict(_Buckets)

    def add(self, labels: Labels, count: int, durations: Durations | None) -> None:
        """`count` more, where it is known how long they took."""
        if durations is not None:
            buckets = self._by_labels[labels]
            buckets.counts[durations.bucket] += count
            buckets.total_s += durations.total_s

    def shown(self) -> HistogramMetricFamily:
        """As Prometheus counts: each bucket with all shorter ones."""
        name, meaning, names = self._about
        family = HistogramMetricFamily(name, meaning, labels=names)
        for labels, buckets in sorted(self._by_labels.items()):
            counts = [sum(buckets.counts[: place + 1]) for place in range(len(_LES))]
            family.add_metric(labels, list(zip(_LES, counts, strict=True)), buckets.total_s)
        return family


class _Count:
    """A counter by labels. Each begins at 0 in the text, or Prometheus would not see its first step."""

    def __init__(self, name: str, meaning: str, *labels: str) -> None:
        self._about = (name, meaning, labels)
        self._by_labels: dict[Labels, float] = defaultdict(float)
        self._begun: set[Labels] = set()

    def add(self, labels: Labels, more: float) -> None:
        """So much more, which may be nothing."""
        self._by_labels[labels] += more

    def shown(self) -> CounterMetricFamily:
        """As it stands."""
        name, meaning, names = self._about
        family = CounterMetricFamily(name, meaning, labels=names)
        for labels, value in sorted(self._by_labels.items()):
            family.add_metric(labels, value if labels in self._begun else 0)
            self._begun.add(labels)
        return family


class EndedWorkFigures(Collector):
    """What has ended since this process began, as far as the last look knows: every process counts the same.

    `label_of` is what a model of a provider is called here. `clock` tells seconds that only grow.
    """

    def __init__(self, label_of: Callable[[str, str], str], clock: Callable[[], float] = time.monotonic) -> None:
        self._label_of = label_of
        self._clock = clock
        self._began_at = clock()
        self._until: dict[str, datetime] = {}
        self._at_once = MOST_AT_ONCE
        self._looks = asyncio.Lock()
        model = ("provider", "model")
        self._tasks = _Count("genpulse_tasks_ended", "Tasks that ended.", *model, "status", "code")
        self._cost = _Count("genpulse_tasks_cost_usd", "US dollars that ended tasks have cost.", *model)
        meaning = "Seconds from when a task was due until it began."
        self._waiting = _Histogram("genpulse_task_waiting_seconds", meaning, *model)
        meaning = "Seconds from when a task began until it ended."
        self._running = _Histogram("genpulse_task_running_seconds", meaning, *model, "status")
        self._attempts = _Count("genpulse_attempts_ended", "Attempts that ended.", *model, "outcome", "code")
        meaning = "Seconds from the order at a vendor until the attempt ended."
        self._vendor = _Histogram("genpulse_attempt_vendor_seconds", meaning, *model, "outcome")
        meaning = "Webhook messages by how their last try went; answer is the class of its status."
        self._deliveries = _Count("genpulse_deliveries_tried", meaning, "outcome", "answer")

    def collect(self) -> Iterable[Metric]:
        """As they stood at the last look."""
        for figure in (self._tasks, self._cost, self._attempts, self._deliveries):
            yield figure.shown()
        for histogram in (self._waiting, self._running, self._vendor):
            yield histogram.shown()
        meaning = "Up to when all that ended is counted, in seconds since 1970."
        family = GaugeMetricFamily("genpulse_ended_counted_until_seconds", meaning, labels=["what"])
        for what, until in self._until.items():
            family.add_metric([what], until.timestamp())
        yield family

    async def look(self, ended: EndedWork, timeout_s: float) -> None:
        """Count what has ended since the last look. Raises `DatabaseUnavailable`, `TimeoutError`.

        What could not be counted by then is counted by the next look.
        """
        try:
            async with asyncio.timeout(timeout_s), self._looks:
                await self._count(ended)
        except TimeoutError:
            self._at_once = max(_LEAST_AT_ONCE, self._at_once // 4)
            raise
        self._at_once = min(MOST_AT_ONCE, self._at_once * 2)

    async def _count(self, ended: EndedWork) -> None:
        settled = await ended.settled_until()
        if not self._until:
            began_at = settled - timedelta(seconds=min(self._clock() - self._began_at, LONGEST_BACK_S))
            self._until = dict.fromkeys((_TASKS, _ATTEMPTS, _DELIVERIES), began_at)
        # Between an answer and its being added nothing is awaited: a look that is broken off counts nothing twice.
        self._add_tasks(await ended.tasks(*self._window(_TASKS, settled)))
        self._add_attempts(await ended.attempts(*self._window(_ATTEMPTS, settled)))
        self._add_deliveries(await ended.deliveries(*self._window(_DELIVERIES, settled)))

    def _window(self, what: str, settled: datetime) -> tuple[datetime, datetime, int]:
        """A clock that was set back is waited for."""
        since = self._until[what]
        return since, max(since, settled), self._at_once

    def _add_tasks(self, ended: EndedWithin[EndedTasks]) -> None:
        self._until[_TASKS] = ended.until
        for row in ended.rows:
            model = self._model(row.provider, row.model)
            self._tasks.add((*model, row.status.value, _code(row.code)), row.count)
            self._cost.add(model, float(row.cost_usd))
            self._waiting.add(model, row.count, row.waiting)
            self._running.add((*model, row.status.value), row.count, row.running)

    def _add_attempts(self, ended: EndedWithin[EndedAttempts]) -> None:
        self._until[_ATTEMPTS] = ended.until
        for row in ended.rows:
            model = self._model(row.provider, row.model)
            self._attempts.add((*model, row.status.value, _code(row.code)), row.count)
            self._vendor.add((*model, row.status.value), row.count, row.vendor)

    def _add_deliveries(self, tried: EndedWithin[TriedDeliveries]) -> None:
        self._until[_DELIVERIES] = tried.until
        for row in tried.rows:
            self._deliveries.add((row.outcome.value, row.answer), row.count)

    def _model(self, provider: str, model: str) -> tuple[str, str]:
        return provider, self._label_of(provider, model)


def _code(code: str) -> str:
    """A newer version may know more of them."""
    return code if code in _CODES else OTHER
