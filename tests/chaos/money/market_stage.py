"""The installation of the money suite: routes over the shops, and budgets of which some end early."""

import os
import subprocess
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from genpulse.adapters.database.keys.api_keys import PostgresKeys
from genpulse.adapters.postgresql.connections import open_pool
from genpulse.domain.keys.api_key import KeyLimits
from tests.api_keys import added
from tests.chaos.money.market import ROUTES, Owner, Shop
from tests.chaos.stage import ROOT, Stage

_PLUG_IN = Path(__file__).parent / "plug_in"
_ENOUGH_USD = Decimal(1)
"""A task costs less, so that this times the number of all tasks is never spent."""


class Limits:
    """How much may be spent when there are so many tasks, in US dollars.

    That of the limited keys and of the last shop is less than their tasks cost together.
    """

    def __init__(self, tasks: int) -> None:
        enough_usd = _ENOUGH_USD * tasks
        self.of_all_usd = enough_usd
        self.providers_usd = {
            Shop.ALPHA: enough_usd,
            Shop.BETA: enough_usd,
            Shop.GAMMA: Decimal("0.02") * tasks,
        }
        self.keys = {
            Owner.RICH: KeyLimits(),
            Owner.CALM: KeyLimits(daily_usd=enough_usd, monthly_usd=enough_usd),
            Owner.BY_DAY: KeyLimits(daily_usd=Decimal("0.007") * tasks),
            Owner.BY_MONTH: KeyLimits(monthly_usd=Decimal("0.007") * tasks),
        }

    def by_counter(self, keys: Mapping[Owner, str]) -> Mapping[str, Decimal]:
        """What the counter of this name may come to at most, be it of a day or of a month."""
        of_keys = {keys[owner]: limits.daily_usd or limits.monthly_usd for owner, limits in self.keys.items()}
        limits = {"": self.of_all_usd} | {f"provider:{shop}": usd for shop, usd in self.providers_usd.items()}
        return limits | {key: usd for key, usd in of_keys.items() if usd is not None}


class MarketStage(Stage):
    """One installation, and the shops. `keys` are the ids of the keys, `headers` what a call with each has."""

    def __init__(self, *arguments: Any, limits: Limits) -> None:
        self.limits = limits
        self.keys: dict[Owner, str] = {}
        self.headers: dict[Owner, dict[str, str]] = {}
        super().__init__(*arguments)

    def _run_vendor(self, seed: int) -> "subprocess.Popen[bytes]":
        self.environment |= {
            "PYTHONPATH": f"{_PLUG_IN}{os.pathsep}{ROOT}",
            "GENPULSE_BUDGET__DAILY_USD": str(self.limits.of_all_usd),
            "GENPULSE_BUDGET__MONTHLY_USD": str(self.limits.of_all_usd),
        }
        for shop, usd in self.limits.providers_usd.items():
            name = f"GENPULSE_PROVIDERS__{shop.upper()}"
            self.environment |= {
                f"{name}__BASE_URL": f"{self.vendor_url}/{shop}",
                f"{name}__DAILY_USD": str(usd),
            }
        for route, settings in ROUTES.items():
            for key, value in ({"kind": "text-to-image"} | dict(settings)).items():
                self.environment[f"GENPULSE_ROUTES__{route.upper()}__{key.upper()}"] = value
        for name in [name for name in self.environment if "CHAOS" in name or "NARROW" in name]:
            del self.environment[name]
        arguments = ["-m", "tests.chaos.money.shops", self.vendor_url.rpartition(":")[2], str(seed)]
        return self._guarded(arguments, ROOT, {"PATH": os.defpath, "PYTHONPATH": str(ROOT)}, "vendor.log")

    async def make_keys(self) -> None:
        """One for each owner."""
        pool = await open_pool(self.postgres.url, size=1, application_name="chaos")
        try:
            for owner, limits in self.limits.keys.items():
                key, self.headers[owner] = await added(PostgresKeys(pool), name=str(owner), limits=limits)
                self.keys[owner] = str(key.id)
        finally:
            await pool.close()
