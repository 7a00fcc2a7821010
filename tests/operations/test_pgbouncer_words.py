"""What is said where a PgBouncer and the settings do not go together, or where it has no room."""

import os
import time

import asyncpg
import pytest

from genpulse.adapters.postgresql.connections import Pooler, open_pool, outages
from genpulse.adapters.postgresql.pooler import LENT_WITHIN_S
from genpulse.cli.doctor.pooler import PoolerFacts, pooler_facts
from genpulse.domain.errors import DatabaseUnavailable
from tests import command
from tests.operations.pgbouncer import PgBouncer, tracks_statements


@pytest.fixture
def pooler_of(own_database_url):
    opened = []

    def of(mode, size=10, **settings):
        opened.append(PgBouncer(own_database_url, mode, size, **settings))
        opened[-1].start()
        return opened[-1]

    yield of
    for pooler in opened:
        pooler.close()


@pytest.fixture
def run(tmp_path, own_database_url, redis_url):
    def run(bouncer, *arguments, **settings):
        environment = {
            "PATH": os.defpath,
            "ENV": "dev",
            "GENPULSE_DATABASE_URL": bouncer.url,
            "GENPULSE_REDIS__URL": redis_url,
            **{f"GENPULSE_DATABASE__{name.upper()}": value for name, value in settings.items()},
        }
        done = command.run(*arguments, folder=tmp_path, environment=environment)
        return done.returncode, " ".join((done.stdout + done.stderr).split())

    return run


@pytest.mark.parametrize("mode", ["session", "transaction"])
async def test_a_pool_without_room_is_named_in_seconds(pooler_of, mode):
    pooler = pooler_of(mode, 1)
    hog = await asyncpg.connect(pooler.url, statement_cache_size=0)
    await hog.execute("BEGIN")
    began = time.monotonic()
    pool = await open_pool(pooler.url, size=5, application_name="tests", pooler=Pooler(mode))
    with pytest.raises(DatabaseUnavailable, match="default_pool_size"):
        await pool.fetchval("SELECT 1")
    assert time.monotonic() - began >= LENT_WITHIN_S
    await hog.execute("COMMIT")
    await hog.close()
    assert await pool.fetchval("SELECT 1") == 1
    await pool.close()


@pytest.mark.parametrize(
    ("setting", "others"),
    [("query_wait_timeout", 1), ("max_client_conn", 3)],
)
async def test_what_it_says_itself_is_explained(pooler_of, setting, others):
    pooler = pooler_of("session", 1, **{setting: others})
    hogs = [await asyncpg.connect(pooler.url) for _ in range(others)]
    await hogs[0].execute("SELECT 1")
    pool = await open_pool(pooler.url, size=1, application_name="tests", pooler=Pooler.SESSION)
    with pytest.raises(DatabaseUnavailable, match=f"(?s){setting}.*pool_size"), outages():
        await pool.fetchval("SELECT 1")
    await pool.close()
    for hog in hogs:
        hog.terminate()


async def test_statements_that_it_keeps_no_account_of_are_explained(pooler_of):
    pooler = pooler_of("transaction", **({"max_prepared_statements": 0} if tracks_statements() else {}))
    pool = await open_pool(pooler.url, size=5, application_name="tests", pooler=Pooler.TRANSACTION, prepares=True)
    async with pool.acquire() as one, pool.acquire() as other:
        await one.fetchval("SELECT $1::int + 1", 1)
        async with other.transaction():  # takes the session of PostgreSQL in which that was prepared
            await other.fetchval("SELECT 1")
            with pytest.raises(DatabaseUnavailable, match=r"database\.prepared_statements unless"), outages():
                await one.fetchval("SELECT $1::int + 1", 1)
    await pool.close()


@pytest.mark.parametrize("mode", ["session", "transaction"])
async def test_it_is_seen(pooler_of, own_database_url, mode):
    found = await pooler_facts(pooler_of(mode).url)
    assert (found.is_there, found.by_transaction) == (True, mode == "transaction")
    assert await pooler_facts(own_database_url) == PoolerFacts(is_there=False)


@pytest.mark.parametrize("mode", ["session", "transaction"])
def test_one_that_nobody_has_named_is_explained(pooler_of, run, mode):
    code, said = run(pooler_of(mode), "doctor")
    assert code == 1
    assert f"GENPULSE_DATABASE__POOLER={mode}" in said
    assert "unsupported startup parameter" in said


def test_doctor_names_what_is_well(pooler_of, run, own_database_url):
    said = run(pooler_of("transaction"), "doctor", pooler="transaction", listen_url=own_database_url)[1]
    assert "by transaction, as database.pooler says" in said
    assert "at database.listen_url" in said


def test_an_upgrade_goes_past_a_pooler_by_transaction(pooler_of, run, own_database_url):
    pooler = pooler_of("transaction")
    code, said = run(pooler, "db", "upgrade", pooler="transaction")
    assert code != 0
    assert "GENPULSE_DATABASE__LISTEN_URL" in said
    code, said = run(pooler, "db", "upgrade", pooler="transaction", listen_url=own_database_url)
    assert code == 0, said


def test_an_upgrade_goes_through_a_pooler_by_session(pooler_of, run):
    code, said = run(pooler_of("session"), "db", "upgrade", pooler="session")
    assert code == 0, said
    code, said = run(pooler_of("session"), "db", "current", pooler="session")
    assert code == 0, said


@pytest.mark.parametrize("verb", [("env", "stamp"), ("keys", "list")])
def test_other_commands_go_through_a_pooler_by_transaction(pooler_of, run, verb):
    code, said = run(pooler_of("transaction"), *verb, pooler="transaction")
    assert code == 0, said
