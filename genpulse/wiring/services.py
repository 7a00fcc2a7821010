"""The object graph: one of each port, opened and closed in order."""

import random
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from importlib.metadata import version
from typing import TYPE_CHECKING

import asyncpg
import uuid_utils.compat

from genpulse.adapters.database.assets.thumbnails import PostgresThumbnails
from genpulse.adapters.database.assets.uploaded_files import PostgresUploadedFiles
from genpulse.adapters.database.console import PostgresConsole
from genpulse.adapters.database.ended_work import PostgresEndedWork
from genpulse.adapters.database.health_checks import DatabaseProbe, MigrationsProbe, StampProbe
from genpulse.adapters.database.money.budgets import PostgresBudgets
from genpulse.adapters.database.queue.task_queue import PostgresTaskQueue
from genpulse.adapters.database.removal.deletion import PostgresDeletions
from genpulse.adapters.database.removal.retention import PostgresRetention
from genpulse.adapters.database.tasks.batches import PostgresBatches
from genpulse.adapters.database.tasks.store import PostgresTaskStore
from genpulse.adapters.database.tasks.traces import PostgresTraces
from genpulse.adapters.database.webhooks.deliveries import PostgresDeliveries
from genpulse.adapters.http.on_demand import HttpOnDemand
from genpulse.adapters.redis.call_memory import RedisCalls
from genpulse.adapters.redis.connection import RedisProbe, open_redis
from genpulse.adapters.redis.events import RedisEventBus
from genpulse.adapters.redis.keys import Keyspace
from genpulse.adapters.redis.presence import RedisPresence
from genpulse.adapters.redis.provider_gate import RedisGate
from genpulse.adapters.thumbnails.program_maker import ProgramThumbnailMaker, is_installed
from genpulse.adapters.webhooks.on_demand import SenderOnDemand
from genpulse.background.garbage_collection import tune_garbage_collection
from genpulse.background.loops import Loops
from genpulse.configuration.settings import ProviderSection, Settings
from genpulse.domain.money.allowance import Allowance
from genpulse.domain.money.spending import Spending
from genpulse.domain.provider_account.gate import CircuitPolicy, Limits
from genpulse.domain.provider_account.rate import Rate
from genpulse.domain.retention import RetentionPolicy
from genpulse.domain.retry import RetryPolicy
from genpulse.environment.build_info import read_build_info
from genpulse.ports import EnvironmentFacts, Health, Probe, Services, State, Thumbnails
from genpulse.provider import EngineThreads, Local
from genpulse.providers.catalog import LoadedCatalogue
from genpulse.wiring.catalogue import open_catalogue
from genpulse.wiring.connections import closed_by, listen_url, pool_of, redis_url
from genpulse.wiring.database import key_store
from genpulse.wiring.observation import open_observation
from genpulse.wiring.routes import open_routes
from genpulse.wiring.storage import SPOOLING_PROCESSES, asset_storage

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from genpulse.adapters.webhooks.sender import WebhookSender

_random = random.Random().random  # noqa: S311 - it spreads polls and retries, and guards nothing


@asynccontextmanager
async def open_services(settings: Settings, *, process: str) -> AsyncIterator[Services]:
    """All services, open while the body runs. No server is contacted yet: it may come up later."""
    async with AsyncExitStack() as stack:
        pool = await pool_of(settings, process)
        stack.push_async_callback(pool.close)
        keys = Keyspace(settings.key_prefix)
        redis = open_redis(redis_url(settings), keys.prefix)
        stack.push_async_callback(redis.aclose)
        storage = closed_by(stack, asset_storage(settings))
        if process in SPOOLING_PROCESSES:
            await storage.sweep()
        loops = Loops()
        queue = closed_by(stack, _queue(settings, pool, loops))
        plain_http = closed_by(stack, HttpOnDemand(version("genpulse"), proxies=settings.proxies))
        observation = open_observation(stack, settings, process, plain_http)
        http = observation.http
        catalogue = closed_by(stack, open_catalogue(settings, http))
        tune_garbage_collection()
        yield Services(
            environment=environment_facts(settings),
            store=closed_by(stack, PostgresTaskStore(pool, limits=_limits(settings))),
            batches=PostgresBatches(pool),
            queue=queue,
            gate=_gate(settings, redis, keys, catalogue, queue),
            events=closed_by(stack, RedisEventBus(redis, keys, loops=loops)),
            deliveries=PostgresDeliveries(pool, settings.environment.name),
            ended_work=PostgresEndedWork(pool, settings.environment.name),
            keys=key_store(settings, pool),
            retention=closed_by(stack, PostgresRetention(pool, settings.environment.name)),
            deletions=PostgresDeletions(pool, settings.environment.name),
            budgets=PostgresBudgets(pool),
            uploaded_files=PostgresUploadedFiles(pool),
            console=PostgresConsole(pool),
            sender=closed_by(stack, SenderOnDemand(lambda: webhook_sender(settings))),
            presence=RedisPresence(redis, keys),
            storage=storage,
            catalogue=catalogue,
            probes=(*_probes(settings, pool), RedisProbe(redis, keys), storage.probe),
            retry=_retry(settings),
            spending=spending_of(settings),
            retention_policy=_retention_policy(settings),
            now=lambda: datetime.now(UTC),
            new_id=uuid_utils.compat.uuid7,
            random=_random,
            loops=loops,
            output_limit_bytes=settings.worker.output_limit_bytes,
            callback_base_url=settings.webhooks.public_url,
            http=http,
            api_url=settings.api_url,
            routes=open_routes(settings, catalogue),
            threads=closed_by(stack, EngineThreads(settings.worker.local_threads)),
            thumbnails=_thumbnails(stack, pool),
            calls=closed_by(stack, RedisCalls(redis, keys, uuid.uuid4().hex, loops)),
            tracing=observation.tracing,
            traces=closed_by(stack, PostgresTraces(pool)) if observation.keeps_traces else None,
        )


def _thumbnails(stack: AsyncExitStack, pool: asyncpg.Pool) -> Thumbnails | None:
    """None where their libraries are not installed."""
    if not is_installed():
        return None
    return Thumbnails(PostgresThumbnails(pool), closed_by(stack, ProgramThumbnailMaker()))


def _queue(settings: Settings, pool: asyncpg.Pool, loops: Loops) -> PostgresTaskQueue:
    return PostgresTaskQueue(
        pool,
        listen_url(settings),
        limits=_limits(settings),
        environment=settings.environment.name,
        loops=loops,
    )


def _gate(
    settings: Settings, redis: "Redis", keys: Keyspace, catalogue: LoadedCatalogue, queue: PostgresTaskQueue
) -> RedisGate:
    remote = {name.partition("/")[0] for name, model in catalogue.models() if not isinstance(model.engine, Local)}
    sections = settings.providers.named.items()
    circuit = settings.circuit
    return RedisGate(
        redis,
        keys,
        guarded=remote,
        limits={name: _account_limits(section) for name, section in sections},
        policy=CircuitPolicy(circuit.failures, circuit.first_s, circuit.longest_s),
        workers=queue.workers,
        random=_random,
    )


def _account_limits(section: ProviderSection) -> Limits:
    return Limits(section.concurrency, Rate.parse(section.rate) if section.rate else None)


def _retry(settings: Settings) -> RetryPolicy:
    retry, sections = settings.retry, settings.providers.named.items()
    resubmits = frozenset(name for name, section in sections if section.on_unknown == "resubmit")
    return RetryPolicy(retry.max_attempts, retry.base_s, retry.longest_s, resubmits)


def _probes(settings: Settings, pool: asyncpg.Pool) -> tuple[Probe, ...]:
    return DatabaseProbe(pool), MigrationsProbe(pool), StampProbe(pool, settings.environment.name), _build_probe


async def _build_probe() -> Health:
    """The build that runs here."""
    build = read_build_info()
    return Health("build", State.OK, build.label if build else "a work tree, not an image")


def spending_of(settings: Settings) -> Spending:
    """What the settings allow to be spent, and whom they warn."""
    sections = settings.providers.named.items()
    return Spending(
        paid=settings.providers.paid,
        by_provider={name: section.paid for name, section in sections if section.paid is not None},
        daily_usd=settings.budget.daily_usd,
        place=settings.environment.dynaconf,
        monthly_usd=settings.budget.monthly_usd,
        providers={
            name: allowance for name, section in sections if (allowance := _allowance(section)).limits_money
        },
        warn_at=Decimal(str(settings.budget.warn_at)),
        warning_url=settings.budget.warning_url,
    )


def _allowance(section: ProviderSection) -> Allowance:
    return Allowance(daily_usd=section.daily_usd, monthly_usd=section.monthly_usd)


def _retention_policy(settings: Settings) -> RetentionPolicy:
    section = settings.retention
    return RetentionPolicy(
        tasks=_days(section.tasks_days),
        assets=_days(section.assets_days),
        tombstones=_days(section.tombstones_days),
        ledger=_days(section.ledger_days),
        grace=timedelta(seconds=section.grace_s),
        batch=section.batch,
    )


def _days(days: int | None) -> timedelta | None:
    return None if days is None else timedelta(days=days)


def webhook_sender(settings: Settings) -> "WebhookSender":
    from genpulse.adapters.webhooks.sender import WebhookSender  # with aiohttp, which not every process needs

    secret, old = settings.webhooks.secret, settings.webhooks.old_secrets
    allowed = settings.webhooks.allow_private
    return WebhookSender(
        secret.get_secret_value() if secret else None,
        old_secrets=old.get_secret_value().split() if old else (),
        allow_private=settings.environment.spawns_services if allowed is None else allowed,
        version=version("genpulse"),
        proxies=settings.proxies,
    )


def _limits(settings: Settings) -> dict[str, int]:
    return {name: section.concurrency for name, section in settings.providers.named.items() if section.concurrency}


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
        build=read_build_info(),
        shows_provider_errors=row.shows_provider_errors,
    )
