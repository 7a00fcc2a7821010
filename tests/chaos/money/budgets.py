"""What may be spent in the money suite: some budgets end before the orders do."""

from collections.abc import Mapping
from decimal import Decimal

from genpulse.adapters.database.keys.api_keys import PostgresKeys
from genpulse.adapters.postgresql.connections import open_pool
from genpulse.domain.keys.api_key import KeyLimits
from tests.api_keys import added
from tests.chaos.money.market import ROUTES, Owner, Shop
from tests.chaos.stage import Scene

_ENOUGH_USD = Decimal(1)
"""A task costs less, so that this times the number of all tasks is never spent."""


class Budgets:
    """How much may be spent when there are so many tasks, in US dollars.

    That of the limited keys and of the last shop is less than their tasks cost together. `keys` are the ids of the
    keys, and `headers` what a call with each has, once they are made.
    """

    def __init__(self, tasks: int) -> None:
        enough_usd = _ENOUGH_USD * tasks
        self.of_all_usd = enough_usd
        self.providers_usd = {
            Shop.ALPHA: enough_usd,
            Shop.BETA: enough_usd,
            Shop.GAMMA: Decimal("0.02") * tasks,
        }
        self.limits = {
            Owner.RICH: KeyLimits(),
            Owner.CALM: KeyLimits(daily_usd=enough_usd, monthly_usd=enough_usd),
            Owner.BY_DAY: KeyLimits(daily_usd=Decimal("0.007") * tasks),
            Owner.BY_MONTH: KeyLimits(monthly_usd=Decimal("0.007") * tasks),
        }
        self.keys: dict[Owner, str] = {}
        self.headers: dict[Owner, dict[str, str]] = {}

    async def make_keys(self, database_url: str) -> None:
        """One for each owner."""
        pool = await open_pool(database_url, size=1, application_name="chaos")
        try:
            for owner, limits in self.limits.items():
                key, self.headers[owner] = await added(PostgresKeys(pool), name=str(owner), limits=limits)
                self.keys[owner] = str(key.id)
        finally:
            await pool.close()

    def by_counter(self) -> Mapping[str, Decimal]:
        """What the counter of this name may come to at most, be it of a day or of a month."""
        of_keys = {self.keys[owner]: one.daily_usd or one.monthly_usd for owner, one in self.limits.items()}
        limits = {"": self.of_all_usd} | {f"provider:{shop}": usd for shop, usd in self.providers_usd.items()}
        return limits | {key: usd for key, usd in of_keys.items() if usd is not None}

    @property
    def scene(self) -> Scene:
        """An installation with these budgets, and with routes over the shops."""
        return Scene("tests.chaos.money.shops", self._settings)

    def _settings(self, vendor_url: str) -> Mapping[str, str]:
        settings = {
            "GENPULSE_BUDGET__DAILY_USD": str(self.of_all_usd),
            "GENPULSE_BUDGET__MONTHLY_USD": str(self.of_all_usd),
        }
        for shop, usd in self.providers_usd.items():
            name = f"GENPULSE_PROVIDERS__{shop.upper()}"
            settings |= {f"{name}__BASE_URL": f"{vendor_url}/{shop}", f"{name}__DAILY_USD": str(usd)}
        for route, words in ROUTES.items():
            for key, value in ({"kind": "text-to-image"} | dict(words)).items():
                settings[f"GENPULSE_ROUTES__{route.upper()}__{key.upper()}"] = value
        return settings
