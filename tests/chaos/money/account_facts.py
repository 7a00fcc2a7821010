"""What the ledger, the counters and the shops' books say, as it was when the last task had ended."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import asyncpg

from genpulse.adapters.database.tasks.rows import entry_of
from genpulse.domain.money.ledger import Balance, LedgerEntry
from tests.chaos.books import Books
from tests.chaos.facts import books_of, by_task, code_of
from tests.chaos.money.shop_books import Charge, Sale, charge_of
from tests.chaos.stage import Stage

Place = tuple[date, str]
"""A day, and the name of a counter."""


@dataclass(frozen=True)
class AccountFacts:
    """Everything by task: its row, its entries, and what the shops took for it."""

    tasks: Mapping[str, Mapping[str, Any]]
    entries: Mapping[str, tuple[LedgerEntry, ...]]
    charges: Mapping[str, tuple[Charge, ...]]
    counters: Mapping[Place, Decimal]
    books: Books[Sale]

    def settled_usd(self, task_id: str, shop: str) -> Decimal:
        """What it cost at this shop by the ledger."""
        return Balance.of(one for one in self.entries.get(task_id, ()) if one.provider == shop).cost_usd

    def charged_usd(self, task_id: str, shop: str) -> Decimal:
        """What the shop took for it by its own books."""
        usd = (one.usd for one in self.charges.get(task_id, ()) if one.sale.shop == shop)
        return sum(usd, Decimal(0))

    def code(self, task_id: str) -> str:
        """How it ended."""
        return code_of(self.tasks[task_id])

    def is_doubtful(self, task_id: str) -> bool:
        """Whether nobody knows if it was charged: it says `maybe`, or was canceled with an order that was sent."""
        task = self.tasks[task_id]
        is_maybe = task["error"] is not None and task["error"]["charged"] == "maybe"
        return is_maybe or (task["status"] == "canceled" and task["was_ordered"])


_TASKS = """
SELECT *, (input ->> 'number')::int AS number,
       EXISTS (SELECT FROM attempts WHERE task_id = tasks.id AND submitting_at IS NOT NULL
               AND coalesce(error ->> 'charged', 'maybe') <> 'no') AS was_ordered
FROM tasks
"""
COUNTERS = "SELECT day, owner, usd FROM spending WHERE day > '-infinity' AND usd <> 0"


async def gather(stage: Stage, seed: int) -> AccountFacts:
    """Ask PostgreSQL and the shops."""
    connection = await asyncpg.connect(stage.postgres.url)
    try:
        tasks = await connection.fetch(_TASKS)
        entries = [entry_of(row) for row in await connection.fetch("SELECT * FROM ledger ORDER BY id")]
        counters = await connection.fetch(COUNTERS)
    finally:
        await connection.close()
    books = await books_of(stage.vendor_url, Sale)
    return AccountFacts(
        {str(row["id"]): _task(row) for row in tasks},
        by_task((str(entry.task_id), entry) for entry in entries),
        by_task((sale.task, charge_of(seed, sale)) for sale in books.orders),
        {(row["day"], row["owner"]): row["usd"] for row in counters},
        books,
    )


def _task(row: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**row, **{name: json.loads(row[name] or "null") for name in ("error", "route", "cost")}}
