"""What is counted, for Prometheus."""

import asyncio
from functools import cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import generate_latest

from genpulse.domain.errors import DatabaseUnavailable
from genpulse.domain.gate import Circuit, CircuitState
from genpulse.domain.task import Submitted, TaskStatus
from genpulse.ports import Services

SCRAPE_TIMEOUT_S = 2.0

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)


class Metrics:
    """The figures of one API process, in a registry of their own."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self._requests = Counter(
            "genpulse_http_requests", "HTTP requests.", ("route", "method", "status"), registry=registry
        )
        self._seconds = Histogram(
            "genpulse_http_response_start_seconds",
            "Seconds until the response began.",
            ("route", "method"),
            buckets=_BUCKETS,
            registry=registry,
        )
        self._submitted = Counter(
            "genpulse_tasks_submitted", "Tasks that were accepted.", ("model",), registry=registry
        )
        self._tasks = Gauge("genpulse_tasks", "Tasks that have not ended.", ("status",), registry=registry)
        self._depth = Gauge("genpulse_queue_depth", "Queue entries that wait.", registry=registry)
        self._circuits = Gauge(
            "genpulse_provider_circuit",
            "1 for the state in which a provider's account is, else 0.",
            ("provider", "state"),
            registry=registry,
        )
        self._up = Gauge("genpulse_database_up", "1 when PostgreSQL answers, else 0.", registry=registry)
        # Looking a figure up by its labels costs more than counting.
        self._figures_of = cache(self._look_up)
        self._submitted_to = cache(self._submitted.labels)
        self.watchers = Gauge("genpulse_watchers", "Open event streams.", registry=registry)

    def request(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count a request; `seconds` is the time until its response began."""
        counter, histogram = self._figures_of(route, method if method in _METHODS else "other", status)
        counter.inc()
        histogram.observe(seconds)

    def _look_up(self, route: str, method: str, status: int) -> tuple[Counter, Histogram]:
        return self._requests.labels(route, method, str(status)), self._seconds.labels(route, method)

    def submitted(self, submitted: Submitted) -> None:
        """Count a task, unless it was there before."""
        if not submitted.replayed:
            self._submitted_to(submitted.task.model).inc()

    def _circuit(self, provider: str, circuit: Circuit) -> None:
        for state in CircuitState:
            self._circuits.labels(provider, state.value).set(circuit.state is state)

    async def scrape(self, services: Services) -> bytes:
        """Everything as text. Figures that PostgreSQL knows are left out while it is away."""
        try:
            async with asyncio.timeout(SCRAPE_TIMEOUT_S):
                counts, depth = await asyncio.gather(services.store.counts(), services.queue.depth())
        except (DatabaseUnavailable, TimeoutError):
            self._up.set(0)
            self._tasks.clear()
            self._depth.set(float("nan"))
        else:
            self._up.set(1)
            for status in (status for status in TaskStatus if not status.ended):
                self._tasks.labels(status.value).set(counts.get(status.value, 0))
            self._depth.set(depth)
        for provider in services.catalogue.providers():
            if services.gate.guards(provider):
                self._circuit(provider, await services.gate.circuit(provider))
        return generate_latest(self._registry)
