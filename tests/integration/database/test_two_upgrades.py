"""`genpulse db upgrade`, started twice at once, and killed in the middle of an index."""

import asyncio
import os

import asyncpg
import pytest

from genpulse.adapters.database.schema.expected_revision import head
from genpulse.adapters.database.schema.migrate import current, upgrade
from tests import command

INSERT = """
INSERT INTO tasks (id, environment, kind, provider, model, status, priority, input, metadata, created_at)
VALUES (gen_random_uuid(), 'dev', 'k', 'p', 'm', 'queued', 0, '{}', '{}', now())
"""
BUILDS = "SELECT pid FROM pg_stat_progress_create_index WHERE datname = current_database()"
DROPS_OR_BUILDS = """
SELECT pid FROM pg_stat_activity
WHERE datname = current_database() AND state = 'active' AND pid <> pg_backend_pid()
  AND query LIKE '%INDEX CONCURRENTLY%ix_tasks_live%'
"""
VALID = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('ix_tasks_live')"


@pytest.fixture
def start(tmp_path, database_url):
    """Starts an upgrade as a process of its own, whose words go into a file."""
    started = []

    def start(name):
        path = tmp_path / name
        environment = {"PATH": os.defpath, "ENV": "dev", "GENPULSE_DATABASE_URL": database_url}
        with path.open("w") as log:
            process = command.start("db", "upgrade", folder=tmp_path, environment=environment, log=log)
        started.append(process)
        return process, path

    yield start
    for process in started:
        process.kill()


@pytest.fixture
async def writer(database_url):
    """A transaction in which a task was written: no index of tasks is finished before it ends."""
    await upgrade(database_url)
    connection = await asyncpg.connect(database_url)
    await connection.execute("DROP INDEX ix_tasks_live")
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute(INSERT)
    yield transaction
    await connection.close()


@pytest.fixture
async def watcher(database_url):
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


async def until(condition):
    async with asyncio.timeout(120):
        while not (found := await condition()):
            await asyncio.sleep(0.05)
    return found


def says(path, words):
    async def said():
        return words in path.read_text()

    return said


async def ended(process):
    return await asyncio.to_thread(process.wait, 120)


async def test_the_second_of_two_processes_says_for_whom_it_waits(start, writer, watcher):
    first, first_log = start("first")
    await until(lambda: watcher.fetchval(BUILDS))
    second, second_log = start("second")
    await until(says(second_log, "Another upgrade goes on, and this one waits for its end: genpulse db (pid "))
    assert "CREATE INDEX CONCURRENTLY" in second_log.read_text()
    assert second.poll() is None
    await writer.commit()
    assert (await ended(first), await ended(second)) == (0, 0), first_log.read_text() + second_log.read_text()
    assert await watcher.fetchval(VALID)


async def test_many_at_once_apply_each_migration_once(start, database_url):
    await upgrade(database_url, to="0012")
    started = [start(str(number)) for number in range(3)]
    assert [await ended(process) for process, _ in started] == [0, 0, 0]
    told = "".join(path.read_text() for _, path in started)
    assert (told.count("Applied 0013"), told.count("The database is up to date.")) == (1, 2), told
    assert (await current(database_url)).current == head()


async def test_half_an_index_of_an_upgrade_that_was_killed_is_mended(start, writer, watcher):
    """PostgreSQL notices within 15 seconds that nobody is there any more, and leaves half an index."""
    first, _ = start("first")
    builder = await until(lambda: watcher.fetchval(BUILDS))
    first.kill()
    await ended(first)
    await until(
        lambda: watcher.fetchval("SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1)", builder)
    )
    assert await watcher.fetchval(VALID) is False
    second, log = start("second")
    await until(lambda: watcher.fetchval(DROPS_OR_BUILDS))
    await writer.commit()
    assert await ended(second) == 0, log.read_text()
    assert await watcher.fetchval(VALID) is True


async def test_an_upgrade_waits_for_what_one_that_was_killed_has_left_at_work(start, writer, watcher):
    first, _ = start("first")
    await until(lambda: watcher.fetchval(BUILDS))
    first.kill()
    second, log = start("second")
    await ended(first)
    await writer.commit()
    assert await ended(second) == 0, log.read_text()
    assert await watcher.fetchval(VALID) is True
