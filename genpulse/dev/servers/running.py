"""PostgreSQL and Redis of a stack: those that are named, and for the others those that are started."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from genpulse.dev.errors import ServerUnreachable, StartFailed
from genpulse.dev.plan import Source, StackPlan
from genpulse.dev.processes.supervisor import STACK, Hear, Service, Supervisor
from genpulse.dev.servers.docker import Compose
from genpulse.dev.servers.health_checks import check_database, check_redis
from genpulse.dev.servers.postgres import Postgres
from genpulse.dev.servers.redis import Redis
from genpulse.dev.servers.secrets import remembered

POSTGRES, REDIS = "postgres", "redis"
_PATIENCE_S = 1.7


@dataclass(frozen=True, slots=True)
class Server:
    """A server that answers, and where it comes from."""

    url: str
    origin: str


Servers = dict[str, Server]


@asynccontextmanager
async def running_servers(plan: StackPlan, supervisor: Supervisor, hear: Hear) -> AsyncIterator[Servers]:
    """Both by their names; those that were started are stopped after the body. Raises `DevStackError`."""
    servers = await _named_servers(plan)
    missing = tuple(name for name in (POSTGRES, REDIS) if name not in servers)
    if not missing:
        yield servers
    elif plan.services is Source.DOCKER:
        async with _in_docker(plan, supervisor, missing) as started:
            yield {**servers, **started}
    else:
        try:
            yield {**servers, **await _from_programs(plan, supervisor, hear, missing)}
        finally:
            await asyncio.shield(supervisor.stop(missing))


async def _named_servers(plan: StackPlan) -> Servers:
    """Check the servers that the plan names. Raises `ServerUnreachable`."""
    servers = {}
    if plan.database_url:
        await check_database(plan.database_url)
        servers[POSTGRES] = Server(plan.database_url, "GENPULSE_DATABASE_URL")
    if plan.redis_url:
        await check_redis(plan.redis_url)
        servers[REDIS] = Server(plan.redis_url, "GENPULSE_REDIS__URL")
    return servers


async def _from_programs(plan: StackPlan, supervisor: Supervisor, hear: Hear, names: tuple[str, ...]) -> Servers:
    servers = await asyncio.to_thread(_laid_out, plan, hear, names)
    await supervisor.start(
        *(Service(each.command(), each.is_ready, patience_s=_PATIENCE_S) for each in servers.values())
    )
    return {name: Server(each.url, each.origin) for name, each in servers.items()}


def _laid_out(plan: StackPlan, hear: Hear, names: tuple[str, ...]) -> dict[str, Postgres | Redis]:
    secrets = remembered(plan.home)
    packages = plan.services is not Source.PATH
    servers: dict[str, Postgres | Redis] = {}
    if POSTGRES in names:
        if not (plan.home / POSTGRES).exists():
            hear(STACK, "making a new PostgreSQL database")
        servers[POSTGRES] = Postgres.lay_out(plan.home, secrets.postgres_port, secrets.password, packages=packages)
    if REDIS in names:
        servers[REDIS] = Redis.lay_out(plan.home, secrets.redis_port, secrets.password, packages=packages)
    return servers


@asynccontextmanager
async def _in_docker(plan: StackPlan, supervisor: Supervisor, names: tuple[str, ...]) -> AsyncIterator[Servers]:
    secrets = await asyncio.to_thread(remembered, plan.home)
    compose = await asyncio.to_thread(Compose.lay_out, plan.folder, plan.home, secrets)
    try:
        await supervisor.run_once(compose.up(names))
        servers = {}
        for name in names:
            url = await asyncio.to_thread(compose.url, name, secrets.password)
            await _check(compose, name, url)
            servers[name] = Server(url, f"Docker, by {compose.file}")
        yield servers
    finally:
        await asyncio.shield(asyncio.to_thread(compose.stop, names))


async def _check(compose: Compose, name: str, url: str) -> None:
    """Raises `StartFailed` when it does not let us in."""
    try:
        await (check_database(url) if name == POSTGRES else check_redis(url))
    except ServerUnreachable as error:
        why = (
            f"what {compose.file} started does not let user genpulse in with the password that is kept in"
            f" {compose.home}. The data may be older than that password: genpulse dev reset removes them"
        )
        raise StartFailed(name, why, str(error.__cause__)) from error
