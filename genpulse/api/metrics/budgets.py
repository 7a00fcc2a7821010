"""Figures of budgets."""

import asyncio
from collections.abc import Iterable
from functools import partial

from prometheus_client import CollectorRegistry, Gauge

from genpulse.domain.errors import DatabaseUnavailable
from genpulse.domain.money.allowance import LimitUse, Measure
from genpulse.lifecycle.budgets.standing import budget_standing
from genpulse.ports import Services


class BudgetFigures:
    """What today has cost, and how far each budget is used."""

    def __init__(self, registry: CollectorRegistry) -> None:
        gauge = partial(Gauge, registry=registry)
        self._spent = gauge("genpulse_spent_today_usd", "US dollars that today (UTC) has cost, or may still.")
        self._daily = gauge("genpulse_budget_daily_usd", "US dollars that a day may cost; +Inf without a limit.")
        labels = ("scope", "name", "period")
        meaning = "US dollars of a budget that are spent or promised."
        self._used = gauge("genpulse_budget_used_usd", meaning, labels)
        self._limits = gauge("genpulse_budget_limit_usd", "US dollars that a budget allows.", labels)

    async def look(self, services: Services, timeout_s: float) -> None:
        """What the database says; without an answer in time only what is configured."""
        daily_usd = services.spending.daily_usd
        self._daily.set(float("inf") if daily_usd is None else float(daily_usd))
        try:
            async with asyncio.timeout(timeout_s):
                spent_usd, standing = await asyncio.gather(services.store.spent_usd(), budget_standing(services))
        except (DatabaseUnavailable, TimeoutError):
            self._spent.set(float("nan"))
            self._show(())
            return
        self._spent.set(float(spent_usd))
        self._show(standing.uses)

    def _show(self, uses: Iterable[LimitUse]) -> None:
        """Those of US dollars: nobody is told of the others but who meets them."""
        self._used.clear()
        self._limits.clear()
        for use in uses:
            if use.measure is Measure.USD and use.period is not None:
                labels = (use.scope.kind.value, use.scope.name, use.period.value)
                self._used.labels(*labels).set(float(use.used))
                self._limits.labels(*labels).set(float(use.limit))
