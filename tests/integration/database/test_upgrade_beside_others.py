"""An upgrade beside processes that work: it waits for them, and they do not wait for it."""

import asyncio
from contextlib import asynccontextmanager

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.ext.asyncio import create_async_engine

from genpulse.adapters.database.health_checks import MigrationsProbe
from genpulse.adapters.database.schema.expected_revision import head
from genpulse.adapters.database.schema.migrate import current, upgrade
from genpulse.adapters.database.schema.tables import metadata
from genpulse.adapters.postgresql.connections import open_pool
from genpulse.domain.errors import DatabaseUnavailable
from genpulse.ports import State

INSERT = """
INSERT INTO tasks (id, environment, kind, provider, model, status, priority, input, metadata, created_at, outputs)
VALUES (gen_random_uuid(), 'dev', 'k', 'p', 'm', 'queued', 0, '{}', '{}', now(), '[]')
"""
INVALID = "SELECT count(*) FROM pg_index WHERE NOT indisvalid"


@asynccontextmanager
async def connected(url, **options):
    connection = await asyncpg.connect(url, **options)
    try:
        yield connection
    finally:
        await connection.close()


async def different(url):
    engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://").partition("?")[0])
    async with engine.connect() as connection:
        found = await connection.run_sync(
            lambda sync: compare_metadata(MigrationContext.configure(sync), metadata)
        )
    await engine.dispose()
    return found


async def until(condition):
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.01)


async def test_a_reader_holds_the_upgrade_up_and_nobody_else(database_url):
    await upgrade(database_url, to="0006")
    told = []
    async with connected(database_url, server_settings={"application_name": "a long report"}) as reader:
        transaction = reader.transaction()
        await transaction.start()
        await reader.fetch("SELECT count(*) FROM tasks")
        upgrading = asyncio.create_task(upgrade(database_url, tell=told.append))
        async with connected(database_url) as submitter:
            inserted = 0
            while len(told) < 2:
                await submitter.execute(INSERT)
                inserted += 1
                await asyncio.sleep(0.05)
            assert not upgrading.done()
            assert inserted > 10
        await transaction.rollback()
        assert (await upgrading)[0] == "0007"
    assert all("0007 waits" in each and "a long report (pid " in each for each in told)
    assert "SELECT count(*) FROM tasks" in told[0]
    assert "idle in transaction for" in told[0]
    assert await different(database_url) == []


async def test_indexes_are_built_while_others_write(unstamped_url):
    async with connected(unstamped_url) as writer, connected(unstamped_url) as other:
        await other.execute("DROP INDEX ix_tasks_live")
        transaction = writer.transaction()
        await transaction.start()
        await writer.execute(INSERT)
        upgrading = asyncio.create_task(upgrade(unstamped_url, tell=lambda _: None))
        async with asyncio.timeout(60):
            while not await other.fetchval("SELECT EXISTS (SELECT FROM pg_stat_progress_create_index)"):
                await asyncio.sleep(0.02)
        for _ in range(20):
            await other.execute(INSERT)
        assert not upgrading.done()
        await transaction.commit()
        await upgrading
        assert await other.fetchval(INVALID) == 0
        assert await other.fetchval("SELECT count(*) FROM tasks") == 21
    assert await different(unstamped_url) == []


async def test_half_an_index_is_built_anew(unstamped_url):
    async with connected(unstamped_url) as holder, connected(unstamped_url) as builder:
        await builder.execute("DROP INDEX ix_tasks_live")
        async with holder.transaction():
            await holder.execute(INSERT)
            await builder.execute("SET statement_timeout = 200")
            with pytest.raises(asyncpg.QueryCanceledError):
                await builder.execute("CREATE INDEX CONCURRENTLY ix_tasks_live ON tasks (id)")
        assert await holder.fetchval(INVALID) == 1
        assert await upgrade(unstamped_url) == ()
        assert await holder.fetchval(INVALID) == 0
        assert "finished_at IS NULL" in await holder.fetchval("SELECT pg_get_indexdef('ix_tasks_live'::regclass)")


async def test_conditions_are_checked_after_they_were_added(unstamped_url):
    async with connected(unstamped_url) as connection:
        await connection.execute("ALTER TABLE tasks ADD CONSTRAINT ck_tasks_odd CHECK (seq >= 0) NOT VALID")
        await upgrade(unstamped_url)
        state = "SELECT convalidated FROM pg_constraint WHERE conname = 'ck_tasks_odd'"
        assert await connection.fetchval(state) is True


async def test_a_second_upgrade_that_waits_does_not_stop_the_first_one(database_url):
    await upgrade(database_url, to="0004")
    applied = await asyncio.gather(*(upgrade(database_url) for _ in range(3)))
    assert sum(bool(each) for each in applied) == 1
    assert await different(database_url) == []


async def ahead(url, works_with):
    async with connected(url) as connection:
        await connection.execute("UPDATE alembic_version SET version_num = '9000'")
        await connection.execute("UPDATE schema_compatibility SET works_with_revision = $1", works_with)


async def judged(url):
    pool = await open_pool(url, size=1, application_name="tests")
    try:
        return await MigrationsProbe(pool)()
    finally:
        await pool.close()


async def test_an_older_version_stays_ready_beside_tables_that_were_added_to(unstamped_url):
    await ahead(unstamped_url, head())
    health = await judged(unstamped_url)
    assert (health.state, f"newer than this version's {head()}" in health.detail) == (State.OK, True)
    assert (await current(unstamped_url)).ready
    assert await upgrade(unstamped_url) == ()


async def test_an_older_version_leaves_tables_alone_that_it_cannot_work_with(unstamped_url):
    await ahead(unstamped_url, "8000")
    health = await judged(unstamped_url)
    assert (health.state, "needs versions of 8000" in health.detail) == (State.DOWN, True)
    assert not (await current(unstamped_url)).ready
    with pytest.raises(DatabaseUnavailable, match="is at 9000"):
        await upgrade(unstamped_url)


async def test_the_tables_say_which_versions_they_work_with(database_url):
    await upgrade(database_url)
    async with connected(database_url) as connection:
        assert await connection.fetchval("SELECT works_with_revision FROM schema_compatibility") == "0012"


async def test_a_database_that_takes_no_writes_is_away_for_an_upgrade(database_url):
    await upgrade(database_url, to="0006")
    async with connected(database_url) as connection:
        name = await connection.fetchval("SELECT current_database()")
        await connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    with pytest.raises(DatabaseUnavailable, match="takes no writes"):
        await upgrade(database_url)
