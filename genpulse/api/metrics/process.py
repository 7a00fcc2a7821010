"""Figures of this process: requests, connections and background loops."""

from collections.abc import Iterable
from functools import cache

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from genpulse.api.server.connections_per_peer import Peers
from genpulse.background.loops import Loops

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)


class RequestFigures:
    """HTTP requests by route, and how soon they are answered."""

    def __init__(self, registry: CollectorRegistry) -> None:
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
        # Looking a figure up by its labels costs more than counting.
        self._figures_of = cache(self._look_up)

    def add(self, route: str, method: str, status: int, seconds: float, trace_id: str = "") -> None:
        """Count a request; `seconds` is the time until its response began. Its trace becomes an exemplar."""
        counter, histogram = self._figures_of(route, method if method in _METHODS else "other", status)
        counter.inc()
        histogram.observe(seconds, {"trace_id": trace_id} if trace_id else None)

    def _look_up(self, route: str, method: str, status: int) -> tuple[Counter, Histogram]:
        return self._requests.labels(route, method, str(status)), self._seconds.labels(route, method)


class LoopFailures(Collector):
    """How often each background loop of this process has failed."""

    def __init__(self, loops: Loops) -> None:
        self._loops = loops

    def collect(self) -> Iterable[CounterMetricFamily]:
        """As they stand now."""
        meaning = "How often a background loop of this process has failed; each went on."
        family = CounterMetricFamily("genpulse_loop_failures", meaning, labels=["loop"])
        for name, count in sorted(self._loops.failures.items()):
            family.add_metric([name], count)
        yield family


class Connections(Collector):
    """How many connections the server has, and how many it closed since there were too many."""

    def __init__(self, peers: Peers) -> None:
        self._peers = peers

    def collect(self) -> Iterable[Metric]:
        """As they stand now."""
        yield GaugeMetricFamily("genpulse_http_connections", "Open connections.", self._peers.open)
        meaning = "Connections that were closed or refused, as their peer or all together had too many."
        closed = CounterMetricFamily("genpulse_http_connections_closed", meaning, labels=["reason"])
        for reason, count in self._peers.closed.items():
            closed.add_metric([reason], count)
        yield closed
