"""Whoever gives a statement up leaves nothing to the next one who gets its connection."""

import asyncio

import asyncpg
import pytest

from genpulse.adapters.postgresql.connections import in_transaction, open_pool
from genpulse.adapters.postgresql.pooler import Pooler

NAME = "unsettled"
IDLE = [("idle", None)]
_STATE = """
SELECT state, (SELECT min(mode) FROM pg_locks WHERE pg_locks.pid = activity.pid AND relation IS NOT NULL)
FROM pg_stat_activity AS activity WHERE application_name = $1
"""


@pytest.fixture(params=[Pooler.NONE, Pooler.SESSION, Pooler.TRANSACTION])
async def pool(migrated_url, request):
    """Of one connection, whose statements may take a second."""
    pool = await open_pool(migrated_url, size=1, application_name=NAME, statement_s=1, pooler=request.param)
    await pool.fetchval("SELECT 1")
    yield pool
    await pool.close()


@pytest.fixture
async def looker(migrated_url):
    connection = await asyncpg.connect(migrated_url)

    async def look():
        return [tuple(row) for row in await connection.fetch(_STATE, NAME)]

    yield look
    await connection.close()


async def wrong_value(pool):
    await pool.fetch("SELECT id FROM tasks WHERE seq = $1", "no number")


async def wrong_value_in_a_transaction(pool):
    await in_transaction(pool, wrong_value)


async def wrong_values(pool):
    await pool.executemany("UPDATE tasks SET seq = $1", [("no number",)])


@pytest.mark.parametrize("ask", [wrong_value, wrong_values, wrong_value_in_a_transaction])
async def test_a_value_that_cannot_be_sent(pool, looker, ask):
    with pytest.raises(asyncpg.DataError):
        await ask(pool)
    assert await looker() == IDLE
    await asyncio.sleep(1.5)  # the statement's time is over
    assert await pool.fetchval("SELECT 2") == 2


async def test_whoever_asks_is_cancelled_at_any_moment(pool, looker):
    found = []
    for number in range(150):
        asking = asyncio.create_task(pool.fetch(f"SELECT id, {number} FROM tasks WHERE seq = $1", 1))
        for _ in range(number % 12):
            await asyncio.sleep(0)
        if number % 3 == 0:
            await asyncio.sleep(0.0002 * (number % 20))
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        found += await looker()
    assert set(found) == set(IDLE)
