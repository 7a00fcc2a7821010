"""The pool of PostgreSQL and the addresses of servers; what is opened is closed at the end."""

from contextlib import AsyncExitStack
from typing import Protocol, TypeVar

import asyncpg

from genpulse.adapters.postgresql.connections import open_pool
from genpulse.configuration.settings import Settings


class _Closes(Protocol):
    async def close(self) -> None: ...


C = TypeVar("C", bound=_Closes)


def closed_by(stack: AsyncExitStack, thing: C) -> C:
    """Return the argument, and let the stack close it before what it depends on."""
    stack.push_async_callback(thing.close)
    return thing


async def pool_of(settings: Settings, process: str) -> asyncpg.Pool:
    return await open_pool(
        database_url(settings),
        size=settings.database.pool_size,
        application_name=f"genpulse {process} {settings.environment.name}",
        environment=settings.environment.name,
        statement_s=settings.database.statement_timeout_s,
        idle_transaction_s=settings.worker.lease_s / 2,
        vanished_s=settings.worker.lease_s,
    )


def database_url(settings: Settings) -> str:
    if settings.database_url is None:
        raise AssertionError("load() was told that database_url is not required")
    return settings.database_url.get_secret_value()


def redis_url(settings: Settings) -> str:
    if settings.redis.url is None:
        raise AssertionError("load() was told that redis.url is not required")
    return settings.redis.url.get_secret_value()
