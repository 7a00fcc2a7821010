"""The second play: tasks that are bought of three shops, and an audit of what they cost."""

from collections.abc import AsyncIterator, Coroutine, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg

from genpulse.dev.processes.child import Guard
from tests.chaos.facts import books_of
from tests.chaos.killer import Killer
from tests.chaos.money.account_facts import gather
from tests.chaos.money.account_figures import figures_of, tables_of
from tests.chaos.money.account_verdict import audit
from tests.chaos.money.auditor import Auditor
from tests.chaos.money.budgets import Budgets
from tests.chaos.money.buyer import Buyer
from tests.chaos.money.shop_books import Sale
from tests.chaos.plan import Plan
from tests.chaos.play import Audit, Play, Suite
from tests.chaos.stage import Stage, staged

_GIVEN_UP = "SELECT id FROM tasks WHERE status = 'failed' AND error ->> 'charged' = 'maybe' AND provider = 'alpha'"


@dataclass
class BoughtTasks:
    """A buyer whose budgets end, and an auditor who looks at the counters all the time."""

    plan: Plan
    stage: Stage
    buyer: Buyer
    auditor: Auditor

    async def submit(self, numbers: Iterable[int], pace_s: float) -> None:
        await self.buyer.run(numbers, pace_s)

    def beside(self) -> Iterable[Coroutine[Any, Any, None]]:
        return (self.auditor.run(),)

    async def left(self, connection: asyncpg.Connection) -> int:
        """Jobs that are in work at the shops."""
        return (await books_of(self.stage.vendor_url, Sale)).running

    async def after_storm(self) -> None:
        """Ask once more for what was given up where the shop can be asked: it is over by now."""
        connection = await asyncpg.connect(self.stage.postgres.url)
        try:
            rows = await connection.fetch(_GIVEN_UP)
        finally:
            await connection.close()
        await self.buyer.again(str(row["id"]) for row in rows)

    async def audit(self, killer: Killer) -> Audit:
        facts = await gather(self.stage, self.plan.seed)
        figures = figures_of(facts, self.buyer, self.stage)
        return Audit(audit(facts, self.buyer, self.auditor), figures, tables_of(facts))

    def progress(self) -> str:
        return f"{len(self.buyer.ids):,} accepted, {len(self.buyer.refused):,} refused"


@asynccontextmanager
async def _opened(plan: Plan, guard: Guard) -> AsyncIterator[Play]:
    budgets = Budgets(plan.tasks)
    async with staged(plan, guard, budgets.scene) as stage:
        await budgets.make_keys(stage.postgres.url)
        buyer = Buyer(stage.urls, plan.seed, budgets.headers)
        yield BoughtTasks(plan, stage, buyer, Auditor(stage.postgres.url, budgets.by_counter()))


BOUGHT_TASKS = Suite(
    "tests.chaos.money",
    "Whether the ledger is what the shops have in their books, with routes and budgets.",
    _opened,
)
