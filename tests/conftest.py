"""Servers for all tests: one PostgreSQL and one Redis a test process, an empty database a test."""

import asyncio
import gc
import os
import signal
import uuid
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path

import hypothesis
import pytest
from redis import Redis as Client

from genpulse.adapters.postgresql.pooler import Pooler
from genpulse.dev.processes.child import Guard
from genpulse.dev.servers.redis import Redis
from tests import drawn, kept_migrations, kept_pool  # noqa: F401 - registers what `--hypothesis-profile` names
from tests.forks import IS_ONE_OF_MANY
from tests.kept_connection import KeptConnection
from tests.kept_pool import KeptPools
from tests.laid_out import COPY, TEMPLATE, UNSTAMPED, server_of, server_of_many
from tests.server_home import throw_away_home
from tests.servers import TestServer, launch
from tests.tables import emptied_but
from tests.transports import tell_their_tests

hypothesis.settings.register_profile(
    "no clock decides", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("no clock decides")
kept_migrations.keep()
tell_their_tests()
_LEAVE = f"""
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name <> '{kept_pool.NAME}'
"""
_NOT_EMPTY = ("alembic_version", "environment_stamp", "renewals", "schema_compatibility", "signing_secret")
"""The tables in which a new database has a row."""
_EMPTY = f"""
{_LEAVE};
{emptied_but(_NOT_EMPTY)};
UPDATE renewals SET since = now(), last_at = now()
"""

_YOUNG = 20_000
"""Objects after which Python looks for garbage: after 700, a sixth of all time goes into it."""

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell lets its background jobs ignore Ctrl-C, and so would every process that a test starts and interrupts.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Thousands of tests are collected, and none of them is garbage: a third of the time goes into looking."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(_YOUNG, 10, 50)
        gc.enable()


@pytest.fixture(scope="session", autouse=True)
async def loop() -> asyncio.AbstractEventLoop:
    """The one in which all tests of this process run, one after the other."""
    return asyncio.get_running_loop()


@pytest.fixture(autouse=True)
def no_task_outlives_its_test(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """As if each had a loop of its own, which is closed after it."""
    yield
    if left := asyncio.all_tasks(loop):
        for task in left:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))


@pytest.fixture(scope="session")
def guard() -> Iterator[Guard]:
    guard = Guard()
    yield guard
    guard.close()


@pytest.fixture(scope="session")
def server_home() -> Iterator[Path]:
    with throw_away_home() as home:
        yield home


@pytest.fixture(scope="session")
def postgres(
    server_home: Path, guard: Guard, tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Iterator[TestServer]:
    is_one_of_many = IS_ONE_OF_MANY in pytestconfig.stash or "PYTEST_XDIST_WORKER" in os.environ
    shared = tmp_path_factory.getbasetemp().parent
    with server_of_many(server_home, guard, shared) if is_one_of_many else server_of(server_home, guard) as server:
        yield server


@pytest.fixture(scope="session")
def redis_server(server_home: Path, guard: Guard) -> Iterator[TestServer]:
    server = launch(Redis.lay_out, server_home, guard)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def maintenance(postgres: TestServer) -> Iterator[KeptConnection]:
    """What makes databases, and drops them."""
    connection = KeptConnection(postgres.url)
    yield connection
    connection.close()


@contextmanager
def _database(postgres: TestServer, maintenance: KeptConnection, template: str) -> Iterator[str]:
    name = f"test_{uuid.uuid4().hex}"
    maintenance.execute(COPY.format(name=name, template=template))
    yield f"{postgres.url.rpartition('/')[0]}/{name}"
    maintenance.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def copied(postgres: TestServer, maintenance: KeptConnection) -> Callable[[str], AbstractContextManager[str]]:
    """The URL of a copy of the database of this name, to which nobody is connected; it goes after the body."""
    return partial(_database, postgres, maintenance)


@pytest.fixture
def database_url(postgres: TestServer, maintenance: KeptConnection) -> Iterator[str]:
    """A new database that goes away after the test."""
    with _database(postgres, maintenance, "template1") as url:
        yield url


@pytest.fixture
def unstamped_url(postgres: TestServer, maintenance: KeptConnection) -> Iterator[str]:
    """A new database with all tables that is nobody's, and goes away after the test."""
    with _database(postgres, maintenance, UNSTAMPED) as url:
        yield url


@pytest.fixture(scope="session")
def shared_database(postgres: TestServer, maintenance: KeptConnection) -> str:
    """A database with all tables for the tests of this process, one after the other."""
    name = f"shared_{uuid.uuid4().hex}"
    maintenance.execute(COPY.format(name=name, template=TEMPLATE))
    return f"{postgres.url.rpartition('/')[0]}/{name}"


@pytest.fixture(scope="session")
def cleaner(shared_database: str) -> Iterator[KeptConnection]:
    """What empties the shared database."""
    connection = KeptConnection(shared_database)
    yield connection
    connection.close()


@pytest.fixture(scope="session")
def pools(shared_database: str, loop: asyncio.AbstractEventLoop) -> Iterator[KeptPools]:
    """Pools of connections to the shared database, for those who take `migrated_url`.

    With POOLER=transaction they are as behind such a pooler, and nothing may be left in any session.
    """
    pools = KeptPools(shared_database, Pooler(os.environ.get("POOLER", Pooler.NONE)))
    yield pools
    loop.run_until_complete(pools.close())


@pytest.fixture
def migrated_url(shared_database: str, cleaner: KeptConnection) -> str:
    """A database with all tables and no rows. Who changes more than rows takes `own_database_url`."""
    cleaner.execute(_EMPTY)
    return shared_database


@pytest.fixture
def own_database_url(postgres: TestServer, maintenance: KeptConnection) -> Iterator[str]:
    """A new database with all tables, which goes away after the test."""
    with _database(postgres, maintenance, TEMPLATE) as url:
        yield url


@pytest.fixture(scope="session")
def flusher(redis_server: TestServer) -> Iterator[Client]:
    """What empties Redis."""
    with Client.from_url(redis_server.url) as client:
        yield client


@pytest.fixture
def redis_url(redis_server: TestServer, flusher: Client) -> str:
    """A Redis without a key in it, and the patience of a busy machine: connections are made in 2 s elsewhere."""
    flusher.flushall()
    return f"{redis_server.url}?socket_connect_timeout=60"
