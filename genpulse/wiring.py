"""Opens and closes everything, and introduces the rooms to each other. Settings end here."""

import logging
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from typing import Protocol, TypeVar

import asyncpg
import uuid_utils.compat
from redis.asyncio import Redis

from genpulse.adapters.database import stamp
from genpulse.adapters.database.deliveries import PostgresDeliveries
from genpulse.adapters.database.keys import PostgresKeys
from genpulse.adapters.database.probes import DatabaseProbe, MigrationsProbe, StampProbe
from genpulse.adapters.database.queue import PostgresTaskQueue
from genpulse.adapters.database.retention import PostgresRetention
from genpulse.adapters.database.sealing import Sealing
from genpulse.adapters.database.stamp import StampedDatabase as StampedDatabase
from genpulse.adapters.database.store import PostgresTaskStore
from genpulse.adapters.http.client import HttpClient
from genpulse.adapters.postgresql import open_pool
from genpulse.adapters.redis.connection import RedisProbe, open_redis
from genpulse.adapters.redis.events import RedisEventBus
from genpulse.adapters.redis.gate import RedisGate
from genpulse.adapters.redis.keys import Keyspace
from genpulse.adapters.redis.presence import RedisPresence
from genpulse.adapters.storage.checksum import checksum_options
from genpulse.adapters.storage.objects import ObjectStorage, spool_folder
from genpulse.adapters.storage.spool_folder import Waiting as Waiting
from genpulse.adapters.webhooks.sender import WebhookSender
from genpulse.background.loops import Loops
from genpulse.build import read_stamp
from genpulse.configuration.provider_options import typed
from genpulse.domain.errors import (
    DatabaseUnavailable,
    ForeignDatabase,
    ProviderUnavailable,
    UnknownProvider,
    UnstampedDatabase,
)
from genpulse.domain.gate import CircuitPolicy, Limits
from genpulse.domain.rate import Rate
from genpulse.domain.retention import RetentionPolicy
from genpulse.domain.retry import RetryPolicy
from genpulse.domain.spending import Spending
from genpulse.garbage import collect_seldom
from genpulse.ports import EnvironmentFacts, Health, KeyStore, Probe, Services, State
from genpulse.provider import EngineThreads, Local, Provider, ProviderSettings
from genpulse.providers.catalog import LoadedCatalogue, load
from genpulse.settings import ProviderSection, Settings
from genpulse.wire import AnswerLost

_KEEPERS = frozenset({"api", "worker"})
"""Processes that keep streams; a command beside them only looks."""
_random = random.SystemRandom().random
_log = logging.getLogger(__name__)


@asynccontextmanager
async def open_services(settings: Settings, *, process: str) -> AsyncIterator[Services]:
    """One of each, for as long as the body runs. Nothing is asked yet: servers may come up later."""
    async with AsyncExitStack() as stack:
        pool = await _pool(settings, process)
        stack.push_async_callback(pool.close)
        keys = Keyspace(settings.key_prefix)
        redis = open_redis(_redis_url(settings), keys.prefix)
        stack.push_async_callback(redis.aclose)
        storage = _closed_by(stack, _storage(settings))
        if process in _KEEPERS:
            await storage.sweep()
        loops = Loops()
        queue = _closed_by(stack, _queue(settings, pool, loops))
        http = _closed_by(stack, HttpClient(version("genpulse"), proxies=settings.proxies))
        catalogue = _closed_by(stack, open_catalogue(settings, http))
        collect_seldom()
        yield Services(
            environment=environment_facts(settings),
            store=_closed_by(stack, PostgresTaskStore(pool, limits=_limits(settings))),
            queue=queue,
            gate=_gate(settings, redis, keys, catalogue, queue),
            events=_closed_by(stack, RedisEventBus(redis, keys, loops=loops)),
            deliveries=PostgresDeliveries(pool, settings.environment.name),
            keys=_keys(settings, pool),
            retention=_closed_by(stack, PostgresRetention(pool, settings.environment.name)),
            sender=_closed_by(stack, _sender(settings)),
            presence=RedisPresence(redis, keys),
            storage=storage,
            catalogue=catalogue,
            probes=(*_probes(settings, pool), RedisProbe(redis, keys), storage.probe),
            retry=_retry(settings),
            spending=_spending(settings),
            retention_policy=_retention_policy(settings),
            now=lambda: datetime.now(UTC),
            new_id=uuid_utils.compat.uuid7,
            random=_random,
            loops=loops,
            output_limit_bytes=settings.worker.output_limit_bytes,
            hooks_url=settings.webhooks.public_url,
            threads=_closed_by(stack, EngineThreads(settings.worker.local_threads)),
        )


class _Closes(Protocol):
    async def close(self) -> None: ...


C = TypeVar("C", bound=_Closes)


def _closed_by(stack: AsyncExitStack, thing: C) -> C:
    """The same thing, which the stack closes before what it stands on."""
    stack.push_async_callback(thing.close)
    return thing


async def _pool(settings: Settings, process: str) -> asyncpg.Pool:
    return await open_pool(
        _database_url(settings),
        size=settings.database.pool_size,
        application_name=f"genpulse {process} {settings.environment.name}",
        environment=settings.environment.name,
        statement_s=settings.database.statement_timeout_s,
        idle_transaction_s=settings.worker.lease_s / 2,
        vanished_s=settings.worker.lease_s,
    )


def _queue(settings: Settings, pool: asyncpg.Pool, loops: Loops) -> PostgresTaskQueue:
    return PostgresTaskQueue(
        pool,
        _database_url(settings),
        limits=_limits(settings),
        environment=settings.environment.name,
        loops=loops,
    )


def _gate(
    settings: Settings, redis: Redis, keys: Keyspace, catalogue: LoadedCatalogue, queue: PostgresTaskQueue
) -> RedisGate:
    remote = {name.partition("/")[0] for name, model in catalogue.models() if not isinstance(model.engine, Local)}
    named = settings.providers.named.items()
    circuit = settings.circuit
    return RedisGate(
        redis,
        keys,
        guarded=remote,
        limits={name: _account_limits(section) for name, section in named},
        policy=CircuitPolicy(circuit.failures, circuit.first_s, circuit.longest_s),
        workers=queue.workers,
        random=_random,
    )


def _account_limits(section: ProviderSection) -> Limits:
    return Limits(section.concurrency, Rate.parse(section.rate) if section.rate else None)


def _retry(settings: Settings) -> RetryPolicy:
    retry, named = settings.retry, settings.providers.named.items()
    resubmits = frozenset(name for name, section in named if section.on_unknown == "resubmit")
    return RetryPolicy(retry.max_attempts, retry.base_s, retry.longest_s, resubmits)


def _probes(settings: Settings, pool: asyncpg.Pool) -> tuple[Probe, ...]:
    return DatabaseProbe(pool), MigrationsProbe(pool), StampProbe(pool, settings.environment.name), _build_probe


async def _build_probe() -> Health:
    """What runs here."""
    build = read_stamp()
    return Health("build", State.OK, build.label if build else "a work tree, not an image")


def open_catalogue(settings: Settings, http: HttpClient | None = None) -> LoadedCatalogue:
    """The models of all enabled providers; needs no server. Without a client they can only be looked at."""
    named = settings.providers.named
    disabled = [name for name, section in named.items() if not section.enabled]
    plain = ProviderSettings(http=http) if http else ProviderSettings()
    sections = {name: _for_plug_in(name, section, plain) for name, section in named.items()}
    adapters = {name: section.adapter for name, section in named.items() if section.adapter and section.enabled}
    return load(sections, disabled, plain, adapters)


async def probe_provider(settings: Settings, name: str) -> str:
    """Make the provider's cheapest real call, and say what it found. Raises `UnknownProvider`, `ProviderError`."""
    async with _asked(settings, name) as provider:
        if provider.probe is None:
            return "it works here and needs no account" if not provider.paid else "it has no call to try"
        return await provider.probe()


async def learn_provider(settings: Settings, name: str) -> str:
    """Let the provider keep what its models take, and say so. Raises `UnknownProvider`, `ProviderError`."""
    async with _asked(settings, name) as provider:
        if provider.learn is None:
            return "it knows its models already"
        return await provider.learn()


@asynccontextmanager
async def _asked(settings: Settings, name: str) -> AsyncIterator[Provider]:
    """A provider with a client of its own, for one question."""
    async with AsyncExitStack() as stack:
        http = _closed_by(stack, HttpClient(version("genpulse"), proxies=settings.proxies))
        catalogue = _closed_by(stack, open_catalogue(settings, http))
        provider = catalogue.provider(name)
        if provider is None:
            raise UnknownProvider(name, catalogue.providers())
        try:
            yield provider
        except AnswerLost as error:
            raise ProviderUnavailable(str(error)) from error


def _for_plug_in(name: str, section: ProviderSection, plain: ProviderSettings) -> ProviderSettings:
    key = section.api_key.get_secret_value() if section.api_key else None
    models = {
        model.strip(): what
        for what, listed in section.models.items()
        for model in listed.split(",")
        if model.strip()
    }
    options = typed(section.adapter or name, section.options)
    return replace(plain, api_key=key, base_url=section.base_url, models=models, options=options)


def _spending(settings: Settings) -> Spending:
    named = settings.providers.named.items()
    return Spending(
        paid=settings.providers.paid,
        by_provider={name: section.paid for name, section in named if section.paid is not None},
        daily_usd=settings.budget.daily_usd,
        place=settings.environment.dynaconf,
    )


def _retention_policy(settings: Settings) -> RetentionPolicy:
    section = settings.retention
    return RetentionPolicy(
        tasks=_days(section.tasks_days),
        assets=_days(section.assets_days),
        grace=timedelta(seconds=section.grace_s),
        batch=section.batch,
    )


def _days(days: int | None) -> timedelta | None:
    return None if days is None else timedelta(days=days)


def _sender(settings: Settings) -> WebhookSender:
    secret, old = settings.webhooks.secret, settings.webhooks.old_secrets
    allowed = settings.webhooks.allow_private
    return WebhookSender(
        secret.get_secret_value() if secret else None,
        old_secrets=old.get_secret_value().split() if old else (),
        allow_private=settings.environment.spawns_services if allowed is None else allowed,
        version=version("genpulse"),
        proxies=settings.proxies,
    )


def _keys(settings: Settings, pool: asyncpg.Pool) -> PostgresKeys:
    sealing = settings.webhooks.sealing_keys
    return PostgresKeys(pool, Sealing(sealing.get_secret_value().split() if sealing else ()))


def _storage(settings: Settings) -> ObjectStorage:
    options = _storage_options(settings)
    return ObjectStorage(
        settings.storage_url, spool_dir=settings.storage.spool_dir, options=options, proxies=settings.proxies
    )


def waiting_streams(settings: Settings) -> tuple[Waiting, ...]:
    """What lies on this machine's disk until it is stored, of every process of this user. Raises `OSError`."""
    return spool_folder(settings.storage.spool_dir, settings.storage_url, _storage_options(settings)).found()


def _storage_options(settings: Settings) -> dict[str, str]:
    storage = settings.storage
    secrets = {"access_key_id": storage.access_key_id, "secret_access_key": storage.secret_access_key}
    plain = {"endpoint": storage.endpoint, "region": storage.region}
    options = {
        **{name: value for name, value in plain.items() if value},
        **{name: secret.get_secret_value() for name, secret in secrets.items() if secret},
    }
    return {**options, **checksum_options(settings.storage_url, options, storage.checksum)}


def _limits(settings: Settings) -> dict[str, int]:
    return {name: section.concurrency for name, section in settings.providers.named.items() if section.concurrency}


async def upgrade_database(settings: Settings) -> tuple[str, ...]:
    """Bring the tables up to date; returns the revisions that were applied.

    Where services are spawned, a database without a stamp gets that of this environment. Raises `ForeignDatabase`,
    `DatabaseUnavailable`.
    """
    from genpulse.adapters.database import migrate  # a third of a second that only this command needs

    row = settings.environment
    url = _database_url(settings)
    return await migrate.upgrade(url, environment=row.name, stamps_itself=row.spawns_services)


async def check_database(settings: Settings) -> None:
    """Before a process starts: whose database is it?

    Raises `ForeignDatabase`, `CopiedDatabase`, `UnstampedDatabase`.

    One that is away may still come up.
    """
    row = settings.environment
    try:
        await stamp.check_stamp(_database_url(settings), row.name, stamps_itself=row.spawns_services)
    except (ForeignDatabase, UnstampedDatabase):
        raise
    except DatabaseUnavailable as error:
        _log.warning("%s It is looked at again when it answers.", error)


@asynccontextmanager
async def open_keys(settings: Settings) -> AsyncIterator[KeyStore]:
    """The API keys alone, for as long as the body runs. Raises `DatabaseUnavailable`."""
    pool = await _pool(settings, "keys")
    try:
        yield _keys(settings, pool)
    finally:
        await pool.close()


async def database_stamp(settings: Settings) -> StampedDatabase:
    """The database and its stamp, whosever it is. Raises `DatabaseUnavailable`."""
    return await stamp.look(_database_url(settings))


async def stamp_database(settings: Settings, *, replaces: str | None) -> StampedDatabase:
    """Say that the database belongs to this environment. Raises as `stamp.stamp` does."""
    return await stamp.stamp(_database_url(settings), settings.environment.name, replaces=replaces)


async def confirm_moved(settings: Settings) -> StampedDatabase:
    """Say that the database of this environment was moved to where it is. Raises as `stamp.confirm_moved` does."""
    return await stamp.confirm_moved(_database_url(settings), settings.environment.name)


async def empty_copy(settings: Settings) -> StampedDatabase:
    """Make a copy of this environment's database one of its own. Raises as `stamp.empty_copy` does."""
    return await stamp.empty_copy(_database_url(settings), settings.environment.name)


async def database_revision(settings: Settings) -> tuple[str | None, str]:
    """Where the database is, None when it is empty, and where this version wants it.

    Raises `ForeignDatabase`, `DatabaseUnavailable`.
    """
    from genpulse.adapters.database import migrate  # as above

    url = _database_url(settings)
    await stamp.refuse_foreign(url, settings.environment.name)
    revision = await migrate.current(url)
    return revision.current, revision.head


def environment_facts(settings: Settings) -> EnvironmentFacts:
    """The row of the environments table, as the rooms below get it."""
    row = settings.environment
    return EnvironmentFacts(
        name=row.name,
        dynaconf=row.dynaconf,
        branch=row.branch,
        key_prefix=settings.key_prefix,
        db_mode=row.db_mode,
        services=row.services,
        target=row.target,
        api_key_prefix=row.api_key_prefix,
        build=read_stamp(),
    )


def _database_url(settings: Settings) -> str:
    if settings.database_url is None:
        raise AssertionError("load() was told that database_url is not required")
    return settings.database_url.get_secret_value()


def _redis_url(settings: Settings) -> str:
    if settings.redis.url is None:
        raise AssertionError("load() was told that redis.url is not required")
    return settings.redis.url.get_secret_value()
