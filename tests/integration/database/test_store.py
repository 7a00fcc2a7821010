"""What only the real store can meet: an outage in the middle, and text that PostgreSQL cannot hold."""

import asyncio
import secrets
from dataclasses import replace

import pytest

from genpulse.adapters.database.health_checks import DatabaseProbe, MigrationsProbe
from genpulse.adapters.database.queue.task_queue import PostgresTaskQueue
from genpulse.adapters.database.schema.migrate import upgrade
from genpulse.adapters.database.tasks.ending_attempts import EndWriter
from genpulse.adapters.database.tasks.store import PostgresTaskStore
from genpulse.adapters.postgresql.connections import open_pool, outages
from genpulse.dev.processes.ports import free_port
from genpulse.dev.processes.unprivileged import remove_home
from genpulse.dev.servers.postgres import Postgres
from genpulse.domain.attempt import End, Released, RetryLater, Succeeded
from genpulse.domain.errors import BadInput, DatabaseUnavailable, ProviderUnavailable
from genpulse.domain.task import TaskStatus
from genpulse.ports import State
from tests.contract.conftest import Backend, new_ids, new_task, now
from tests.queues import depth_of
from tests.servers import TestServer

DOWN = ProviderUnavailable("down").failure


async def opened(url):
    pool = await open_pool(url, size=5, application_name="tests")
    return pool, Backend(PostgresTaskStore(pool), PostgresTaskQueue(pool, url))


@pytest.fixture
async def backend(unstamped_url):
    pool, backend = await opened(unstamped_url)
    yield backend
    await backend.queue.close()
    await backend.store.close()
    await pool.close()


@pytest.fixture
def own_server(tmp_path, guard):
    """A PostgreSQL that this test may kill."""
    server = TestServer(Postgres.lay_out(tmp_path, free_port(), secrets.token_urlsafe(9)), guard)
    server.start()
    yield server
    server.stop()
    remove_home(tmp_path)


async def test_a_character_that_cannot_be_stored_refuses_its_own_task_alone(backend):
    good = [new_task() for _ in range(20)]
    bad = replace(new_task(), input={"prompt": "a\x00b"})
    answers = await asyncio.gather(
        *map(backend.store.submit, [*good[:10], bad, *good[10:]]), return_exceptions=True
    )
    assert isinstance(answers.pop(10), BadInput)
    assert [answer.task.id for answer in answers] == [task.id for task in good]
    assert await depth_of(backend.queue) == 20


async def test_a_caller_that_goes_away_takes_nobody_along(backend):
    tasks = [new_task() for _ in range(10)]
    submits = [asyncio.create_task(backend.store.submit(task)) for task in tasks]
    await asyncio.sleep(0)
    submits[3].cancel()
    answers = await asyncio.gather(*submits, return_exceptions=True)
    assert sum(isinstance(answer, asyncio.CancelledError) for answer in answers) == 1
    assert len([answer for answer in answers if not isinstance(answer, BaseException)]) == 9


@pytest.mark.parametrize("outcome", [RetryLater(DOWN, 600.0), Released()], ids=["retry", "released"])
async def test_a_wish_that_comes_in_the_commit_that_gives_its_task_back_is_heard(backend, outcome):
    begun = await backend.begun()
    async with backend.store._pool.acquire() as connection:
        async with connection.transaction():
            await EndWriter(connection, []).write([End(begun.lease, outcome)])
            canceling = asyncio.create_task(backend.store.cancel(begun.task.id))
            await somebody_waits_for_a_lock(connection)
        canceled = await canceling
    assert canceled.status is TaskStatus.CANCELED
    assert await depth_of(backend.queue) == 0


async def somebody_waits_for_a_lock(connection):
    async with asyncio.timeout(60):
        while not await connection.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
            await asyncio.sleep(0.01)


async def test_an_outage_is_said_and_over_when_the_server_is_back(own_server):
    await upgrade(own_server.url)
    pool, backend = await opened(own_server.url)
    begun = await backend.begun()
    listening = asyncio.create_task(backend.queue.wait(backend.queue.mark(), ["sandbox"], 600))
    await asyncio.sleep(0.3)
    own_server.kill()
    for call in (
        backend.store.submit(new_task()),
        backend.store.get(begun.task.id),
        backend.end(begun.lease, Succeeded(())),
        backend.store.claim(backend.worker, "sandbox", new_ids(1)),
        backend.store.renew(backend.worker, now()),
    ):
        with pytest.raises(DatabaseUnavailable):
            await call
    assert (await DatabaseProbe(pool)()).state is State.DOWN
    assert (await MigrationsProbe(pool)()).state is State.DOWN
    await asyncio.to_thread(own_server.start)
    ended = await backend.ended(begun.lease, Succeeded(()))
    assert ended.status == "succeeded"
    assert (await DatabaseProbe(pool)()).state is State.OK
    heard = asyncio.create_task(backend.queue.wait(backend.queue.mark(), ["sandbox"], 600))
    async with asyncio.timeout(60):
        while not heard.done():
            await backend.store.submit(new_task())
            await asyncio.sleep(0.2)
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    await backend.queue.close()
    await pool.close()


async def test_who_waits_for_other_providers_is_not_woken(migrated_url):
    pool, backend = await opened(migrated_url)
    await backend.queue.wait(backend.queue.mark(), ["sandbox"], 0.5)
    waits = [asyncio.create_task(backend.queue.wait(backend.queue.mark(), [name], 600)) for name in ("a", "b")]
    await asyncio.sleep(0.2)
    await backend.store.submit(new_task(provider="b"))
    await asyncio.wait_for(waits[1], 60)
    assert not waits[0].done()
    waits[0].cancel()
    await asyncio.gather(*waits, return_exceptions=True)
    await backend.queue.close()
    await backend.store.close()
    await pool.close()


async def test_tables_that_are_missing_are_said(database_url):
    pool = await open_pool(database_url, size=2, application_name="tests")
    health = await MigrationsProbe(pool)()
    assert health.state is State.DOWN
    assert "genpulse db upgrade" in health.detail
    await pool.close()


async def test_the_url_of_sqlalchemy_is_understood(database_url):
    pool = await open_pool(
        database_url.replace("postgresql://", "postgresql+asyncpg://"), size=2, application_name="tests"
    )
    assert await pool.fetchval("SELECT 1") == 1
    await pool.close()


async def test_a_statement_that_takes_too_long_is_given_up(database_url):
    pool = await open_pool(database_url, size=1, application_name="tests", statement_s=0.2)
    with pytest.raises(DatabaseUnavailable, match="statement timeout"), outages():
        await pool.execute("SELECT pg_sleep(5)")
    assert await pool.fetchval("SELECT 1") == 1
    await pool.close()


async def test_several_hosts_in_one_url_the_first_of_which_is_away(database_url):
    user, _, rest = database_url.removeprefix("postgresql://").partition("@")
    address, _, database = rest.partition("/")
    url = f"postgresql://{user}@127.0.0.1:1,{address}/{database}?target_session_attrs=read-write"
    await upgrade(url)
    pool = await open_pool(url, size=1, application_name="tests")
    assert await pool.fetchval("SELECT count(*) FROM tasks") == 0
    await pool.close()
