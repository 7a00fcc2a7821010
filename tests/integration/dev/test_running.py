"""The servers out of wheels: private, unprivileged, and back with their data after a kill."""

import os
import secrets
from urllib.parse import urlsplit

import asyncpg
import psutil
import pytest
from redis.asyncio import Redis as Client
from redis.exceptions import AuthenticationError

from genpulse.dev.errors import StartFailed
from genpulse.dev.processes.ports import free_port
from genpulse.dev.processes.unprivileged import NOBODY, remove_home
from genpulse.dev.servers.postgres import Postgres
from genpulse.dev.servers.redis import Redis
from tests.servers import TestServer, finished

PASSWORD = "of-the-data-that-last"


@pytest.fixture
def home(tmp_path):
    yield tmp_path
    remove_home(tmp_path)


@pytest.fixture(scope="module")
def lasting_home(tmp_path_factory):
    """For data that are made once: each test finds those of the one before, and its server down."""
    home = tmp_path_factory.mktemp("servers")
    yield home
    remove_home(home)


def laid_out(kind, home, guard, password=None):
    return TestServer(kind.lay_out(home, free_port(), password or secrets.token_urlsafe(9)), guard)


async def executed(url, statement):
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


def test_postgresql_keeps_its_data_over_a_kill(lasting_home, guard):
    server = laid_out(Postgres, lasting_home, guard, PASSWORD)
    server.start()
    finished(executed(server.url, "CREATE TABLE t AS SELECT 7 AS n"))
    server.kill()
    server.start()
    assert finished(executed(server.url, "SELECT n FROM t")) == 7
    server.stop()


def test_redis_keeps_its_data_over_a_kill(home, guard):
    async def put_and_get(url, value=None):
        async with Client.from_url(url) as client:
            if value:
                await client.set("dev:k", value)
                await client.waitaof(1, 0, 2000)
            return await client.get("dev:k")

    server = laid_out(Redis, home, guard)
    server.start()
    finished(put_and_get(server.url, "v"))
    server.kill()
    server.start()
    assert finished(put_and_get(server.url)) == b"v"
    server.stop()


@pytest.mark.parametrize("kind", [Postgres, Redis])
def test_servers_listen_on_loopback_alone_and_never_as_root(lasting_home, guard, kind):
    server = laid_out(kind, lasting_home, guard, PASSWORD)
    server.start()
    process = psutil.Process(server.child.pid)
    assert process.uids().real == (NOBODY if os.geteuid() == 0 else os.geteuid())
    listening = [c.laddr.ip for c in process.net_connections("inet") if c.status == psutil.CONN_LISTEN]
    assert listening == ["127.0.0.1"]
    server.stop()


def test_a_password_is_needed(postgres, redis_server):
    wrong = postgres.url.replace(urlsplit(postgres.url).password, "wrong")
    with pytest.raises(asyncpg.InvalidPasswordError):
        finished(executed(wrong, "SELECT 1"))

    async def ping(url):
        async with Client.from_url(url) as client:
            await client.ping()

    with pytest.raises(AuthenticationError):
        finished(ping(redis_server.url.replace(urlsplit(redis_server.url).password, "wrong")))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to step down")
def test_a_folder_that_nobody_may_enter_is_stepped_around(tmp_path, guard):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    server = laid_out(Postgres, closed, guard)
    server.start()
    assert (closed / "postgres").is_symlink()
    assert finished(executed(server.url, "SELECT 1")) == 1
    elsewhere = (closed / "postgres").resolve()
    server.stop()
    remove_home(closed)
    assert not elsewhere.exists()


@pytest.mark.parametrize("kind", [Postgres, Redis])
def test_a_server_that_an_earlier_supervisor_lost_is_ended_first(lasting_home, guard, kind):
    lost = laid_out(kind, lasting_home, guard, PASSWORD)
    lost.start()
    server = kind.lay_out(lasting_home, free_port(), urlsplit(lost.url).password)
    assert lost.child.exit_code is not None
    lost.child.reap()
    again = TestServer(server, guard)
    again.start()
    again.stop()


def test_a_lock_file_whose_number_another_process_has_does_not_hinder(lasting_home, guard):
    server = laid_out(Postgres, lasting_home, guard, PASSWORD)
    server.start()
    server.kill()
    lock = (lasting_home / "postgres").resolve() / "data" / "postmaster.pid"
    lock.write_text(lock.read_text().replace(str(server.child.pid), str(os.getpid()), 1))
    again = TestServer(Postgres.lay_out(lasting_home, free_port(), urlsplit(server.url).password), guard)
    again.start()
    again.stop()


def test_an_interrupted_initdb_is_begun_anew(home, guard):
    server = laid_out(Postgres, home, guard)
    data = (home / "postgres").resolve() / "data"
    data.rename(data.with_name("data.part"))
    (data.with_name("data.part") / "PG_VERSION").unlink()
    again = laid_out(Postgres, home, guard)
    again.start()
    again.stop()
    assert server.url != again.url


def test_a_password_that_does_not_fit_the_data_is_said(home, guard):
    laid_out(Postgres, home, guard)
    other = laid_out(Postgres, home, guard)
    with pytest.raises(StartFailed, match="refuses the password"):
        other.start()
    other.stop()


def test_a_folder_with_blanks_and_quotes_will_do(tmp_path, guard):
    home = tmp_path / 'my "own" project'
    home.mkdir(mode=0o711)
    for kind in (Postgres, Redis):
        server = laid_out(kind, home, guard)
        server.start()
        server.stop()
    remove_home(home)
