"""Bringing a database up to date."""

import asyncio
import subprocess
import sys

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.ext.asyncio import create_async_engine

from genpulse.adapters.database.head import MIGRATIONS, head
from genpulse.adapters.database.migrate import Revision, current, upgrade
from genpulse.adapters.database.tables import metadata
from genpulse.adapters.queue.schema import install
from genpulse.dev.ports import free_port
from genpulse.domain.errors import DatabaseUnavailable

ALL = tuple(f"{number:04}" for number in range(1, int(head()) + 1))


def test_the_head_is_that_of_alembic():
    assert ScriptDirectory(str(MIGRATIONS)).get_current_head() == head()


async def test_an_empty_database_is_brought_up_to_date_once(database_url):
    assert await current(database_url) == Revision(None, head())
    assert await upgrade(database_url, install) == ALL
    assert (await current(database_url)).ready
    assert await upgrade(database_url, install) == ()


async def test_upgrades_at_the_same_time_wait_for_each_other(database_url):
    applied = await asyncio.gather(*(upgrade(database_url, install) for _ in range(4)))
    assert sorted(applied) == [(), (), (), ALL]


async def test_a_url_with_options_for_tls_is_understood(database_url):
    assert await upgrade(f"{database_url}?sslmode=prefer", install) == ALL
    assert (await current(f"{database_url}?sslmode=disable")).ready


async def test_the_migrations_make_the_tables_that_the_code_describes(database_url):
    await upgrade(database_url, install)
    engine = create_async_engine(database_url.replace("postgresql://", "postgresql+asyncpg://"))
    async with engine.connect() as connection:
        differences = await connection.run_sync(
            lambda sync: compare_metadata(MigrationContext.configure(sync), metadata)
        )
    await engine.dispose()
    assert differences == []


async def test_the_queue_lies_in_a_schema_of_its_own(database_url):
    await upgrade(database_url, install)
    connection = await asyncpg.connect(database_url)
    names = {
        (row["schemaname"], row["tablename"])
        for row in await connection.fetch("SELECT schemaname, tablename FROM pg_tables")
    }
    await connection.close()
    assert ("pgqueuer", "pgqueuer") in names
    assert {table for schema, table in names if schema == "public"} == {*metadata.tables, "alembic_version"}


async def test_a_variable_of_the_process_cannot_move_the_queue():
    script = "from genpulse.adapters.queue.schema import SETTINGS; print(SETTINGS.qualified.queue_table)"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"PGQUEUER_SCHEMA": "elsewhere", "PGQUEUER_PREFIX": "x_", "QUEUE_TABLE": "other"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "pgqueuer.pgqueuer"


@pytest.mark.parametrize("act", [current, lambda url: upgrade(url, install)])
async def test_a_database_that_is_away_is_said(act):
    with pytest.raises(DatabaseUnavailable, match="does not answer"):
        await act(f"postgresql://u:p@127.0.0.1:{free_port()}/d")
