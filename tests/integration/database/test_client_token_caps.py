"""What a client token is good for, while two processes take orders by it."""

import asyncio
import json
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import uuid_utils.compat

from genpulse.adapters.database.keys.api_keys import PostgresKeys
from genpulse.adapters.database.tasks.store import PostgresTaskStore
from genpulse.domain.keys.client_token import ClientToken, OrderTerms
from genpulse.domain.money.allowance import BudgetScope, ScopeKind

EACH, ROOM, PRICE = 100, 5, Decimal("0.10")
SUBMITTER = """
import asyncio, json, sys
from decimal import Decimal
from uuid import UUID
from genpulse.adapters.database.keys.api_keys import PostgresKeys
from genpulse.adapters.database.tasks.store import PostgresTaskStore
from genpulse.adapters.postgresql.connections import open_pool
from genpulse.domain.errors import ClientTokenUsedUp
from genpulse.domain.money.spending import SpendingLimits
from tests.contract.conftest import new_task

url, token_id, each, price = sys.argv[1], UUID(sys.argv[2]), int(sys.argv[3]), Decimal(sys.argv[4])


async def main():
    pool = await open_pool(url, size=5, application_name="tests")
    store = PostgresTaskStore(pool)
    token = await PostgresKeys(pool).client_tokens.get(token_id)
    limits = SpendingLimits(client_token=token.allowance)
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)

    async def submit():
        task = new_task(owner="anna", price_usd=price, client_token=token_id)
        try:
            return (await store.submit(task, limits)).task
        except ClientTokenUsedUp:
            return None

    tasks = await asyncio.gather(*(submit() for _ in range(each)))
    print(json.dumps([str(task.id) for task in tasks if task]), flush=True)
    await store.close()
    await pool.close()


asyncio.run(main())
"""


async def submitter(url, token_id):
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", SUBMITTER, url, str(token_id), str(EACH), str(PRICE)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert await process.stdout.readline() == b"ready\n"
    return process


@pytest.mark.parametrize(
    "orders",
    [OrderTerms(("sandbox/noop",), max_tasks=ROOM), OrderTerms(("sandbox/noop",), 1000, max_usd=ROOM * PRICE)],
    ids=["tasks", "dollars"],
)
async def test_of_two_hundred_at_once_by_two_processes_there_is_room_for_five(migrated_url, pools, orders):
    now = datetime.now(UTC)
    token = ClientToken(uuid_utils.compat.uuid7(), "anna", now, now + timedelta(minutes=10), orders=orders)
    async with pools.lent(2) as pool:
        await PostgresKeys(pool).client_tokens.add(token, token.id.bytes)
        processes = await asyncio.gather(*(submitter(migrated_url, token.id) for _ in range(2)))
        outputs = await asyncio.gather(*(process.communicate(b"go\n") for process in processes))
        taken = [task for output, _ in outputs for task in json.loads(output)]
        assert len(set(taken)) == len(taken) == ROOM
        assert [process.returncode for process in processes] == [0, 0]
        scope = BudgetScope(ScopeKind.CLIENT_TOKEN, str(token.id))
        store = PostgresTaskStore(pool)
        usage = (await store.counted([scope])).usage_of(scope.counter)
        assert (usage.total_tasks, usage.total_usd) == (ROOM, ROOM * PRICE)
        await store.close()
