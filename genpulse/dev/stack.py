"""The whole stack: PostgreSQL and Redis, then the migrations, then API and worker."""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from genpulse.dev.child import Command, Guard
from genpulse.dev.lock import stack_lock
from genpulse.dev.ports import LOOPBACK, claim, free_port
from genpulse.dev.postgres import Postgres
from genpulse.dev.probes import answers_ok, check_database, check_redis
from genpulse.dev.redis import Redis
from genpulse.dev.secrets import remembered
from genpulse.dev.state import DevState, born, remove_state, write_state
from genpulse.dev.supervisor import STACK, Hear, Service, Supervisor

API, WORKER, POSTGRES, REDIS = "api", "worker", "postgres", "redis"
NAMES = (API, WORKER, POSTGRES, REDIS, STACK)
_WORKER_READY = "worker ready"
_SERVER_PATIENCE_S = 1.7
_EVERYWHERE = {"0.0.0.0": LOOPBACK, "::": "::1", "": LOOPBACK}


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
    """Bring everything up, and take it down after the body. Raises `DevStackError`.

    To be used in the main thread: the processes end with the thread that started them.
    """
    _open_home(plan.home)
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
            try:
                await asyncio.shield(supervisor.stop((API, WORKER), (POSTGRES, REDIS)))
            finally:
                remove_state(plan.home)
                await asyncio.to_thread(guard.close)


def _open_home(home: Path) -> None:
    """Nobody else may look into it; where servers run as another user, that one has to pass through it."""
    home.mkdir(parents=True, exist_ok=True)
    if home.stat().st_uid == os.geteuid():
        home.chmod(0o711 if os.geteuid() == 0 else 0o700)


async def _up(plan: StackPlan, port: int, supervisor: Supervisor, hear: Hear) -> Stack:
    database_url, redis_url = await _servers(plan, supervisor, hear)
    api_url = f"http://{_reachable(plan.api_host)}:{port}"
    environment = {
        **plan.environment,
        "GENPULSE_DATABASE_URL": database_url,
        "GENPULSE_REDIS__URL": redis_url,
        "GENPULSE_API__HOST": plan.api_host,
        "GENPULSE_API__PORT": str(port),
        "PYTHONUNBUFFERED": "1",
    }

    def command(name: str, *verb: str, announcement: str | None = None) -> Command:
        arguments = [plan.python, "-m", "genpulse", *verb]
        return Command(name, arguments, environment, plan.folder, announcement=announcement)

    await supervisor.run_once(command(STACK, "db", "upgrade"))
    await supervisor.start(
        Service(command(API, "api"), lambda: answers_ok(f"{api_url}/readyz")),
        Service(command(WORKER, "worker", announcement=_WORKER_READY)),
    )
    return Stack(api_url, database_url, redis_url, supervisor)


def _reachable(host: str) -> str:
    """A host by which a server that listens there is reached from this machine, as it is written in a URL."""
    host = _EVERYWHERE.get(host, host)
    return f"[{host}]" if ":" in host else host


async def _servers(plan: StackPlan, supervisor: Supervisor, hear: Hear) -> tuple[str, str]:
    """The addresses of both servers, of which those that are not named are started."""
    database_url, redis_url = plan.database_url, plan.redis_url
    if database_url:
        await check_database(database_url)
    if redis_url:
        await check_redis(redis_url)
    servers = await asyncio.to_thread(_laid_out, plan, hear)
    await supervisor.start(
        *(Service(each.command(), each.is_ready, patience_s=_SERVER_PATIENCE_S) for each in servers)
    )
    for server in servers:
        if isinstance(server, Postgres):
            database_url = server.url
        else:
            redis_url = server.url
    return database_url or "", redis_url or ""


def _laid_out(plan: StackPlan, hear: Hear) -> list[Postgres | Redis]:
    """The servers that have to be started."""
    servers: list[Postgres | Redis] = []
    if plan.database_url and plan.redis_url:
        return servers
    kept = remembered(plan.home)
    if not plan.database_url:
        if not (plan.home / POSTGRES).exists():
            hear(STACK, "making a new PostgreSQL database")
        servers.append(Postgres.lay_out(plan.home, kept.postgres_port, kept.password))
    if not plan.redis_url:
        servers.append(Redis.lay_out(plan.home, kept.redis_port, kept.password))
    return servers
