"""The data of PostgreSQL with what all tests copy: laid out once a run, copied by each process of it."""

import fcntl
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg

from genpulse.adapters.database.schema.migrate import upgrade
from genpulse.dev.processes.child import Guard
from genpulse.dev.processes.ports import free_port
from genpulse.dev.processes.unprivileged import server_user, service_folder
from genpulse.dev.servers.postgres import NAME, Postgres
from tests.server_home import throw_away_home
from tests.servers import TestServer, finished

UNSTAMPED = "unstamped_template_of_tests"
"""A database with all tables that is nobody's."""
TEMPLATE = "template_of_tests"
"""The same of the environment `dev`."""
COPY = "CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY"
"""Nothing is written down twice where a server forgets its data anyway."""
_QUICK_PASSWORD = """
SELECT set_config('scram_iterations', '1', false) WHERE current_setting('server_version_num')::int >= 160000;
ALTER ROLE CURRENT_USER PASSWORD '{password}'
"""
"""Thousands of connections prove that they know it, and half of what each costs us is 4096 rounds of hashing."""
_NOBODYS_COPY = "UPDATE environment_stamp SET identity = NULL"
"""Copies of it are what the tests work with, and are to pass as originals."""


@contextmanager
def server_of(home: Path, guard: Guard) -> Iterator[TestServer]:
    """A server in the home, for a process that has no other beside it."""
    server = TestServer(Postgres.lay_out(home, free_port(), secrets.token_urlsafe(12), durable=False), guard)
    server.start()
    finished(_prepare(server.url))
    yield server
    server.stop()


@contextmanager
def server_of_many(home: Path, guard: Guard, shared: Path) -> Iterator[TestServer]:
    """A server in the home, of what lies in `shared`: the first process that needs it makes it."""
    with _alone(shared):
        is_mine = not (shared / "password").exists()
        if is_mine:
            _make(shared, guard)
        password = (shared / "password").read_text()
        _copy(shared / "data", service_folder(home, NAME, server_user()))
    server = TestServer(Postgres.lay_out(home, free_port(), password, durable=False), guard)
    server.start()
    yield server
    server.stop()
    if is_mine:
        with _alone(shared):
            shutil.rmtree(shared / "data")
            (shared / "password").unlink()


@contextmanager
def _alone(shared: Path) -> Iterator[None]:
    """While no other process makes, copies or removes what is there."""
    with (shared / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _make(shared: Path, guard: Guard) -> None:
    with throw_away_home() as home:
        with server_of(home, guard) as server:
            password = urlsplit(server.url).password or ""
        _copy((home / NAME).resolve() / "data", shared)
    (shared / "password").write_text(password)


async def _prepare(url: str) -> None:
    base = url.rpartition("/")[0]
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(_QUICK_PASSWORD.format(password=urlsplit(url).password))
        await connection.execute(COPY.format(name=UNSTAMPED, template="template1"))
        await upgrade(f"{base}/{UNSTAMPED}")
        await connection.execute(COPY.format(name=TEMPLATE, template=UNSTAMPED))
        await upgrade(f"{base}/{TEMPLATE}", environment="dev", stamps_itself=True)
    finally:
        await connection.close()
    stamped = await asyncpg.connect(f"{base}/{TEMPLATE}")
    try:
        await stamped.execute(_NOBODYS_COPY)
    finally:
        await stamped.close()


def _copy(folder: Path, place: Path) -> None:
    """With its owners: PostgreSQL takes no folder of somebody else."""
    subprocess.run(["cp", "-a", str(folder), str(place)], check=True)
