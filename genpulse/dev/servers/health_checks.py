"""Asks servers whether they are there."""

import asyncio
import ssl
from urllib.parse import urlsplit

import asyncpg

from genpulse.addresses.postgresql import plain
from genpulse.dev.errors import ServerUnreachable

_PATIENCE_S = 2.0
_NAMED_PATIENCE_S = 5.0
_SINGLE = {"redis", "rediss", "unix"}


async def exchange(
    host: str, port: int, request: str, *, lines: int, trusting: ssl.SSLContext | None = None
) -> list[str]:
    """The first lines that a server answers; fewer, or none, when it does not within two seconds."""
    answers: list[str] = []
    try:
        async with asyncio.timeout(_PATIENCE_S):
            reader, writer = await asyncio.open_connection(host, port, ssl=trusting)
            try:
                writer.write(request.encode())
                while len(answers) < lines and (line := await reader.readline()):
                    answers.append(line.decode(errors="replace").rstrip())
            finally:
                writer.close()
    except (OSError, TimeoutError, ValueError):
        pass
    return answers


async def answers_ok(url: str, ca_file: str | None = None) -> bool:
    """Whether an address of this machine answers 200; no proxy is asked. With `ca_file` it is one of https."""
    parts = urlsplit(url)
    request = f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n"
    trusting = ssl.create_default_context(cafile=ca_file) if ca_file else None
    port = parts.port or (443 if ca_file else 80)
    answers = await exchange(parts.hostname or "", port, request, lines=1, trusting=trusting)
    return bool(answers) and answers[0].split()[1:2] == ["200"]


async def check_database(url: str) -> None:
    """Raises `ServerUnreachable` unless the PostgreSQL that was named lets us in."""
    try:
        connection = await asyncpg.connect(plain(url), timeout=_NAMED_PATIENCE_S)
    except (OSError, TimeoutError, EOFError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise ServerUnreachable("PostgreSQL", "GENPULSE_DATABASE_URL", _why(error)) from error
    await connection.close()


async def check_redis(url: str) -> None:
    """Raises `ServerUnreachable` unless the Redis that was named lets us in.

    A cluster and Sentinel, which are several servers, are not asked here: a stack runs on without them.
    """
    if urlsplit(url).scheme not in _SINGLE:
        return
    from redis.asyncio import Redis  # a tenth of a second, and only a server that was named needs it
    from redis.exceptions import RedisError

    try:
        async with asyncio.timeout(_NAMED_PATIENCE_S), Redis.from_url(url) as redis:
            await redis.ping()
    except (OSError, TimeoutError, ValueError, RedisError) as error:
        raise ServerUnreachable("Redis", "GENPULSE_REDIS__URL", _why(error)) from error


def _why(error: Exception) -> str:
    return str(error) or type(error).__name__
