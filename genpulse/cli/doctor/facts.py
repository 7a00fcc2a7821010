"""Facts that servers report when asked directly."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

import asyncpg
from redis.asyncio import Redis
from redis.exceptions import RedisError

from genpulse.addresses.postgresql import plain

_PATIENCE_S = 5.0
_PLAIN_REDIS = {"redis", "rediss", "unix"}
_QUESTION = """
SELECT current_setting('server_version_num')::int / 10000 AS version,
       clock_timestamp() AS clock,
       coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false) AS tls,
       current_setting('max_connections')::int
           - current_setting('superuser_reserved_connections')::int AS connections
"""


_HAS_CLOCKS = """
SELECT EXISTS (
    SELECT FROM information_schema.columns
    WHERE table_schema = current_schema() AND table_name = 'workers' AND column_name = 'clock_ahead_s'
)
"""
_CLOCKS = """
SELECT name, clock_ahead_s::float8 AS ahead_s FROM workers
WHERE lease_until > now() AND clock_ahead_s IS NOT NULL ORDER BY name
"""


@dataclass(frozen=True, slots=True)
class DatabaseFacts:
    """Facts of PostgreSQL: its major version, whether this connection has TLS, how many connections it takes.

    `clock_ahead_s`: by how many seconds its clock is ahead of this machine's, give or take `clock_error_s`.
    """

    version: int
    tls: bool
    connections: int
    clock_ahead_s: float
    clock_error_s: float


@dataclass(frozen=True, slots=True)
class WorkerClock:
    """A worker that lives, and by how many seconds its clock is ahead of the database's."""

    name: str
    ahead_s: float


@dataclass(frozen=True, slots=True)
class RedisFacts:
    """Facts of Redis or Valkey: what it calls itself, and the major version whose protocol it speaks."""

    server: str
    version: int
    version_text: str


async def database_facts(url: str, now: Callable[[], datetime]) -> DatabaseFacts | None:
    """Ask PostgreSQL; None when it does not answer within 5 seconds. `now` is this machine's clock."""
    try:
        async with asyncio.timeout(_PATIENCE_S):
            connection = await asyncpg.connect(plain(url))
            try:
                await connection.fetchrow(_QUESTION)
                before = now()
                row = await connection.fetchrow(_QUESTION)
                after = now()
            finally:
                connection.terminate()
    except (OSError, TimeoutError, EOFError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return None
    half = (after - before) / 2
    ahead = row["clock"] - (before + half)
    return DatabaseFacts(
        row["version"], row["tls"], row["connections"], ahead.total_seconds(), half.total_seconds()
    )


async def worker_clocks(url: str) -> tuple[WorkerClock, ...]:
    """The clocks of the live workers. Empty where the database does not answer within 5 seconds or knows none."""
    try:
        async with asyncio.timeout(_PATIENCE_S):
            connection = await asyncpg.connect(plain(url))
            try:
                rows = await connection.fetch(_CLOCKS) if await connection.fetchval(_HAS_CLOCKS) else []
            finally:
                connection.terminate()
    except (OSError, TimeoutError, EOFError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return ()
    return tuple(WorkerClock(row["name"], row["ahead_s"]) for row in rows)


async def redis_facts(url: str) -> RedisFacts | None:
    """Ask Redis; None when it does not answer within 5 seconds, and for a cluster or Sentinel."""
    if urlsplit(url).scheme not in _PLAIN_REDIS:
        return None
    try:
        async with asyncio.timeout(_PATIENCE_S), Redis.from_url(url, decode_responses=True) as redis:
            answer = await redis.execute_command("HELLO")  # type: ignore[no-untyped-call]
    except (OSError, TimeoutError, ValueError, RedisError):
        return None
    fields = answer if isinstance(answer, dict) else dict(zip(answer[::2], answer[1::2], strict=False))
    version = str(fields.get("version", "0"))
    return RedisFacts(str(fields.get("server", "redis")), int(version.partition(".")[0]), version)
