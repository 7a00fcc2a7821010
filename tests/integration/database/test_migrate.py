"""Bringing a database up to date."""

import asyncio
from datetime import UTC, datetime
from uuid import uuid4

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.ext.asyncio import create_async_engine

from genpulse.adapters.database.schema.expected_revision import MIGRATIONS, head
from genpulse.adapters.database.schema.migrate import Revision, current, upgrade
from genpulse.adapters.database.schema.tables import metadata
from genpulse.dev.processes.ports import free_port
from genpulse.domain.errors import DatabaseUnavailable

ALL = tuple(sorted(path.name[:4] for path in (MIGRATIONS / "versions").glob("[0-9]*.py")))


def test_the_head_is_that_of_alembic():
    assert ScriptDirectory(str(MIGRATIONS)).get_current_head() == head()


async def test_an_empty_database_is_brought_up_to_date_once(database_url):
    assert await current(database_url) == Revision(None, head())
    assert await upgrade(database_url) == ALL
    assert (await current(database_url)).ready
    assert await upgrade(database_url) == ()


async def test_upgrades_at_the_same_time_wait_for_each_other(database_url):
    applied = await asyncio.gather(*(upgrade(database_url) for _ in range(4)))
    assert sorted(applied) == [(), (), (), ALL]


async def test_a_url_with_options_for_tls_is_understood(database_url):
    assert await upgrade(f"{database_url}?sslmode=prefer") == ALL
    assert (await current(f"{database_url}?sslmode=disable")).ready


async def test_the_migrations_make_the_tables_that_the_code_describes(database_url):
    await upgrade(database_url)
    engine = create_async_engine(database_url.replace("postgresql://", "postgresql+asyncpg://"))
    async with engine.connect() as connection:
        differences = await connection.run_sync(
            lambda sync: compare_metadata(MigrationContext.configure(sync), metadata)
        )
    await engine.dispose()
    assert differences == []


_OLD_QUEUE = """
CREATE SCHEMA pgqueuer;
CREATE TABLE pgqueuer.pgqueuer (payload bytea, status text, priority int, execute_after timestamptz)
"""
_OLD_TASK = """
INSERT INTO tasks (id, environment, kind, provider, model, status, priority, input, metadata, created_at, attempt,
                   lease, seq)
VALUES ($1, 'dev', 'k', 'p', 'p/m', $2, 0, '{}', '{}', now(), $3, $4, $5)
"""
_OLD_ATTEMPT = """
INSERT INTO attempts (id, task_id, number, provider, model, worker, client_reference, status, submitting_at,
                      job_id, started_at)
VALUES ($1, $2, $3, 'p', 'p/m', 'w', 'gp-' || ($3::int)::text, $4, $5, $6, now())
"""


async def test_orders_and_waiting_work_of_an_earlier_version_are_taken_over(database_url):
    """The newest attempt of a running task knows nothing of what the one before it has ordered."""
    await upgrade(database_url, to="0007")
    connection = await asyncpg.connect(database_url)
    await connection.execute(_OLD_QUEUE)
    running, waiting, ended, attempt = (uuid4() for _ in range(4))
    await connection.execute(_OLD_TASK, running, "running", 2, attempt, 3 << 20)
    await connection.execute(_OLD_ATTEMPT, uuid4(), running, 1, "abandoned", datetime.now(UTC), "job-7")
    await connection.execute(_OLD_ATTEMPT, attempt, running, 2, "running", None, None)
    await connection.execute(_OLD_TASK, waiting, "queued", 0, None, 0)
    await connection.execute(_OLD_TASK, ended, "queued", 0, None, 0)
    await connection.execute("UPDATE tasks SET status = 'canceled', finished_at = now() WHERE id = $1", ended)
    for task_id, status, delay in (
        (running, "picked", "0 s"),
        (waiting, "queued", "1 h"),
        (ended, "queued", "0 s"),
    ):
        await connection.execute(
            "INSERT INTO pgqueuer.pgqueuer VALUES ($1, $2, 0, now() + $3::text::interval)",
            *(task_id.bytes, status, delay),
        )
    await upgrade(database_url)
    rows = {row["task_id"]: row for row in await connection.fetch("SELECT * FROM queue")}
    assert rows.keys() == {running, waiting}
    assert (rows[running]["begun"], rows[running]["ordered"], rows[running]["lease"]) == (True, True, None)
    assert (rows[waiting]["begun"], rows[waiting]["deferred"]) == (False, True)
    task = await connection.fetchrow("SELECT * FROM tasks WHERE id = $1", running)
    assert (task["status"], task["order_job_id"], task["order_reference"]) == ("queued", "job-7", "gp-1")
    assert task["seq"] > 3 << 20
    statuses = await connection.fetch("SELECT status FROM attempts ORDER BY number")
    assert [row["status"] for row in statuses] == ["abandoned", "abandoned"]
    assert await connection.fetchval("SELECT to_regnamespace('pgqueuer')") is None
    await connection.close()


async def test_a_state_cannot_change_without_a_higher_number(own_database_url):
    connection = await asyncpg.connect(own_database_url)
    await connection.execute(_OLD_TASK, uuid4(), "queued", 0, None, 7)
    for change in ("status = 'canceled', finished_at = now()", "cancel_requested_at = now()"):
        with pytest.raises(asyncpg.CheckViolationError, match="without a higher seq"):
            await connection.execute(f"UPDATE tasks SET {change}")
        await connection.execute(f"UPDATE tasks SET {change}, seq = seq + 1")
    await connection.close()


@pytest.mark.parametrize("act", [current, lambda url: upgrade(url)])
async def test_a_database_that_is_away_is_said(act):
    with pytest.raises(DatabaseUnavailable, match="Nothing listens where GENPULSE_DATABASE_URL names"):
        await act(f"postgresql://u:p@127.0.0.1:{free_port()}/d")
