"""`make bench`: brings up a private stack and prints each row as a ratio against its floor."""

import asyncio
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg

from bench.rounds import taking_turns
from genpulse.client import GenPulse
from genpulse.dev.binaries import postgres_binaries
from genpulse.dev.child import Child, Command, Guard
from genpulse.dev.unprivileged import remove_home
from tests.servers import TestServer, stack_of

CLIENTS = 64
SECONDS = 4
ROUNDS = 5
TASKS = 3000


@contextmanager
def process(verb: str, guard: Guard, environment: dict[str, str], ready: str) -> Iterator[None]:
    child = Child(Command(verb, [sys.executable, "-m", "genpulse", verb], environment, Path.cwd()), guard, _quiet)
    deadline = time.monotonic() + 30
    while ready not in child.last_lines:
        assert time.monotonic() < deadline, child.last_lines
        time.sleep(0.05)
    try:
        yield
    finally:
        child.signal(signal.SIGTERM)
        child.stop(10)


def _quiet(_name: str, _line: str) -> None:
    """Keep it to oneself."""


def submits(url: str) -> Callable[[], float]:
    def measure() -> float:
        load = [sys.executable, "-m", "bench.submit_load", url, str(CLIENTS), str(SECONDS)]
        return float(subprocess.run(load, capture_output=True, text=True, check=True).stdout)

    return measure


def pgbench(database_url: str, folder: Path) -> Callable[[], float]:
    """Single-row inserts, one commit each, from as many clients."""
    script = folder / "insert.sql"
    script.write_text("INSERT INTO bench (note) VALUES (repeat('x', 400));\n")
    program = str(postgres_binaries().folder / "pgbench")

    def measure() -> float:
        arguments = ["-n", "-f", str(script), "-c", str(CLIENTS), "-j", "2", "-T", str(SECONDS), database_url]
        done = subprocess.run([program, *arguments], capture_output=True, text=True, check=True)
        found = re.search(r"tps = ([\d.]+)", done.stdout)
        assert found, done.stdout
        return float(found[1])

    return measure


def end_to_end(url: str, environment: dict[str, str], guard: Guard) -> Callable[[], float]:
    """No-op tasks that wait when a worker starts: rows, attempts and events, all kept."""

    async def fill() -> None:
        async with GenPulse(url) as client:
            for _ in range(TASKS // 1000):
                tasks = [{"model": "sandbox/noop", "input": {}}] * 1000
                await client._json("POST", "/v1/tasks/batch", json={"tasks": tasks})

    async def left() -> int:
        connection = await asyncpg.connect(environment["GENPULSE_DATABASE_URL"])
        try:
            return int(await connection.fetchval("SELECT count(*) FROM tasks WHERE finished_at IS NULL"))
        finally:
            await connection.close()

    def measure() -> float:
        asyncio.run(fill())
        waiting = asyncio.run(left())
        with process("worker", guard, environment, "worker ready"):
            started = time.monotonic()
            while asyncio.run(left()):
                time.sleep(0.05)
            return waiting / (time.monotonic() - started)

    return measure


async def prepare(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    await connection.execute("CREATE TABLE bench (id bigserial PRIMARY KEY, note text)")
    await connection.close()


def main() -> None:
    guard = Guard()
    home = Path(tempfile.mkdtemp(prefix="genpulse-bench-"))
    home.chmod(0o711)
    try:
        postgres, redis = stack_of(home, guard, durable=True)
        run(home, guard, postgres, redis)
    finally:
        guard.close()
        remove_home(home)


def run(home: Path, guard: Guard, postgres: TestServer, redis: TestServer) -> None:
    port = "18999"
    environment = {
        **os.environ,
        "GENPULSE_DATABASE_URL": postgres.url,
        "GENPULSE_REDIS__URL": redis.url,
        "GENPULSE_STORAGE__URL": (home / "storage").as_uri(),
        "GENPULSE_API__PORT": port,
        "GENPULSE_LOG__LEVEL": "info",
    }
    subprocess.run([sys.executable, "-m", "genpulse", "db", "upgrade"], env=environment, check=True)
    asyncio.run(prepare(postgres.url))
    url = f"http://127.0.0.1:{port}"
    with process("api", guard, environment, "Uvicorn running"):
        insert = pgbench(postgres.url, home)
        print(taking_turns("durable submit over HTTP, 64 connections", "pgbench", submits(url), insert, ROUNDS))
        noop = end_to_end(url, environment, guard)
        floor = "pgbench, one insert a transaction"
        print(taking_turns("no-op tasks end to end, one worker", floor, noop, insert, 3))


main()
