"""Money as counters for Prometheus."""

import asyncio
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter

from genpulse.domain.errors import DatabaseUnavailable
from genpulse.domain.money.ledger import MoneyFlows
from genpulse.ports import TaskStore


class MoneyCounters:
    """What came into the ledger since the first look of this process, of all processes together.

    `label_of` is what a model of a provider is called here: there may be any number of models.
    """

    def __init__(self, registry: CollectorRegistry, label_of: Callable[[str, str], str]) -> None:
        self._label_of = label_of
        self._mark: int | None = None
        self._look = asyncio.Lock()
        self._usd = Counter(
            "genpulse_money_usd",
            "US dollars that were reserved, settled, released and refunded, by all processes together.",
            ("entry", "provider", "model"),
            registry=registry,
        )

    async def look(self, store: TaskStore, timeout_s: float) -> None:
        """Count what is new, each entry once; nothing where the database does not answer in time."""
        try:
            async with asyncio.timeout(timeout_s), self._look:
                self._count(await store.money_flows(self._mark))
        except (DatabaseUnavailable, TimeoutError):
            return

    def _count(self, money_flows: MoneyFlows) -> None:
        self._mark = money_flows.mark
        for flow in money_flows.flows:
            model = self._label_of(flow.provider, flow.model)
            self._usd.labels(flow.kind.value, flow.provider, model).inc(float(flow.amount_usd))
