"""Looks at the counters of budgets again and again, while everything is killed."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal

import asyncpg

from tests.chaos.money.account_facts import COUNTERS
from tests.chaos.observer import AWAY

_EVERY_S = 0.25


class Auditor:
    """Await `run()`. `looks` counts its looks, `over` those at which a budget was passed, by counter."""

    def __init__(self, url: str, limits_usd: Mapping[str, Decimal]) -> None:
        self._url = url
        self._limits_usd = limits_usd
        self.looks = 0
        self.over: Counter[str] = Counter()

    async def run(self) -> None:
        """Until it is cancelled, over all outages."""
        while True:
            with suppress(*AWAY):
                connection = await asyncpg.connect(self._url, timeout=2)
                try:
                    while True:
                        self._look(await connection.fetch(COUNTERS, timeout=5))
                        await asyncio.sleep(_EVERY_S)
                finally:
                    connection.terminate()
            await asyncio.sleep(_EVERY_S)

    def _look(self, rows: list[asyncpg.Record]) -> None:
        self.looks += 1
        usd: Counter[str] = Counter()
        for row in rows:
            usd[row["owner"]] += row["usd"]
        for owner, limit_usd in self._limits_usd.items():
            if usd[owner] > limit_usd:
                self.over[f"{owner or 'all'}: more than {limit_usd} USD"] += 1
