"""Real servers for the tests: started once a process, ended with it however it ends."""

import asyncio
import secrets
import signal
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from genpulse.dev.processes.child import Child, Guard
from genpulse.dev.processes.ports import free_port
from genpulse.dev.servers.postgres import Postgres
from genpulse.dev.servers.redis import Redis

READY_S = 120.0
T = TypeVar("T")


def finished(coroutine: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine, also where an event loop is running already."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()


class TestServer:
    """A PostgreSQL or a Redis that a test may also kill and start again."""

    __test__ = False

    def __init__(self, server: Postgres | Redis, guard: Guard) -> None:
        self._server = server
        self._guard = guard
        self._child: Child | None = None

    @property
    def url(self) -> str:
        return self._server.url

    @property
    def child(self) -> Child:
        assert self._child is not None, "the server is not running"
        return self._child

    def start(self) -> None:
        self._child = Child(self._server.command(), self._guard, lambda _name, _line: None)
        deadline = time.monotonic() + READY_S
        while not finished(self._server.is_ready()):
            assert self._child.exit_code is None, self._child.last_lines
            assert time.monotonic() < deadline, self._child.last_lines
            time.sleep(0.02)

    def kill(self) -> None:
        self.child.signal(signal.SIGKILL)
        self.child.reap()

    def stop(self) -> None:
        self.child.stop(patience_s=5)


def launch(lay_out: Callable[..., Postgres | Redis], home: Path, guard: Guard) -> TestServer:
    """Start a server that forgets its data when the machine does: it only has to be fast."""
    server = TestServer(lay_out(home, free_port(), secrets.token_urlsafe(12), durable=False), guard)
    server.start()
    return server


def stack_of(home: Path, guard: Guard, *, durable: bool) -> tuple[TestServer, TestServer]:
    """Both servers, for measurements: with `durable` they keep what they are told."""
    servers = [
        TestServer(lay_out(home, free_port(), secrets.token_urlsafe(12), durable=durable), guard)
        for lay_out in (Postgres.lay_out, Redis.lay_out)
    ]
    for server in servers:
        server.start()
    return servers[0], servers[1]
