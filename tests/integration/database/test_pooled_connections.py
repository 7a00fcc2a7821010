"""What a connection to a pooler by transaction leaves behind: nothing. A direct connection shows it as well."""

import asyncio
import logging

import asyncpg
import pytest

from genpulse.adapters.database.queue.polled_notifications import PolledNotifications
from genpulse.adapters.postgresql.connections import Pooler, connect, in_transaction, open_pool
from genpulse.adapters.postgresql.pooler import LendingWatch
from genpulse.domain.errors import DatabaseUnavailable
from tests.session_leftovers import CLEAN, LEFT, leftovers


async def opened(url, **options):
    return await open_pool(url, size=1, application_name="tests", pooler=Pooler.TRANSACTION, **options)


async def left(pool):
    """What is in the session of the only connection."""
    async with pool.acquire() as connection:
        return await leftovers(connection)


@pytest.fixture
async def pool(migrated_url):
    pool = await opened(migrated_url, environment="dev", statement_s=7)
    yield pool
    await pool.close()


async def test_nothing_is_left_in_the_session(pool):
    await pool.fetch("SELECT $1::uuid[], $2::interval, '{}'::jsonb, now()", [], None)
    await pool.execute("SELECT pg_notify('x', $1)", "y")
    await pool.executemany("SELECT $1::bigint[]", [([1],), ([2],)])
    await pool.fetchmany("SELECT $1::numeric[]", [([1],)])

    async def both(connection):
        await connection.execute("SET LOCAL plan_cache_mode = force_custom_plan")
        return await connection.fetchval("SELECT pg_try_advisory_xact_lock(1)")

    assert await in_transaction(pool, both)
    with pytest.raises(asyncpg.DivisionByZeroError):
        await pool.fetchval("SELECT 1 / $1::int", 0)
    with pytest.raises(asyncpg.DivisionByZeroError):
        await pool.execute("SELECT 1 / 0")
    assert await left(pool) == CLEAN


async def test_statements_are_prepared_only_where_that_is_allowed(migrated_url):
    pool = await opened(migrated_url, prepares=True)
    await pool.fetchval("SELECT 1")
    assert (await left(pool))["prepared"] > 0
    await pool.close()


async def test_each_statement_has_our_settings(pool):
    query = "SELECT current_setting($1)"
    expected = {
        "statement_timeout": "7s",
        "idle_in_transaction_session_timeout": "10s",
        "enable_seqscan": "off",
        "plan_cache_mode": "force_generic_plan",
        "jit": "off",
    }
    assert {name: await pool.fetchval(query, name) for name in expected} == expected
    async with pool.acquire() as connection, connection.transaction(readonly=True):
        assert {name: await connection.fetchval(query, name) for name in expected} == expected


async def test_a_connection_of_its_own_leaves_nothing_either(migrated_url):
    connection = await connect(migrated_url, application_name="tests", environment="dev")
    assert dict(await connection.fetchrow(LEFT)) == CLEAN
    connection.terminate()


@pytest.mark.parametrize("pooler", [Pooler.SESSION, Pooler.TRANSACTION])
async def test_nothing_is_asked_for_that_a_pooler_refuses_at_the_beginning(database_url, pooler):
    pool = await open_pool(database_url, size=1, application_name="tests", pooler=pooler)
    assert await pool.fetchval("SELECT current_setting('enable_seqscan')") == "off"
    rows = await pool.fetch("SELECT name FROM pg_settings WHERE source = 'client'")
    assert {row["name"] for row in rows} == {"application_name", "client_encoding"}
    await pool.close()


async def test_what_is_not_lent_in_time_is_not_waited_for(pool):
    async with pool.acquire() as connection:
        connection._con.begin_with("SELECT pg_sleep(600)", LendingWatch(), within_s=0.2)
        with pytest.raises(DatabaseUnavailable, match="default_pool_size"):
            await connection.fetchval("SELECT 1")
    assert await pool.fetchval("SELECT 1") == 1


def test_long_waits_are_told_once_a_minute(caplog):
    watch = LendingWatch()
    with caplog.at_level(logging.WARNING):
        for waited_s in (0.1, 2.5, 3.5):
            watch.note(waited_s)
    (line,) = [record.getMessage() for record in caplog.records]
    assert "2.5 s" in line
    assert "default_pool_size" in line


async def test_that_nobody_listens_is_said_in_one_line(pool, caplog):
    notifications = PolledNotifications(pool, look_s=0.01)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            notifications.listen()
    (line,) = [record.getMessage() for record in caplog.records]
    assert "database.listen_url is empty" in line
    async with asyncio.timeout(60):
        assert await notifications.news(0, ["sandbox"], 5)
        assert not await notifications.news(0, ["sandbox"], 0.001)
