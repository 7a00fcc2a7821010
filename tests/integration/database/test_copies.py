"""A copy is not the original: it is seen, refused, and emptied before it may work."""

import asyncio
import subprocess
import uuid
from contextlib import asynccontextmanager

import asyncpg
import pytest

from genpulse.adapters.database.health_checks import StampProbe
from genpulse.adapters.database.schema.environment_stamp import check_stamp, confirm_moved, empty_copy, look, stamp
from genpulse.adapters.database.schema.migrate import upgrade
from genpulse.adapters.postgresql.connections import connect, identity, open_pool
from genpulse.dev.servers.binaries import postgres_binaries
from genpulse.domain.errors import CopiedDatabase, DatabaseInUse, ForeignDatabase
from genpulse.ports import State

TASK = """
INSERT INTO tasks (id, environment, kind, provider, model, status, lease, priority, input, metadata, webhook_url,
                   created_at, finished_at)
VALUES (gen_random_uuid(), $1, 'k', 'p', 'm', $2, $3, 0, '{}', '{}', 'https://customer.example/hook', now(), $4)
"""
QUEUE = "INSERT INTO queue (task_id, provider, priority) SELECT id, 'p', 0 FROM tasks WHERE finished_at IS NULL"
ORDER = """
UPDATE tasks SET order_reference = 'r', order_account = 'p', order_sent_at = now(), order_job_id = 'job',
                 waiting_for = 'a seat', waiting_since = now()
WHERE status = 'running'
"""
WORKER = """
INSERT INTO workers (id, name, lease, lease_until) VALUES (gen_random_uuid(), 'w', interval '15 s', now())
"""
KEY = """
INSERT INTO api_keys (id, name, hint, digest, scopes, created_at)
VALUES (gen_random_uuid(), 'n', 'h', 'digest', '{}', now())
"""
MESSAGE = """
INSERT INTO deliveries (id, task_id, type, url, task, created_at, next_try_at, delivered_at)
SELECT gen_random_uuid(), id, 'task.failed', webhook_url, '{}', now(), $1, $2
FROM tasks WHERE finished_at IS NOT NULL
"""


@asynccontextmanager
async def connected(url):
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


async def one(url, statement, *values):
    async with connected(url) as connection:
        return await connection.fetchval(statement, *values)


async def filled(url, environment):
    """A database at work: tasks that wait, run and have ended, messages, keys, and bytes that are to go."""
    await upgrade(url)
    await stamp(url, environment)
    async with connected(url) as connection:
        now = await connection.fetchval("SELECT now()")
        for status, lease, finished_at in (
            ("queued", None, None),
            ("queued", None, None),
            ("running", uuid.uuid4(), None),
            ("succeeded", None, now),
        ):
            await connection.execute(TASK, environment, status, lease, finished_at)
        await connection.execute(QUEUE)
        await connection.execute(ORDER)
        await connection.execute(WORKER)
        await connection.execute(MESSAGE, now, None)
        await connection.execute(MESSAGE, None, now)
        await connection.execute(KEY)
        await connection.execute("INSERT INTO doomed_objects VALUES ('k', 1, now())")
    return url


@pytest.fixture
async def original(unstamped_url):
    return await filled(unstamped_url, "main")


@pytest.fixture
async def copy(original, postgres):
    """As pg_dump and pg_restore, or CREATE DATABASE … TEMPLATE, make it."""
    name = f"copy_{uuid.uuid4().hex}"
    source = original.rpartition("/")[2].partition("?")[0]
    async with connected(postgres.url) as connection:
        await connection.execute(f"CREATE DATABASE {name} TEMPLATE {source} STRATEGY FILE_COPY")
    yield original.replace(source, name)
    async with connected(postgres.url) as connection:
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


async def test_the_original_is_known_by_its_cluster(original):
    await check_stamp(original, "main", stamps_itself=False)
    found = (await look(original)).stamp
    cluster, _, oid = found.identity.partition("/")
    assert found.identity == found.connected_identity
    assert cluster == str(await one(original, "SELECT system_identifier::text FROM pg_control_system()"))
    assert oid == str(await one(original, "SELECT oid::text FROM pg_database WHERE datname = current_database()"))


@pytest.mark.parametrize("environment", ["test", "main"])
async def test_a_copy_is_refused_by_everything(unstamped_url, postgres, environment):
    await filled(unstamped_url, environment)
    name = f"copy_{uuid.uuid4().hex}"
    source = unstamped_url.rpartition("/")[2].partition("?")[0]
    async with connected(postgres.url) as connection:
        await connection.execute(f"CREATE DATABASE {name} TEMPLATE {source} STRATEGY FILE_COPY")
        copy = unstamped_url.replace(source, name)
        calls = (
            lambda: check_stamp(copy, environment, stamps_itself=False),
            lambda: upgrade(copy, environment=environment),
            lambda: stamp(copy, environment),
            lambda: connect(copy, application_name="tests", environment=environment),
        )
        for call in calls:
            with pytest.raises(CopiedDatabase, match=f"a copy of that of {environment}, or was moved"):
                await call()
        pool = await open_pool(copy, size=1, application_name="tests", environment=environment)
        with pytest.raises(CopiedDatabase):
            await pool.fetchval("SELECT 1")
        health = await StampProbe(pool, environment)()
        assert (health.state, "is a copy" in health.detail) == (State.DOWN, True)
        await pool.close()
        with pytest.raises(ForeignDatabase, match=f"belongs to {environment}"):
            await check_stamp(copy, "dev", stamps_itself=True)
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


async def test_a_dump_that_is_restored_is_refused(original, postgres):
    name = f"restored_{uuid.uuid4().hex}"
    copy = original.replace(original.rpartition("/")[2].partition("?")[0], name)
    programs = postgres_binaries().folder
    async with connected(postgres.url) as connection:
        await connection.execute(f"CREATE DATABASE {name}")
    dump = await asyncio.to_thread(
        subprocess.run, [programs / "pg_dump", original], capture_output=True, check=True
    )
    await asyncio.to_thread(
        subprocess.run, [programs / "psql", copy], input=dump.stdout, capture_output=True, check=True
    )
    with pytest.raises(CopiedDatabase):
        await check_stamp(copy, "main", stamps_itself=False)
    async with connected(postgres.url) as connection:
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


async def test_what_was_moved_goes_on_as_it_was(copy):
    assert (await confirm_moved(copy, "main")).changed
    assert not (await confirm_moved(copy, "main")).changed
    await check_stamp(copy, "main", stamps_itself=False)
    assert await one(copy, "SELECT count(*) FROM tasks WHERE finished_at IS NULL") == 3
    assert await one(copy, "SELECT count(*) FROM api_keys") == 1
    with pytest.raises(ForeignDatabase):
        await confirm_moved(copy, "test")


async def state_of(url):
    async with connected(url) as connection:
        tasks = await connection.fetch(
            "SELECT status, error ->> 'code' AS code, seq FROM tasks ORDER BY status, code"
        )
        counts = [
            await connection.fetchval(f"SELECT count(*) FROM {rows}")
            for rows in (
                "tasks WHERE finished_at IS NULL OR lease IS NOT NULL",
                "tasks WHERE order_reference IS NOT NULL OR order_job_id IS NOT NULL OR waiting_for IS NOT NULL",
                "queue",
                "workers",
                "deliveries WHERE next_try_at IS NOT NULL",
                "deliveries",
                "api_keys",
                "doomed_objects",
                "message_keys",
            )
        ]
        secret = await connection.fetchval("SELECT secret FROM signing_secret")
    return [(row["status"], row["code"]) for row in tasks], counts, secret


EMPTY = (
    [("failed", "foreign_environment")] * 3 + [("succeeded", None)],
    [0, 0, 0, 0, 0, 1, 0, 0, 0],
)


async def test_a_copy_is_emptied_of_what_would_act(original, copy):
    before = await state_of(original)
    done = await empty_copy(copy, "main")
    assert done.changed
    assert str(done.emptied) == "3 live tasks ended, 1 waiting webhooks and 1 API keys removed"
    await check_stamp(copy, "main", stamps_itself=False)
    tasks, counts, secret = await state_of(copy)
    assert (tasks, counts) == EMPTY
    assert (len(secret), secret != before[2]) == (32, True)
    assert await state_of(original) == before


async def test_the_original_is_never_emptied(original):
    before = await state_of(original)
    done = await empty_copy(original, "main")
    assert (done.changed, done.emptied) == (False, None)
    assert await state_of(original) == before


async def test_a_copy_that_is_given_to_another_environment_is_emptied(copy):
    done = await stamp(copy, "test", replaces="main")
    assert (done.changed, done.emptied.tasks) == (True, 3)
    await check_stamp(copy, "test", stamps_itself=False)
    assert (await state_of(copy))[:2] == EMPTY
    again = await stamp(copy, "test", replaces="main")
    assert (again.changed, again.emptied) == (False, None)


async def test_nothing_is_emptied_under_processes_that_are_connected(copy):
    other = await connect(copy, application_name="genpulse worker main")
    with pytest.raises(DatabaseInUse, match="genpulse worker main"):
        await empty_copy(copy, "main")
    assert await one(copy, "SELECT count(*) FROM tasks WHERE finished_at IS NULL") == 3
    await other.close()


async def test_it_is_all_emptied_or_nothing(copy):
    async with connected(copy) as connection:
        await connection.execute("CREATE TABLE keeps (id uuid REFERENCES api_keys)")
        await connection.execute("INSERT INTO keeps SELECT id FROM api_keys")
    before = await state_of(copy)
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await empty_copy(copy, "main")
    assert await state_of(copy) == before
    with pytest.raises(CopiedDatabase):
        await check_stamp(copy, "main", stamps_itself=False)


async def test_a_developers_copy_is_taken_for_the_original_with_a_warning(unstamped_url, postgres, caplog):
    await filled(unstamped_url, "dev")
    name = f"copy_{uuid.uuid4().hex}"
    source = unstamped_url.rpartition("/")[2].partition("?")[0]
    async with connected(postgres.url) as connection:
        await connection.execute(f"CREATE DATABASE {name} TEMPLATE {source} STRATEGY FILE_COPY")
    copy = unstamped_url.replace(source, name)
    await check_stamp(copy, "dev", stamps_itself=True)
    assert "vendors may have to be paid twice" in caplog.text
    assert not (await look(copy)).stamp.is_elsewhere
    async with connected(copy) as connection:
        await connection.execute("UPDATE environment_stamp SET identity = '1/1'")
    await upgrade(copy, environment="dev", stamps_itself=True)
    assert not (await look(copy)).stamp.is_elsewhere
    assert await one(copy, "SELECT count(*) FROM tasks WHERE finished_at IS NULL") == 3
    async with connected(postgres.url) as connection:
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


async def test_an_older_database_notes_which_it_is_at_its_upgrade(unstamped_url):
    await filled(unstamped_url, "main")
    async with connected(unstamped_url) as connection:
        await connection.execute("UPDATE environment_stamp SET identity = NULL")
    await check_stamp(unstamped_url, "main", stamps_itself=False)
    await upgrade(unstamped_url, environment="main")
    found = (await look(unstamped_url)).stamp
    assert found.identity == found.connected_identity


async def test_a_stamp_from_before_identities_is_read_and_replaced(original):
    async with connected(original) as connection:
        await connection.execute("ALTER TABLE environment_stamp DROP COLUMN identity")
    await check_stamp(original, "main", stamps_itself=False)
    assert (await stamp(original, "test", replaces="main")).emptied.tasks == 3
    await check_stamp(original, "test", stamps_itself=False)


async def test_who_may_not_read_the_cluster_still_sees_a_copy(original, copy, postgres):
    role = f"poor_{uuid.uuid4().hex}"
    async with connected(postgres.url) as connection:
        await connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'p'")
    as_poor = {}
    for name, url in (("original", original), ("copy", copy)):
        async with connected(url) as connection:
            await connection.execute("REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC")
            await connection.execute(f"GRANT SELECT ON environment_stamp TO {role}")
        as_poor[name] = f"postgresql://{role}:p@{url.rpartition('@')[2]}"
    async with connected(as_poor["original"]) as connection:
        assert (await identity(connection)).startswith("?/")
    await check_stamp(as_poor["original"], "main", stamps_itself=False)
    with pytest.raises(CopiedDatabase):
        await check_stamp(as_poor["copy"], "main", stamps_itself=False)
    async with connected(original) as first, connected(copy) as second, connected(postgres.url) as third:
        for each in (first, second):
            await each.execute(f"DROP OWNED BY {role}")
        await third.execute(f"DROP ROLE {role}")
