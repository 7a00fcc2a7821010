"""A private PostgreSQL and Redis that keep what they are told, and GenPulse's processes on them."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import psutil

from genpulse.dev.processes.child import Child, Command, Guard
from genpulse.dev.processes.ports import LOOPBACK, free_port
from genpulse.dev.processes.unprivileged import remove_home
from genpulse.dev.servers.binaries import postgres_binaries
from tests.servers import stack_of

ROOT = Path(__file__).parents[1]
CLIENTS = 64
ORDER = '{"model": "sandbox/noop", "input": {}}'
START_S = 30.0


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured: rounds, seconds a round, and how much of everything else (1.0 is all)."""

    rounds: int = 5
    seconds: float = 4.0
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class Stack:
    """Both servers, and how processes are started on them."""

    home: Path
    guard: Guard
    database_url: str
    redis_url: str
    size: Size
    tree: Path = ROOT
    """Whose code runs."""

    @property
    def environment(self) -> dict[str, str]:
        """What GenPulse's processes get."""
        return {
            **os.environ,
            "ENV": "dev",
            "GENPULSE_DATABASE_URL": self.database_url,
            "GENPULSE_REDIS__URL": self.redis_url,
            "GENPULSE_STORAGE__URL": (self.home / "storage").as_uri(),
        }

    def upgrade(self) -> None:
        """Make the tables."""
        command = [sys.executable, "-m", "genpulse", "db", "upgrade"]
        done = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, cwd=self.tree, check=False
        )
        if done.returncode:
            raise SystemExit(f"the tables were not made:\n{done.stderr}")

    @contextmanager
    def api(self, count: int = 1, environment: Mapping[str, str] | None = None) -> Iterator[tuple[str, ...]]:
        """The addresses of so many API processes."""
        with ExitStack() as stack:
            urls = []
            for _ in range(count):
                port = str(free_port())
                words = {**(environment or {}), "GENPULSE_API__PORT": port, "GENPULSE_LOG__LEVEL": "info"}
                command = [sys.executable, "-m", "genpulse", "api"]
                stack.enter_context(self.process("api", command, "Uvicorn running", words))
                urls.append(f"http://{LOOPBACK}:{port}")
            yield tuple(urls)

    @contextmanager
    def worker(self, **environment: str) -> Iterator[psutil.Process]:
        """A worker."""
        command = [sys.executable, "-m", "genpulse", "worker"]
        with self.process("worker", command, "worker ready", environment) as child:
            yield psutil.Process(child.pid)

    @contextmanager
    def process(
        self, name: str, arguments: list[str], ready: str, environment: Mapping[str, str] | None = None
    ) -> Iterator[Child]:
        """Whatever process, from the line by which it says that it is ready."""
        wanted = {**self.environment, **(environment or {}), "PYTHONUNBUFFERED": "1"}
        child = Child(Command(name, arguments, wanted, self.tree, announcement=ready), self.guard, _quiet)
        try:
            deadline = time.monotonic() + START_S
            while not child.has_announced:
                if child.exit_code is not None or time.monotonic() > deadline:
                    raise SystemExit(f"{name} did not start:\n{child.last_lines}")
                time.sleep(0.02)
            yield child
        finally:
            child.stop(10)

    def load(self, program: str, *words: str) -> dict[str, float]:
        """What a program of `bench.load` has measured."""
        command = [sys.executable, "-m", f"bench.load.{program}", *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
        if done.returncode:
            raise SystemExit(f"bench.load.{program} failed:\n{done.stderr}")
        found: dict[str, float] = json.loads(done.stdout)
        return found

    def requests(self, *urls: str, **words: object) -> dict[str, float]:
        """Requests as fast as they are answered."""
        options = [str(word) for name, value in words.items() for word in (f"--{name}", value)]
        return self.load(
            "http", *urls, "--connections", str(CLIENTS), "--seconds", str(self.size.seconds), *options
        )

    def pgbench(self) -> Callable[[], float]:
        """Single-row inserts, one commit each, from as many clients."""
        self.execute("CREATE TABLE IF NOT EXISTS bench (id bigserial PRIMARY KEY, note text)")
        script = self.home / "insert.sql"
        script.write_text("INSERT INTO bench (note) VALUES (repeat('x', 400));\n")
        program = str(postgres_binaries().folder / "pgbench")
        words = ["-n", "-f", str(script), "-c", str(CLIENTS), "-j", "2", "-T", f"{max(self.size.seconds, 3):.0f}"]

        def measure() -> float:
            done = subprocess.run([program, *words, self.database_url], capture_output=True, text=True, check=True)
            found = re.search(r"tps = ([\d.]+)", done.stdout)
            if found is None:
                raise SystemExit(done.stdout)
            return float(found[1])

        return measure

    def execute(self, *statements: str) -> None:
        """Run these."""

        async def run() -> None:
            connection = await asyncpg.connect(self.database_url)
            try:
                for statement in statements:
                    await connection.execute(statement)
            finally:
                await connection.close()

        asyncio.run(run())

    def value(self, query: str) -> Any:
        """What a query answers."""

        async def run() -> Any:
            connection = await asyncpg.connect(self.database_url)
            try:
                return await connection.fetchval(query)
            finally:
                await connection.close()

        return asyncio.run(run())

    def fill(self, count: int, model: str = "sandbox/noop") -> None:
        """Submit so many tasks that wait for a worker."""
        with self.api() as (url,):
            self.load("fill", url, str(count), model)

    def until_idle(self) -> None:
        """Wait until every task has ended."""
        while self.value("SELECT EXISTS (SELECT 1 FROM tasks WHERE finished_at IS NULL)"):
            time.sleep(0.1)

    @staticmethod
    def child(word: str) -> psutil.Process:
        """The process that was started with this word."""
        return next(child for child in psutil.Process().children() if word in child.cmdline())

    @property
    def postgres(self) -> psutil.Process:
        """The server process, whose children do the work."""
        return _listening(urlsplit(self.database_url).port)

    @property
    def redis(self) -> psutil.Process:
        """The Redis server."""
        return _listening(urlsplit(self.redis_url).port)


def address_of(child: Child) -> str:
    """Where a program of uvicorn's listens, by the line in which it says so."""
    return next(word for word in child.last_lines.split() if word.startswith("http://")).rstrip("/")


def _listening(port: int | None) -> psutil.Process:
    for process in psutil.Process().children(recursive=True):
        if any(one.laddr.port == port and one.status == psutil.CONN_LISTEN for one in process.net_connections()):
            return process
    raise SystemExit(f"nothing of ours listens at {port}")


def cpu_s(process: psutil.Process) -> float:
    """Processor seconds of a process and all that it started and that has ended or still runs."""
    times = process.cpu_times()
    living = sum(sum(child.cpu_times()[:2]) for child in process.children() if child.is_running())
    return sum(times[:4]) + living


@contextmanager
def running(size: Size, tree: Path = ROOT) -> Iterator[Stack]:
    """Bring one up, with its tables, and take it down."""
    guard = Guard()
    home = Path(tempfile.mkdtemp(prefix="genpulse-bench-"))
    home.chmod(0o711)
    try:
        postgres, redis = stack_of(home, guard, durable=True)
        stack = Stack(home, guard, postgres.url, redis.url, size, tree)
        stack.upgrade()
        yield stack
        for server in (postgres, redis):
            server.child.signal(signal.SIGTERM)
    finally:
        guard.close()
        remove_home(home)


def _quiet(_name: str, _line: str) -> None:
    """Keep it to oneself."""
