"""How each blow is struck, and how what it did is undone."""

import asyncio
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

import asyncpg
import psutil
from redis.asyncio import Redis
from redis.exceptions import RedisError

from tests.chaos.observer import AWAY
from tests.chaos.schedule import Blow, Strike
from tests.chaos.slot import Slot
from tests.chaos.stage import START_S, Stage, family
from tests.servers import TestServer

_CAUGHT_S = 3.0
_HOLD = "LOCK TABLE assets IN SHARE MODE"
_WAITS = """
SELECT EXISTS (SELECT FROM pg_stat_activity WHERE client_port = ANY($1::int[]) AND wait_event_type = 'Lock')
"""
_IS_OPEN = """
SELECT EXISTS (SELECT FROM pg_stat_activity WHERE client_port = ANY($1::int[]) AND state = 'idle in transaction')
"""
_TERMINATE = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE application_name LIKE 'genpulse%' AND pid <> pg_backend_pid()
"""


class Blows:
    """`struck` counts what was done, `missed` what was not since its victim was down or held already."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._postgres, self._redis = asyncio.Lock(), asyncio.Lock()
        self.struck: Counter[str] = Counter()
        self.missed: Counter[str] = Counter()
        self.frozen_in_transaction = 0

    async def strike(self, strike: Strike) -> None:
        """All of it, until it is over."""
        async with asyncio.TaskGroup() as group:
            for victim in strike.victims or (0,):
                group.create_task(self._on(strike, victim))

    async def _on(self, strike: Strike, victim: int) -> None:
        lock, act = self._act(strike, victim)
        if lock.locked():
            self.missed[strike.blow] += 1
            return
        async with lock:
            await act()
        self.struck[strike.blow] += 1

    def _act(self, strike: Strike, victim: int) -> tuple[asyncio.Lock, Callable[[], Awaitable[None]]]:
        if strike.blow.on_workers:
            slot = self._stage.places[victim]
            return slot.lock, lambda: self._on_worker(strike, slot)
        if strike.blow is Blow.API_KILL:
            api = self._stage.apis[victim]
            return api.lock, lambda: api.end(signal.SIGKILL)
        if strike.blow.value.startswith("PostgreSQL"):
            return self._postgres, lambda: self._on_postgres(strike)
        return self._redis, lambda: self._on_redis(strike)

    async def _on_worker(self, strike: Strike, slot: Slot) -> None:
        match strike.blow:
            case Blow.WORKER_KILL:
                await slot.end(signal.SIGKILL, strike.lasts_s)
            case Blow.WORKER_TERM:
                await slot.end(signal.SIGTERM)
            case Blow.WORKER_FREEZE:
                await slot.freeze(strike.lasts_s)
            case _:
                await self._freeze_in_transaction(slot, strike.lasts_s)

    async def _freeze_in_transaction(self, slot: Slot, for_s: float) -> None:
        """Stopped in the middle of the end of a task with outputs, whose statement is held up until it is caught.

        Where such an end is one statement, its transaction is not left open; it then froze at any other moment.
        """
        with suppress(*AWAY, psutil.Error):
            async with _connected(self._stage.postgres.url) as connection:
                ports = await _caught(connection, slot.pid)
                with _stopped(slot):
                    await connection.execute("ROLLBACK")
                    await asyncio.sleep(0.2)
                    self.frozen_in_transaction += bool(await connection.fetchval(_IS_OPEN, ports))
                    await asyncio.sleep(for_s)
                return
        await slot.freeze(for_s)

    async def _on_postgres(self, strike: Strike) -> None:
        server = self._stage.postgres
        match strike.blow:
            case Blow.POSTGRES_KILL:
                await _restart(server, strike.lasts_s)
            case Blow.POSTGRES_FREEZE:
                await _freeze(server, strike.lasts_s)
            case Blow.POSTGRES_BACKENDS:
                await _execute(server.url, _TERMINATE)
            case _:
                await self._read_only(strike.lasts_s)

    async def _read_only(self, for_s: float) -> None:
        url = self._stage.postgres.url
        if not await _execute(url, "ALTER SYSTEM SET default_transaction_read_only = on", _RELOAD):
            return
        await asyncio.sleep(for_s)
        while not await _execute(url, "ALTER SYSTEM RESET default_transaction_read_only", _RELOAD):
            await asyncio.sleep(0.2)

    async def _on_redis(self, strike: Strike) -> None:
        server = self._stage.redis
        match strike.blow:
            case Blow.REDIS_KILL:
                await _restart(server, strike.lasts_s)
            case Blow.REDIS_FREEZE:
                await _freeze(server, strike.lasts_s)
            case Blow.REDIS_FLUSH:
                await _command(server.url, "FLUSHALL")
            case _:
                await _command(server.url, "CONFIG", "SET", "maxmemory", "1")
                await asyncio.sleep(strike.lasts_s)
                while not await _command(server.url, "CONFIG", "SET", "maxmemory", "0"):
                    await asyncio.sleep(0.2)


_RELOAD = "SELECT pg_reload_conf()"


@contextmanager
def _stopped(slot: Slot) -> Iterator[None]:
    process = slot.process
    slot.send(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)


async def _caught(connection: asyncpg.Connection, pid: int) -> list[int]:
    """Hold up what stores assets until this process waits for it, or for too long; its ports."""
    ports = _ports(pid)
    await connection.execute("BEGIN")
    await connection.execute(_HOLD, timeout=_CAUGHT_S)
    deadline = time.monotonic() + _CAUGHT_S
    while time.monotonic() < deadline and not await connection.fetchval(_WAITS, ports):
        await asyncio.sleep(0.01)
    return ports


def _ports(pid: int) -> list[int]:
    return [one.laddr.port for one in psutil.Process(pid).net_connections("tcp")]


async def _restart(server: TestServer, away_s: float) -> None:
    """SIGKILL, and start again on the same data once the last of its processes is gone."""
    await asyncio.to_thread(server.kill)
    await asyncio.sleep(away_s)
    deadline = time.monotonic() + START_S
    while True:
        try:
            await asyncio.to_thread(server.start)
        except AssertionError:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.5)
        else:
            return


async def _freeze(server: TestServer, for_s: float) -> None:
    """All of its processes stand still: connections stay open and nobody answers."""
    processes = family(server.child.pid)
    try:
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.suspend()
        await asyncio.sleep(for_s)
    finally:
        for process in reversed(processes):
            with suppress(psutil.NoSuchProcess):
                process.resume()


@asynccontextmanager
async def _connected(url: str):
    connection = await asyncpg.connect(url, timeout=2, server_settings={"default_transaction_read_only": "off"})
    try:
        yield connection
    finally:
        connection.terminate()


async def _execute(url: str, *statements: str) -> bool:
    """False when the server is away."""
    try:
        async with _connected(url) as connection:
            for statement in statements:
                await connection.execute(statement, timeout=5)
    except AWAY:
        return False
    return True


async def _command(url: str, *words: str) -> bool:
    """False when the server is away."""
    try:
        async with Redis.from_url(url, socket_timeout=3, socket_connect_timeout=3) as client:
            await client.execute_command(*words)
    except (OSError, RedisError):
        return False
    return True
