"""Prometheus metrics."""

import asyncio
from collections.abc import Iterable, Mapping
from functools import cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from genpulse.api.component_health import Parts, look
from genpulse.api.ended_work import EndedWorkFigures
from genpulse.api.money_metrics import MoneyCounters
from genpulse.api.server.connections_per_peer import Peers
from genpulse.background.loops import Loops
from genpulse.domain.errors import DatabaseUnavailable
from genpulse.domain.money.allowance import LimitUse, Measure
from genpulse.domain.provider_account.gate import Circuit, CircuitState
from genpulse.domain.search.backlog import Backlog
from genpulse.domain.task import Submitted, TaskStatus
from genpulse.lifecycle.budget_standing import budget_standing
from genpulse.ports import Services, State

SCRAPE_TIMEOUT_S = 1.8
COUNTING = "the count of ended work"

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_UP = {State.OK: 1.0, State.DEGRADED: 0.5, State.DOWN: 0.0}
_OTHER = "other"
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)


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


class Metrics:
    """The figures of one API process, in a registry of their own.

    There may be any number of models that are not among `models`: they are counted as `PROVIDER/other`.
    """

    def __init__(self, loops: Loops, peers: Peers | None = None, models: Iterable[str] = ()) -> None:
        self._models = frozenset(models)
        self._registry = registry = CollectorRegistry()
        registry.register(LoopFailures(loops))
        if peers is not None:
            registry.register(Connections(peers))
        self._ended = EndedWorkFigures(self._models)
        registry.register(self._ended)
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
        gauge = self._gauge
        self._tasks = gauge("genpulse_tasks", "Tasks that have not ended.", "status")
        self._depth = gauge("genpulse_queue_depth", "Queue entries that wait.")
        self._waiting = gauge("genpulse_queue_waiting", "Tasks that wait.", "provider")
        self._overdue = gauge(
            "genpulse_queue_overdue_seconds",
            "For how long the task that is due longest could have been taken by a worker.",
            "provider",
        )
        self._messages = gauge("genpulse_deliveries_waiting", "Webhook messages that wait.")
        self._messages_overdue = gauge(
            "genpulse_deliveries_overdue_seconds",
            "For how long the webhook message that is due longest could have been sent.",
        )
        self._spent = gauge("genpulse_spent_today_usd", "US dollars that today (UTC) has cost, or may still.")
        self._budget = gauge("genpulse_budget_daily_usd", "US dollars that a day may cost; +Inf without a limit.")
        labels = ("scope", "name", "period")
        self._used = gauge(
            "genpulse_budget_used_usd", "US dollars of a budget that are spent or promised.", *labels
        )
        self._limits = gauge("genpulse_budget_limit_usd", "US dollars that a budget allows.", *labels)
        self._circuits = gauge(
            "genpulse_provider_circuit",
            "1 for the state in which a provider's account is, else 0.",
            "provider",
            "state",
        )
        self._in_a_row = gauge(
            "genpulse_provider_failures",
            "Attempts that failed in a row because of a provider's account.",
            "provider",
        )
        self._held_s = gauge(
            "genpulse_provider_hold_seconds",
            "Seconds for which a provider's account is still left alone, by the code of the answer.",
            "provider",
            "code",
        )
        self._held_since = gauge(
            "genpulse_provider_hold_since_seconds",
            "Since when a provider's account is left alone, in seconds since 1970.",
            "provider",
            "code",
        )
        self._at_once = gauge(
            "genpulse_provider_concurrency",
            "How many tasks a provider's account is asked for at once: configured, and learned by its refusals.",
            "provider",
            "kind",
        )
        self._up = gauge("genpulse_database_up", "1 when PostgreSQL answers, else 0.")
        self._parts = gauge(
            "genpulse_part_up",
            "How a part of /readyz is: 1 when it is well, 0.5 when degraded, 0 when down.",
            "part",
        )
        self._workers = gauge("genpulse_workers", "Workers that are seen.")
        self._failing = gauge(
            "genpulse_worker_loop_failing",
            "1 for each loop of a worker that has failed within the last minute.",
            "worker",
            "loop",
        )
        # Looking a figure up by its labels costs more than counting.
        self._figures_of = cache(self._look_up)
        self._submitted_to = cache(self._submitted.labels)
        self._money = MoneyCounters(registry, self._label_of)
        self.watchers = gauge("genpulse_watchers", "Open event streams.")

    def _gauge(self, name: str, meaning: str, *labels: str) -> Gauge:
        return Gauge(name, meaning, labels, registry=self._registry)

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
            self._submitted_to(self._label_of(submitted.task.provider, submitted.task.model)).inc()

    def _label_of(self, provider: str, model: str) -> str:
        return model if model in self._models else f"{provider}/{_OTHER}"

    async def scrape(self, services: Services) -> bytes:
        """Everything as text, within `SCRAPE_TIMEOUT_S` seconds. What cannot be known by then is left out."""
        parts, *_ = await asyncio.gather(
            look(services),
            self._look_at_tasks(services),
            self._look_at_messages_and_money(services),
            self._look_at_circuits(services),
            self._look_at_ended_work(services),
            self._money.look(services.store, SCRAPE_TIMEOUT_S),
        )
        self._show(parts)
        return generate_latest(self._registry)

    async def _look_at_tasks(self, services: Services) -> None:
        try:
            async with asyncio.timeout(SCRAPE_TIMEOUT_S):
                counts, queues = await asyncio.gather(services.store.counts(), services.queue.backlogs())
        except (DatabaseUnavailable, TimeoutError):
            self._up.set(0)
            self._tasks.clear()
            self._waiting.clear()
            self._overdue.clear()
            self._depth.set(float("nan"))
        else:
            self._up.set(1)
            for status in (status for status in TaskStatus if not status.ended):
                self._tasks.labels(status.value).set(counts.get(status.value, 0))
            self._depth.set(sum(backlog.count for backlog in queues.values()))
            self._queues({**dict.fromkeys(services.catalogue.providers(), Backlog()), **queues})

    def _queues(self, backlogs: Mapping[str, Backlog]) -> None:
        self._waiting.clear()
        self._overdue.clear()
        for provider, backlog in backlogs.items():
            self._waiting.labels(provider).set(backlog.count)
            self._overdue.labels(provider).set(backlog.overdue_s)

    async def _look_at_messages_and_money(self, services: Services) -> None:
        try:
            async with asyncio.timeout(SCRAPE_TIMEOUT_S):
                messages, spent_usd, standing = await asyncio.gather(
                    services.deliveries.backlog(), services.store.spent_usd(), budget_standing(services)
                )
        except (DatabaseUnavailable, TimeoutError):
            for figure in (self._messages, self._messages_overdue, self._spent):
                figure.set(float("nan"))
            self._budgets(())
            return
        self._budgets(standing.uses)
        self._messages.set(messages.count)
        self._messages_overdue.set(messages.overdue_s)
        self._spent.set(float(spent_usd))
        daily_usd = services.spending.daily_usd
        self._budget.set(float("inf") if daily_usd is None else float(daily_usd))

    async def _look_at_ended_work(self, services: Services) -> None:
        """What has ended while the database is away is counted when it is there again."""
        try:
            await self._ended.look(services.ended_work, SCRAPE_TIMEOUT_S)
        except (DatabaseUnavailable, TimeoutError):
            return
        except Exception:  # noqa: BLE001 - as where the tables are those of an older version: the rest is still shown
            services.loops.failed(COUNTING)

    def _budgets(self, uses: Iterable[LimitUse]) -> None:
        """Those of US dollars: nobody is told of the others but who meets them."""
        self._used.clear()
        self._limits.clear()
        for use in uses:
            if use.measure is Measure.USD and use.period is not None:
                labels = (use.scope.kind.value, use.scope.name, use.period.value)
                self._used.labels(*labels).set(float(use.used))
                self._limits.labels(*labels).set(float(use.limit))

    async def _look_at_circuits(self, services: Services) -> None:
        guarded = [name for name in services.catalogue.providers() if services.gate.guards(name)]
        try:
            async with asyncio.timeout(SCRAPE_TIMEOUT_S):
                circuits = await asyncio.gather(*map(services.gate.circuit, guarded))
        except TimeoutError:
            self._circuits.clear()
            self._in_a_row.clear()
            circuits = []
        self._held_s.clear()
        self._held_since.clear()
        self._at_once.clear()
        for provider in services.catalogue.providers():
            if (configured := services.gate.limits(provider).concurrency) is not None:
                self._at_once.labels(provider, "configured").set(configured)
        for provider, circuit in zip(guarded, circuits, strict=False):
            self._circuit(provider, circuit, services.now().timestamp())

    def _circuit(self, provider: str, circuit: Circuit, now: float) -> None:
        for state in CircuitState:
            self._circuits.labels(provider, state.value).set(circuit.state is state)
        self._in_a_row.labels(provider).set(circuit.failures)
        if circuit.learned is not None:
            self._at_once.labels(provider, "learned").set(circuit.learned.concurrency)
        if (hold := circuit.hold) is None:
            return
        self._held_s.labels(provider, hold.code).set(hold.left_s or 0.0)
        if hold.since_s is not None:
            self._held_since.labels(provider, hold.code).set(now - hold.since_s)

    def _show(self, parts: Parts) -> None:
        self._parts.clear()
        for health in parts.healths:
            self._parts.labels(health.name).set(_UP[health.state])
        self._workers.set(len(parts.workers))
        self._failing.clear()
        for worker in parts.workers:
            for loop in worker.failing:
                self._failing.labels(worker.name, loop).set(1)
