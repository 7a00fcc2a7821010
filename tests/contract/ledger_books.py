"""What has to hold of a ledger, whatever happened."""

from collections import defaultdict
from decimal import Decimal

from genpulse.adapters.database.tasks.rows import entry_of
from genpulse.adapters.memory.tasks.store import MemoryTaskStore
from genpulse.domain.money.ledger import Balance

COUNTED = "SELECT day, owner, usd FROM spending WHERE usd <> 0 AND NOT owner LIKE '%:%'"
"""Those of providers and end customers have a colon."""


async def entries_of(store):
    """All of them, in their order."""
    if isinstance(store, MemoryTaskStore):
        return list(store._ledger.entries.all)
    return [entry_of(row) for row in await store._pool.fetch("SELECT * FROM ledger ORDER BY id")]


async def counted_by_day(store):
    """US dollars by day and owner, as the counters have them."""
    if isinstance(store, MemoryTaskStore):
        return {place: usd for place, usd in store._ledger._usd.items() if usd and ":" not in place[1]}
    return {(row["day"], row["owner"]): row["usd"] for row in await store._pool.fetch(COUNTED)}


async def prices_of(store):
    """What each task may cost that is there, and whether it has ended."""
    if isinstance(store, MemoryTaskStore):
        return {task.id: (task.price_usd or 0, task.status.ended) for task in store.all_tasks()}
    rows = await store._pool.fetch("SELECT id, price_usd, finished_at FROM tasks")
    return {row["id"]: (row["price_usd"] or 0, row["finished_at"] is not None) for row in rows}


async def check_ledger(store):
    """Each task's entries add up, nothing is negative, and the counters are what the entries of a day say."""
    by_task, by_day = defaultdict(list), defaultdict(Decimal)
    for entry in await entries_of(store):
        by_task[entry.task_id].append(entry)
        for owner in {"", entry.owner}:
            by_day[entry.day, owner] += Balance.of([entry]).counted_usd
    for task_id, (price_usd, has_ended) in (await prices_of(store)).items():
        check_balances(by_task[task_id])
        assert Balance.of(by_task[task_id]).open_usd == (0 if has_ended else price_usd)
    assert {place: usd for place, usd in by_day.items() if usd} == await counted_by_day(store)
    assert all(usd >= 0 for usd in by_day.values())


def check_balances(entries):
    """At no moment less than nothing is reserved, or was spent."""
    open_usd = cost_usd = Decimal(0)
    for entry in entries:
        balance = Balance.of([entry])
        open_usd += balance.open_usd
        cost_usd += balance.cost_usd
        assert open_usd >= 0
        assert cost_usd >= 0
