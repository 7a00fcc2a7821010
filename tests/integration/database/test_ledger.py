"""The table of the ledger: what an upgrade finds, what it refuses, what is read while others write."""

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import asyncpg
import pytest

from genpulse.adapters.database.queue.task_queue import PostgresTaskQueue
from genpulse.adapters.database.removal.retention import PostgresRetention
from genpulse.adapters.database.schema.migrate import upgrade
from genpulse.adapters.database.tasks.store import PostgresTaskStore
from genpulse.adapters.postgresql.connections import open_pool
from genpulse.domain.attempt import Failed, RetryLater, Succeeded
from genpulse.domain.failure import Charged
from genpulse.domain.money.cost import Cost
from genpulse.domain.money.ledger import Balance
from tests.contract.conftest import Backend, new_task, new_worker
from tests.contract.test_money import failure

PRICE = Decimal("0.04")
_TASK = """
INSERT INTO tasks (id, environment, owner, kind, provider, model, status, priority, input, metadata, created_at,
                   finished_at, price_usd)
VALUES ($1, 'dev', '', 'noop', 'sandbox', 'sandbox/noop', 'queued', 0, '{}', '{}', now(), NULL, $2)
"""
_ENTRY = """
INSERT INTO ledger (task_id, attempt, kind, amount_usd, provider, model, owner, environment, day, source)
VALUES ($1, 0, 'settled', $2, 'p', 'p/m', '', 'dev', now(), 'price')
"""


async def backend_on(url):
    pool = await open_pool(url, size=4, application_name="tests")
    return Backend(PostgresTaskStore(pool), PostgresTaskQueue(pool, url), worker=new_worker("w"))


async def closed(backend):
    await backend.queue.close()
    await backend.store.close()
    await backend.store._pool.close()


@pytest.fixture
async def backend(migrated_url):
    opened = await backend_on(migrated_url)
    yield opened
    await closed(opened)


async def lines(backend, task_id):
    entries = await backend.store.ledger(task_id)
    return [f"{one.attempt} {one.kind} {one.amount_usd} {one.source}" for one in entries]


async def test_a_task_that_is_older_than_the_ledger_opens_with_what_it_reserved(database_url):
    await upgrade(database_url, to="0021")
    connection = await asyncpg.connect(database_url)
    ids = [uuid4() for _ in range(4)]
    for task_id in ids:
        await connection.execute(_TASK, task_id, PRICE)
        await connection.execute(
            "INSERT INTO queue (task_id, provider, priority) VALUES ($1, 'sandbox', 0)", task_id
        )
    free = uuid4()
    await connection.execute(_TASK, free, None)
    await upgrade(database_url)
    backend = await backend_on(database_url)
    await backend.store.cancel(ids[0])
    begun = {claim.task.id: claim.lease for claim in await backend.claim(at_most=3)}
    one, two, three = (begun[task_id] for task_id in ids[1:])
    await backend.end(one, Succeeded((), Cost(Decimal("0.05"))))
    await backend.end(two, Failed(failure(Charged.NO)))
    await backend.store.retry(two.task_id)
    await backend.end(three, RetryLater(failure(Charged.YES), 0.0))
    (again,) = [claim for claim in await backend.claim(at_most=3) if claim.task.id == three.task_id]
    await backend.end(again.lease, Failed(failure(Charged.NO)))
    opening = "reserved 0.04 opening"
    assert [await lines(backend, task_id) for task_id in ids] == [
        [f"0 {opening}", "0 released 0.04 price"],
        [f"1 {opening}", "1 reserved 0.01 vendor", "1 settled 0.05 vendor"],
        [f"1 {opening}", "1 released 0.04 price", "1 reserved 0.04 price"],
        [f"1 {opening}", "1 reserved 0.04 price", "1 settled 0.04 price", "2 released 0.04 price"],
    ]
    assert await lines(backend, free) == []
    await closed(backend)
    await connection.close()


async def test_an_entry_is_never_changed(backend):
    task = (await backend.store.submit(new_task(price_usd=PRICE))).task
    with pytest.raises(asyncpg.RaiseError, match="never change"):
        await backend.store._pool.execute("UPDATE ledger SET amount_usd = 0 WHERE task_id = $1", task.id)
    with pytest.raises(asyncpg.CheckViolationError):
        await backend.store._pool.execute(_ENTRY, task.id, Decimal(-1))


async def test_what_is_committed_late_is_told_later_and_once(backend):
    """A lower number may be committed after a higher one: whoever reads on from the highest would never see it."""
    store = backend.store
    mark = (await store.money_flows(None)).mark
    async with store._pool.acquire() as slow:
        open_one = slow.transaction()
        await open_one.start()
        await slow.execute(_ENTRY, uuid4(), Decimal(7))
        await store.submit(new_task(price_usd=PRICE))
        first = await store.money_flows(mark)
        await open_one.commit()
    await store.submit(new_task(price_usd=PRICE))
    second = await store.money_flows(first.mark)
    third = await store.money_flows(second.mark)
    told = [flow.amount_usd for found in (first, second, third) for flow in found.flows]
    assert sum(told) == 7 + 2 * PRICE
    assert third.flows == ()


async def test_entries_of_old_days_are_removed_but_for_those_of_live_tasks(backend):
    ended = await backend.begun(price_usd=PRICE)
    await backend.end(ended.lease, Succeeded(()))
    other = await backend.begun(price_usd=PRICE, environment="other")
    await backend.end(other.lease, Succeeded(()))
    live = (await backend.store.submit(new_task(price_usd=PRICE))).task
    retention = PostgresRetention(backend.store._pool, "dev")
    async with retention.turn() as pruning:
        assert not (await pruning.entries(timedelta(0), 10)).more
        assert len(await lines(backend, ended.task.id)) == 2
        assert (await pruning.entries(timedelta(days=-1), 1)).more
        await pruning.entries(timedelta(days=-1), 10)
    assert await lines(backend, ended.task.id) == []
    for kept in (live.id, other.task.id):
        assert await lines(backend, kept)
    await retention.close()


async def test_money_stays_when_its_task_is_gone(backend):
    begun = await backend.begun(price_usd=PRICE)
    await backend.end(begun.lease, Succeeded(()))
    await backend.store._pool.execute("DELETE FROM tasks WHERE id = $1", begun.task.id)
    assert Balance.of(await backend.store.ledger(begun.task.id)).cost_usd == PRICE


async def test_a_task_s_entries_and_a_day_s_sums_are_read_by_indexes(backend):
    pool = backend.store._pool
    for condition, index in (("task_id = gen_random_uuid()", "task_id_id"), ("transaction > 7", "transaction")):
        plan = await pool.fetch(f"EXPLAIN SELECT * FROM ledger WHERE {condition} ORDER BY id LIMIT 1")
        assert any(f"ix_ledger_{index}" in row[0] or "pk_ledger" in row[0] for row in plan), plan
