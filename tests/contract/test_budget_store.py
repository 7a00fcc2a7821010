"""Warnings of budgets are kept once a period, and counters go when their period is over."""

import asyncio
from datetime import date, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from genpulse.adapters.database.money.budgets import PostgresBudgets
from genpulse.adapters.memory.money.budgets import MemoryBudgets
from genpulse.adapters.memory.tasks.store import MemoryTaskStore
from genpulse.domain.attempt import Succeeded
from genpulse.domain.keys.api_key import KeyLimits
from genpulse.domain.money.allowance import Period
from genpulse.domain.money.budget_warning import BudgetWarning
from genpulse.domain.money.spending import SpendingLimits
from tests.contract.conftest import new_task

KEY = "0190a1b2-0000-7000-8000-00000000000a"


@pytest.fixture
def budgets(backend):
    store = backend.store
    return MemoryBudgets(store) if isinstance(store, MemoryTaskStore) else PostgresBudgets(store._pool)


def warning(counter="", period=Period.DAY, begins=date(2027, 1, 30)):
    return BudgetWarning(uuid4(), counter, period, begins, f'{{"of": "{counter}"}}')


async def test_of_two_at_once_one_is_new(budgets):
    copies = [warning(counter) for counter in ("", "provider:ü", "", "provider:ü")]
    noted = await asyncio.gather(*(budgets.note([one], tell=True) for one in copies))
    new = [one for each in noted for one in each]
    assert sorted(one.counter for one in new) == ["", "provider:ü"]
    others = [warning(period=Period.MONTH), warning(begins=date(2027, 1, 31)), warning("other"), warning()]
    assert await budgets.note(others, tell=False) == tuple(others[:3])
    assert await budgets.note([], tell=True) == ()
    assert {one.id for one in await budgets.due(9, 60.0)} == {one.id for one in new}


async def test_it_is_due_until_somebody_was_told_and_to_one_at_a_time(budgets):
    first, second = warning("a"), warning("b")
    await budgets.note([first, second], tell=True)
    (one,) = await budgets.due(1, 60.0)
    (other,) = await budgets.due(9, 0.0)
    assert {one, other} == {first, second}
    assert one.message_id.startswith("msg_")
    await budgets.told(one.id)
    while not (again := await budgets.due(9, 0.0)):
        await asyncio.sleep(0.01)
    assert again == (other,)
    await budgets.told(other.id)
    assert await budgets.due(9, 0.0) == ()
    await budgets.told(uuid4())


LIMITS = SpendingLimits(Decimal(100), KeyLimits(limit_by="customer"))


async def last_month(backend):
    """Let all days that are counted lie in the month before theirs."""
    store = backend.store
    if not isinstance(store, MemoryTaskStore):
        before = "date_trunc('month', day)::date - 1"
        await store._pool.execute(f"UPDATE spending SET day = {before} WHERE day > '-infinity'")
        return
    ledger = store._ledger
    for sums in (ledger._usd, ledger._tasks):
        for day, counter in list(sums):
            sums[day - timedelta(days=day.day), counter] = sums.pop((day, counter))


async def counters(backend):
    """All that are kept: customers' by their kind alone."""
    store = backend.store
    if isinstance(store, MemoryTaskStore):
        kept = {*(counter for _, counter in store._ledger._usd), *store._ledger._active}
    else:
        kept = {row["owner"] for row in await store._pool.fetch("SELECT owner FROM spending")}
    return {counter.partition(":")[0] for counter in kept}


async def test_counters_of_customers_go_with_their_month(backend, budgets):
    new = new_task(owner=KEY, price_usd=Decimal("0.10"), metadata={"customer": "acme"})
    await backend.store.submit(new, LIMITS)
    assert not (await budgets.prune(100)).more
    assert await counters(backend) == {"", KEY, "provider", "customer"}
    await last_month(backend)
    await budgets.prune(100)
    assert await counters(backend) == {"", KEY, "provider", "customer"}, "the task lives"
    (begun,) = await backend.claim()
    await backend.end(begun.lease, Succeeded(()))
    while (await budgets.prune(1)).more:
        pass
    assert await counters(backend) == {"", KEY, "provider"}
    await last_month(backend)
    await last_month(backend)
    await budgets.prune(100)
    assert await counters(backend) <= {"", KEY}
