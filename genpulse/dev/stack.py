"""The whole stack: PostgreSQL and Redis, then the migrations, then API and worker."""

import asyncio
import os
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg

from genpulse.dev.child import Command, Guard
from genpulse.dev.errors import ServerUnreachable
from genpulse.dev.lock import stack_lock
from genpulse.dev.ports import LOOPBACK, claim, free_port
from genpulse.dev.postgres import Postgres
from genpulse.dev.redis import Redis
from genpulse.dev.secrets import remembered
from genpulse.dev.state import DevState, born, remove_state, write_state
from genpulse.dev.supervisor import STACK, Hear, Service, Supervisor

API, WORKER, POSTGRES, REDIS = "api", "worker", "postgres", "redis"
NAMES = (API, WORKER, POSTGRES, REDIS, STACK)
_WORKER_READY = "worker ready"


@dataclass(frozen=True, slots=True)
class StackPlan:
    """What to bring up.

    `home` holds data and state. Without `api_port` a free one is chosen. `database_url` and `redis_url` name
    servers that are there already; without them our own are started. `environment` is what api and worker get.
    """

    home: Path
    python: str
    folder: Path
    environment: Mapping[str, str]
    api_host: str = LOOPBACK
    api_port: int | None = None
    database_url: str | None = None
    redis_url: str | None = None


@dataclass(frozen=True, slots=True)
class Stack:
    """A stack that is up."""

    api_url: str
    database_url: str
    redis_url: str
    supervisor: Supervisor

    async def watch_over(self) -> int:
        """Keep it up until a part of it ends too often; returns that part's exit code."""
        return await self.supervisor.watch_over()

    async def reload(self) -> None:
        """Start api and worker again, since their code has changed."""
        await self.supervisor.restart((API, WORKER))


@asynccontextmanager
async def running_stack(plan: StackPlan, hear: Hear) -> AsyncIterator[Stack]:
    """Bring everything up, and take it down after the body. Raises `DevStackError`."""
    plan.home.mkdir(parents=True, exist_ok=True, mode=0o711 if os.geteuid() == 0 else 0o700)
    with stack_lock(plan.home):
        port = claim(plan.api_port, plan.api_host) if plan.api_port else free_port()
        guard = Guard()
        supervisor = Supervisor(guard, hear)
        try:
            stack = await _up(plan, port, supervisor, hear)
            pid = os.getpid()
            state = DevState(pid, born(pid) or 0.0, stack.api_url, stack.database_url, stack.redis_url)
            write_state(plan.home, state)
            yield stack
        finally:
            remove_state(plan.home)
            await asyncio.shield(supervisor.stop((API, WORKER), (POSTGRES, REDIS)))
            guard.close()


async def _up(plan: StackPlan, port: int, supervisor: Supervisor, hear: Hear) -> Stack:
    database_url, redis_url = await _servers(plan, supervisor, hear)
    api_url = f"http://{plan.api_host}:{port}"
    environment = {
        **plan.environment,
        "GENPULSE_DATABASE_URL": database_url,
        "GENPULSE_REDIS__URL": redis_url,
        "GENPULSE_API__HOST": plan.api_host,
        "GENPULSE_API__PORT": str(port),
        "PYTHONUNBUFFERED": "1",
    }

    def command(name: str, *verb: str) -> Command:
        return Command(name, [plan.python, "-m", "genpulse", *verb], environment, plan.folder)

    await supervisor.run_once(command(STACK, "db", "upgrade"))
    worker = Service(command(WORKER, WORKER), lambda: _has_said(worker, _WORKER_READY))
    await _together(
        supervisor.start(Service(command(API, API), lambda: _answers(api_url + "/readyz"))),
        supervisor.start(worker),
    )
    return Stack(api_url, database_url, redis_url, supervisor)


async def _servers(plan: StackPlan, supervisor: Supervisor, hear: Hear) -> tuple[str, str]:
    """The addresses of both servers, of which those that are not named are started."""
    kept = await asyncio.to_thread(remembered, plan.home)
    database_url, redis_url = plan.database_url, plan.redis_url
    starting: list[Coroutine[None, None, None]] = []
    if database_url is None:
        if not (plan.home / "postgres").exists():
            hear(STACK, "making a new PostgreSQL database")
        postgres = await asyncio.to_thread(Postgres.lay_out, plan.home, kept.postgres_port, kept.password)
        database_url = postgres.url
        starting.append(supervisor.start(Service(postgres.command(), postgres.is_ready, patience_s=1.5)))
    else:
        await _check_database(database_url)
    if redis_url is None:
        redis = await asyncio.to_thread(Redis.lay_out, plan.home, kept.redis_port, kept.password)
        redis_url = redis.url
        starting.append(supervisor.start(Service(redis.command(), redis.is_ready, patience_s=1.5)))
    else:
        await _check_redis(redis_url)
    await _together(*starting)
    return database_url, redis_url


async def _together(*starting: Coroutine[None, None, None]) -> None:
    """All of them; the first failure is raised once the others have ended."""
    results = await asyncio.gather(*starting, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result


async def _check_database(url: str) -> None:
    scheme, _, rest = url.partition("://")
    try:
        connection = await asyncpg.connect(f"{scheme.partition('+')[0]}://{rest}", timeout=5)
    except (OSError, TimeoutError, ValueError, asyncpg.PostgresError) as error:
        raise ServerUnreachable("PostgreSQL", "GENPULSE_DATABASE_URL", str(error)) from error
    await connection.close()


async def _check_redis(url: str) -> None:
    parts = urlsplit(url)
    try:
        async with asyncio.timeout(5):
            _, writer = await asyncio.open_connection(parts.hostname, parts.port or 6379)
    except (OSError, TimeoutError) as error:
        raise ServerUnreachable("Redis", "GENPULSE_REDIS__URL", str(error)) from error
    writer.close()


async def _has_said(service: Service, words: str) -> bool:
    return service.child is not None and words in service.child.last_lines


async def _answers(url: str) -> bool:
    """Whether an address answers with success."""

    def ask() -> bool:
        try:
            with urllib.request.urlopen(url, timeout=2) as response:  # noqa: S310 - our own loopback address
                return bool(response.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    return await asyncio.to_thread(ask)
