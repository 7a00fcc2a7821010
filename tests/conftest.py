"""Servers for all tests: one PostgreSQL and one Redis a test process, an empty database a test."""

import gc
import signal
import uuid
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest
from redis.asyncio import Redis as Client

from genpulse.adapters.database.schema.migrate import upgrade
from genpulse.dev.processes.child import Guard
from genpulse.dev.servers.postgres import Postgres
from genpulse.dev.servers.redis import Redis
from tests.kept_connection import KeptConnection
from tests.server_home import throw_away_home
from tests.servers import TestServer, finished, launch
from tests.tables import emptied

_LEAVE = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_TABLES = (
    "tasks",
    "batches",
    "attempts",
    "queue",
    "workers",
    "deliveries",
    "assets",
    "asset_uses",
    "doomed_objects",
    "tombstones",
    "ledger",
    "api_keys",
    "key_webhook_secrets",
    "spending",
)
_EMPTY = f"""
{_LEAVE};
{emptied(_TABLES)};
UPDATE renewals SET since = now(), last_at = now()
"""
_QUICK_PASSWORD = """
SELECT set_config('scram_iterations', '1', false) WHERE current_setting('server_version_num')::int >= 160000;
ALTER ROLE CURRENT_USER PASSWORD '{password}'
"""
"""Thousands of connections prove that they know it, and half of what each costs us is 4096 rounds of hashing."""
_COPY = "CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY"
"""Nothing is written down twice where a server forgets its data anyway."""

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
        gc.enable()
        gc.freeze()


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
def postgres(server_home: Path, guard: Guard) -> Iterator[TestServer]:
    server = launch(Postgres.lay_out, server_home, guard)
    finished(_execute(server.url, _QUICK_PASSWORD.format(password=urlsplit(server.url).password)))
    yield server
    server.stop()


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
    maintenance.execute(_COPY.format(name=name, template=template))
    yield f"{postgres.url.rpartition('/')[0]}/{name}"
    maintenance.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def database_url(postgres: TestServer, maintenance: KeptConnection) -> Iterator[str]:
    """A new database that goes away after the test."""
    with _database(postgres, maintenance, "template1") as url:
        yield url


@pytest.fixture(scope="session")
def unstamped_template(postgres: TestServer, maintenance: KeptConnection) -> str:
    """The name of a database with all tables that is nobody's."""
    name = "unstamped_template_of_tests"
    maintenance.execute(_COPY.format(name=name, template="template1"))
    finished(upgrade(f"{postgres.url.rpartition('/')[0]}/{name}"))
    return name


@pytest.fixture
def unstamped_url(postgres: TestServer, maintenance: KeptConnection, unstamped_template: str) -> Iterator[str]:
    """A new database with all tables that is nobody's, and goes away after the test."""
    with _database(postgres, maintenance, unstamped_template) as url:
        yield url


@pytest.fixture(scope="session")
def template(postgres: TestServer, maintenance: KeptConnection, unstamped_template: str) -> str:
    """The name of a database of the environment `dev` with all tables, of which copies are cheap."""
    name = "template_of_tests"
    maintenance.execute(_COPY.format(name=name, template=unstamped_template))
    url = f"{postgres.url.rpartition('/')[0]}/{name}"
    finished(upgrade(url, environment="dev", stamps_itself=True))
    # Copies of it are what the tests work with, and are to pass as originals.
    finished(_execute(url, "UPDATE environment_stamp SET identity = NULL"))
    return name


@pytest.fixture(scope="session")
def shared_database(postgres: TestServer, maintenance: KeptConnection, template: str) -> str:
    """A database with all tables for the tests of this process, one after the other."""
    name = f"shared_{uuid.uuid4().hex}"
    maintenance.execute(_COPY.format(name=name, template=template))
    return f"{postgres.url.rpartition('/')[0]}/{name}"


@pytest.fixture(scope="session")
def cleaner(shared_database: str) -> Iterator[KeptConnection]:
    """What empties the shared database."""
    connection = KeptConnection(shared_database)
    yield connection
    connection.close()


@pytest.fixture
def migrated_url(shared_database: str, cleaner: KeptConnection) -> str:
    """A database with all tables and no rows. Who changes more than rows takes `own_database_url`."""
    cleaner.execute(_EMPTY)
    return shared_database


@pytest.fixture
def own_database_url(postgres: TestServer, maintenance: KeptConnection, template: str) -> Iterator[str]:
    """A new database with all tables, which goes away after the test."""
    with _database(postgres, maintenance, template) as url:
        yield url


@pytest.fixture
def redis_url(redis_server: TestServer) -> str:
    """A Redis without a key in it."""
    finished(_flush(redis_server.url))
    return redis_server.url


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def _flush(url: str) -> None:
    async with Client.from_url(url) as client:
        await client.flushall()
