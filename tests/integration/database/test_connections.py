"""Connections: what is frozen lets go, what takes no writes is away, and what was prepared may grow old."""

import asyncio
import os
import signal
import socket
import subprocess
import sys

import asyncpg
import pytest

from genpulse.adapters.database.health_checks import DatabaseProbe
from genpulse.adapters.postgresql.connections import connect, in_transaction, open_pool, outages
from genpulse.dev.processes.ports import free_port
from genpulse.domain.errors import DatabaseUnavailable
from genpulse.ports import State

NAMES = (
    "idle_in_transaction_session_timeout",
    "tcp_keepalives_idle",
    "tcp_keepalives_interval",
    "tcp_keepalives_count",
    "tcp_user_timeout",
    "client_connection_check_interval",
)


@pytest.fixture
async def table(database_url):
    connection = await asyncpg.connect(database_url)
    await connection.execute("CREATE TABLE things (id int PRIMARY KEY, name text)")
    await connection.execute("INSERT INTO things SELECT n, 'x' FROM generate_series(1, 20) AS n")
    yield connection
    await connection.close()


@pytest.fixture
async def pool(database_url, table):
    pool = await open_pool(database_url, size=3, application_name="tests")
    yield pool
    await pool.close()


async def test_the_server_is_told_when_to_give_us_up(database_url):
    pool = await open_pool(database_url, size=1, application_name="tests", idle_transaction_s=7.5, vanished_s=12)
    row = await pool.fetchrow(f"SELECT {', '.join(f'current_setting({n!r}) AS {n}' for n in NAMES)}")
    assert tuple(row) == ("7500ms", "6", "2", "3", "12000", "12s")
    await pool.close()


@pytest.mark.parametrize("opened", ["pool", "connection"])
async def test_we_notice_that_the_server_is_gone(database_url, opened):
    if opened == "pool":
        pool = await open_pool(database_url, size=1, application_name="tests", vanished_s=12)
        found = (await pool.acquire())._con
    else:
        found = await connect(database_url, application_name="tests", vanished_s=12)
    tcp = found._transport.get_extra_info("socket")
    assert tcp.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
    options = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT, socket.TCP_USER_TIMEOUT)
    assert [tcp.getsockopt(socket.IPPROTO_TCP, option) for option in options] == [6, 2, 3, 12_000]
    found.terminate()


async def in_a_transaction(connection):
    async with connection.transaction():
        await connection.execute("SELECT 1")


ASKED = {
    "a question": lambda connection: connection.fetch("SELECT 1"),
    "a statement": lambda connection: connection.execute("SELECT 1"),
    "statements": lambda connection: connection.executemany("SELECT $1::int", [(1,), (2,)]),
    "a transaction": in_a_transaction,
}


@pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED)
async def test_a_connection_on_which_no_answer_comes_is_given_up_at_once(database_url, ask):
    pool = await open_pool(database_url, size=1, application_name="stands still", statement_s=0.5)
    async with pool.acquire() as connection:
        process, one = await connection.fetchval("SELECT pg_backend_pid()"), connection._con
        os.kill(process, signal.SIGSTOP)
        try:
            with pytest.raises(DatabaseUnavailable), outages():
                await ask(connection)
            assert one.is_closed()
        finally:
            os.kill(process, signal.SIGCONT)
    assert await pool.fetchval("SELECT pg_backend_pid()") != process
    await pool.close()


FREEZES = """
import asyncio, sys
from genpulse.adapters.postgresql.connections import open_pool

async def main():
    pool = await open_pool(sys.argv[1], size=1, application_name="frozen", idle_transaction_s=1)
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("UPDATE things SET name = 'frozen'")
        print("locked", flush=True)
        await asyncio.sleep(600)

asyncio.run(main())
"""


async def test_a_process_that_freezes_in_a_transaction_lets_its_rows_go(database_url, table, pool):
    frozen = subprocess.Popen([sys.executable, "-c", FREEZES, database_url], stdout=subprocess.PIPE, text=True)
    try:
        assert await asyncio.to_thread(frozen.stdout.readline) == "locked\n"
        frozen.send_signal(signal.SIGSTOP)
        assert await table.fetch("SELECT id FROM things FOR UPDATE SKIP LOCKED") == []
        async with asyncio.timeout(60):
            await in_transaction(pool, lambda its: its.execute("UPDATE things SET name = 'ours'"))
    finally:
        frozen.kill()
        frozen.communicate()
    assert await table.fetchval("SELECT count(*) FROM things WHERE name = 'ours'") == 20


async def test_a_transaction_that_stood_still_is_said_to_be_away(database_url, table):
    pool = await open_pool(database_url, size=1, application_name="tests", idle_transaction_s=0.1)

    async def stands_still(connection):
        await connection.execute("UPDATE things SET name = 'still'")
        await asyncio.sleep(0.5)
        await connection.execute("UPDATE things SET name = 'still again'")

    with pytest.raises(DatabaseUnavailable):
        await in_transaction(pool, stands_still)
    assert await pool.fetchval("SELECT count(*) FROM things WHERE name = 'x'") == 20
    await pool.close()


async def test_a_server_that_takes_no_writes_is_away_and_reads_go_on(database_url, table, pool):
    database = database_url.rpartition("/")[2].partition("?")[0]
    await pool.execute("UPDATE things SET name = 'before'")
    await table.execute(f"ALTER DATABASE {database} SET default_transaction_read_only = on")
    try:
        await table.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tests'"
        )
        await away(lambda: pool.execute("UPDATE things SET name = 'during'"), "takes no writes")
        await away(lambda: in_transaction(pool, lambda its: its.execute("DELETE FROM things")), "takes no writes")
        assert await pool.fetchval("SELECT count(*) FROM things WHERE name = 'before'") == 20
        health = await DatabaseProbe(pool)()
        assert (health.state, "takes no writes" in health.detail) == (State.DOWN, True)
    finally:
        await table.execute("SET default_transaction_read_only = off")
        await table.execute(f"ALTER DATABASE {database} RESET default_transaction_read_only")
    # Sessions that began read-only stay so: none may be left in the pool.
    for _ in range(6):
        with outages():
            await pool.execute("UPDATE things SET name = 'after'")
    assert (await DatabaseProbe(pool)()).state is State.OK
    async with pool.acquire() as one, pool.acquire() as two, pool.acquire() as three:
        assert [await each.fetchval("SHOW transaction_read_only") for each in (one, two, three)] == ["off"] * 3


async def away(call, words):
    """A call may meet the connection that was cut; the next one meets the session that takes no writes."""
    async with asyncio.timeout(60):
        while True:
            with pytest.raises(DatabaseUnavailable) as error, outages():
                await call()
            if words in str(error.value):
                return


async def test_of_several_hosts_the_writable_one_is_used(postgres, database_url, table):
    """The same server twice: as a database that takes no writes would be found first, and left."""
    other = f"{database_url.rpartition('/')[2].partition('?')[0]}_reader"
    await table.execute(f"CREATE ROLE {other} LOGIN SUPERUSER PASSWORD 'p'")
    await table.execute(f"ALTER ROLE {other} SET default_transaction_read_only = on")
    user, _, rest = database_url.removeprefix("postgresql://").partition("@")
    address, _, database = rest.partition("/")
    try:
        only_readers = f"postgresql://{other}:p@{address},{address}/{database}"
        with pytest.raises(DatabaseUnavailable, match="takes writes"):
            await connect(only_readers, application_name="tests")
        pool = await open_pool(
            f"postgresql://{user}@127.0.0.1:{free_port()},{address}/{database}", size=1, application_name="tests"
        )
        assert await pool.fetchval("SELECT count(*) FROM things") == 20
        await pool.close()
    finally:
        await table.execute(f"DROP ROLE {other}")


async def test_a_column_that_is_added_beside_running_transactions_is_no_error(table, pool):
    async def all_of_it(connection):
        return await connection.fetchrow("UPDATE things SET name = 'y' WHERE id = 1 RETURNING *")

    async with pool.acquire() as one, pool.acquire() as two, pool.acquire() as three:
        for each in (one, two, three):
            async with each.transaction():
                await all_of_it(each)
    await table.execute("ALTER TABLE things ADD COLUMN later text")
    for _ in range(6):
        row = await in_transaction(pool, all_of_it)
        assert dict(row) == {"id": 1, "name": "y", "later": None}


async def test_a_plan_that_is_older_than_its_table_is_away_for_a_moment(table, pool):
    async def all_of_it():
        with outages():
            async with pool.acquire() as connection, connection.transaction():
                return await connection.fetchrow("SELECT * FROM things WHERE id = 1")

    await all_of_it()
    await table.execute("ALTER TABLE things ADD COLUMN later text")
    with pytest.raises(DatabaseUnavailable, match="changed a moment ago"):
        await all_of_it()
    assert "later" in dict(await all_of_it())


async def test_a_mistake_passes_as_it_is(pool):
    for statement, kind in (
        ("SELECT nothing FROM things", asyncpg.UndefinedColumnError),
        ("SELECT 1 FROM nowhere", asyncpg.UndefinedTableError),
        ("INSERT INTO things VALUES (1, 'again')", asyncpg.UniqueViolationError),
    ):
        with pytest.raises(kind), outages():
            await pool.execute(statement)
    with pytest.raises(asyncpg.DataError), outages():
        await pool.execute("UPDATE things SET name = $1", "\x00")
