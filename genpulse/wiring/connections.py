"""The pool of PostgreSQL and the addresses of servers; what is opened is closed at the end."""

from contextlib import AsyncExitStack
from typing import Protocol, TypeVar

import asyncpg

from genpulse.adapters.postgresql.connections import Pooler, open_pool
from genpulse.configuration.settings import Settings
from genpulse.configuration.sources.variables import variable_name
from genpulse.domain.errors import DatabaseUnavailable


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
        pooler=Pooler(settings.database.pooler),
        prepares=settings.database.prepared_statements,
    )


def database_url(settings: Settings) -> str:
    if settings.database_url is None:
        raise AssertionError("load() was told that database_url is not required")
    return settings.database_url.get_secret_value()


def listen_url(settings: Settings) -> str | None:
    """Where a session lasts as long as its connection; None where no address is known to lead to such a one."""
    if settings.database.listen_url is not None:
        return settings.database.listen_url.get_secret_value()
    return None if settings.database.pooler == "transaction" else database_url(settings)


def session_url(settings: Settings) -> str:
    """The same, for those who cannot do without. Raises `DatabaseUnavailable`."""
    if url := listen_url(settings):
        return url
    raise DatabaseUnavailable(
        "This needs a session of its own, and database.pooler is transaction: name PostgreSQL past its pooler in"
        f" {variable_name('database.listen_url')}."
    )


def redis_url(settings: Settings) -> str:
    if settings.redis.url is None:
        raise AssertionError("load() was told that redis.url is not required")
    return settings.redis.url.get_secret_value()
