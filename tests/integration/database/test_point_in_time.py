"""A database that is brought back to a moment: it looks like the original, and orders nothing twice."""

import asyncio
import secrets
import shutil
import subprocess
from contextlib import asynccontextmanager

import asyncpg
import pytest

from genpulse.adapters.database.schema.environment_stamp import check_stamp, confirm_restored
from genpulse.adapters.database.schema.migrate import upgrade
from genpulse.dev.processes.ports import free_port
from genpulse.dev.processes.unprivileged import server_user, service_folder
from genpulse.dev.servers.binaries import postgres_binaries
from genpulse.dev.servers.postgres import NAME, Postgres
from tests.server_home import throw_away_home
from tests.servers import TestServer

TASK = """
WITH task AS (
INSERT INTO tasks (id, environment, kind, provider, model, status, priority, input, metadata, created_at)
VALUES (gen_random_uuid(), 'main', 'k', 'p', $1, 'queued', 0, '{}', '{}', now()) RETURNING id)
INSERT INTO queue (task_id, provider, priority) SELECT id, 'p', 0 FROM task
"""
ORDERED = """
WITH task AS (
UPDATE tasks SET order_reference = 'gp-1', order_account = 'p', order_sent_at = now(), order_job_id = 'job-1'
WHERE model = $1 RETURNING id)
UPDATE queue SET ordered = true FROM task WHERE task_id = task.id
"""
STANDING = """
SELECT model, order_reference, order_job_id, ordered FROM tasks JOIN queue ON task_id = tasks.id ORDER BY model
"""
RECOVERY = """
restore_command = 'cp {archive}/%f %p'
recovery_target_time = '{moment}'
recovery_target_action = 'promote'
"""
PROGRAMS = postgres_binaries().folder


@pytest.fixture
def homes():
    """Of the server that is lost, of the one that comes in its place, and an archive between them."""
    with throw_away_home() as lost, throw_away_home() as found, throw_away_home() as archive:
        yield lost, found, archive


@asynccontextmanager
async def served(home, guard, password):
    server = TestServer(Postgres.lay_out(home, free_port(), password), guard)
    await asyncio.to_thread(server.start)
    try:
        yield server.url
    finally:
        await asyncio.to_thread(server.stop)


@asynccontextmanager
async def connected(url):
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def archived(url, archive):
    """Each segment of the log comes into the folder as soon as it is full."""
    process = await asyncio.create_subprocess_exec(
        PROGRAMS / "pg_receivewal", f"--directory={archive}", f"--dbname={url}", stderr=asyncio.subprocess.DEVNULL
    )
    await until(lambda: list(archive.iterdir()))
    try:
        yield
    finally:
        process.terminate()
        await process.wait()


async def until(holds):
    async with asyncio.timeout(120):
        while not holds():
            await asyncio.sleep(0.05)


async def finished_segment(connection, archive):
    """The log up to now is in the archive."""
    name = await connection.fetchval("SELECT pg_walfile_name(pg_current_wal_lsn())")
    await connection.execute(TASK, "what fills the segment")
    await connection.execute("SELECT pg_switch_wal()")
    await until((archive / name).exists)


def base_backup(url, home):
    """Where the other server finds its data."""
    data = service_folder(home, NAME, server_user()) / "data"
    subprocess.run(
        [PROGRAMS / "pg_basebackup", f"--dbname={url}", f"--pgdata={data}", "--checkpoint=fast"], check=True
    )
    return data


def to_the_moment(data, archive, moment):
    with (data / "postgresql.auto.conf").open("a") as settings:
        settings.write(RECOVERY.format(archive=archive, moment=moment.isoformat()))
    (data / "recovery.signal").touch()
    for path in archive.iterdir():
        path.chmod(0o644)
    if user := server_user():
        for path in (data, *data.rglob("*")):
            shutil.chown(path, user.uid, user.gid)


async def promoted(url):
    async with connected(url) as connection, asyncio.timeout(120):
        while await connection.fetchval("SELECT pg_is_in_recovery()"):
            await asyncio.sleep(0.05)


async def test_what_was_ordered_after_the_moment_is_doubted(homes, guard):
    lost, found, archive = homes
    password = secrets.token_urlsafe(12)
    async with served(lost, guard, password) as url, archived(url, archive), connected(url) as connection:
        await upgrade(url, environment="main", stamps_itself=True)
        await connection.execute(TASK, "before the backup, with a job")
        await connection.execute(ORDERED, "before the backup, with a job")
        data = await asyncio.to_thread(base_backup, url, found)
        await connection.execute(TASK, "after the backup")
        moment = await connection.fetchval("SELECT clock_timestamp()")
        await connection.execute(ORDERED, "after the backup")
        await connection.execute(TASK, "after the moment")
        await finished_segment(connection, archive)
    to_the_moment(data, archive, moment)
    async with served(found, guard, password) as url:
        await promoted(url)
        await check_stamp(url, "main", stamps_itself=False)
        assert (await confirm_restored(url, "main")).doubtful == 1
        async with connected(url) as connection:
            rows = [tuple(row) for row in await connection.fetch(STANDING)]
    assert rows == [
        ("after the backup", "", None, True),
        ("before the backup, with a job", "gp-1", "job-1", True),
    ]
