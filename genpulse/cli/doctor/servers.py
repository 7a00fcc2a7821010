"""Findings about servers, of the configuration or of the running dev stack."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from urllib.parse import urlsplit

from genpulse.cli.doctor.accounts import accounts
from genpulse.cli.doctor.facts import (
    DatabaseFacts,
    RedisFacts,
    WorkerClock,
    database_facts,
    redis_facts,
    worker_clocks,
)
from genpulse.cli.doctor.finding import Finding, warning, well, wrong
from genpulse.cli.doctor.pooler import pooler
from genpulse.cli.doctor.webhook_secrets import webhook_secrets
from genpulse.configuration.errors import ConfigurationError
from genpulse.configuration.settings import Settings
from genpulse.dev.servers.binaries import OLDEST_POSTGRES, OLDEST_REDIS
from genpulse.domain.errors import ForeignDatabase, GenPulseError, StorageUnavailable, UnstampedDatabase
from genpulse.ports import Health, Services, State, Storage, WorkerPresence
from genpulse.wiring.database import check_database
from genpulse.wiring.services import open_services

WHOSE = "whose database"
_OF_DATABASE = {"database", "migrations", "stamp"}
_MOST_CLOCK_S = 2.0
_FEWEST_PROCESSES = 4
_STORAGE_S = 10.0
_PROBE = b"genpulse doctor\n"


async def servers(settings: Settings) -> list[Finding]:
    """Check every server that the configuration names. Does not raise when one is away."""
    whose = await _whose(settings)
    facts = await database_facts(_database_url(settings), lambda: datetime.now(UTC))
    clocks = await worker_clocks(_database_url(settings)) if facts is not None and not whose else ()
    try:
        async with open_services(settings, process="doctor") as services:
            without = _OF_DATABASE if whose else set()
            running = await _running(services, clocks, without=without, answers=facts is not None)
            secrets = await webhook_secrets(services.keys) if facts is not None and not whose else []
    except (ValueError, StorageUnavailable) as error:
        return [*whose, wrong("services", str(error), "mend that address in the configuration")]
    except ConfigurationError:
        running, secrets = [warning("services", "not looked at", "mend the models and routes above first")], []
    findings = [*whose, *running]
    if facts is not None and not whose:
        findings += of_database(facts, settings)
        findings += await pooler(settings)
        findings += of_clocks(clocks)
        findings += secrets
    return [*findings, *await _redis(settings)]


def _database_url(settings: Settings) -> str:
    return settings.database_url.get_secret_value() if settings.database_url else ""


async def _whose(settings: Settings) -> list[Finding]:
    """Empty when the database is ours, or away."""
    try:
        await check_database(settings)
    except (ForeignDatabase, UnstampedDatabase) as error:
        return [wrong(WHOSE, str(error))]
    return []


async def _running(
    services: Services, leased: Sequence[WorkerClock], *, without: set[str], answers: bool
) -> list[Finding]:
    """The health of each part. `leased` are workers as the database knows them, which `answers`."""
    speak_for_themselves = {"migrations", "stamp", "database"} if answers else {"migrations", "stamp"}
    health = await asyncio.gather(*(probe() for probe in services.probes))
    workers = await services.presence.workers()
    is_watched = all(each.state is State.OK for each in health if each.name == "redis")
    without = {*without, "build"}  # of this process, and not of a server
    findings = [_of_health(each, speak_for_themselves) for each in health if each.name not in without]
    if all(each.state is State.OK for each in health if each.name == "storage"):
        findings = [each for each in findings if each.name != "storage"]
        findings.append(await storage_finding(services.storage))
    findings.append(workers_finding(workers, leased, is_watched=is_watched))
    return [*findings, *(await accounts(services) if is_watched else ())]


def _of_health(health: Health, speak_for_themselves: set[str]) -> Finding:
    detail = health.detail or health.state.value
    says_what_to_do = health.name in speak_for_themselves or "GENPULSE_" in detail
    advice = "" if says_what_to_do else "start it, or mend its address in the configuration"
    if health.state is State.OK:
        return well(health.name, detail)
    if health.state is State.DEGRADED:
        return warning(health.name, detail, advice)
    return wrong(health.name, detail, advice)


async def storage_finding(storage: Storage) -> Finding:
    """Keep some bytes and read them again."""
    try:
        async with asyncio.timeout(_STORAGE_S):
            asset = await storage.keep(_PROBE)
            read = b"".join([part async for part in storage.read(asset.key, 0, len(_PROBE))])
    except (GenPulseError, TimeoutError) as error:
        why = str(error) or f"no answer within {_STORAGE_S:g} s"
        return wrong("storage", f"it cannot be used: {why}", "mend storage.url and what belongs to it")
    if read != _PROBE:
        advice = "look for something between GenPulse and the storage that changes bytes"
        return wrong("storage", "it gives other bytes than it was given", advice)
    return well("storage", "keeps bytes and gives them back")


def workers_finding(
    workers: Sequence[WorkerPresence], leased: Sequence[WorkerClock], *, is_watched: bool
) -> Finding:
    """Who runs tasks: as workers said in Redis, or else by the leases that they hold in the database."""
    if failing := [worker for worker in workers if worker.failing]:
        names = "; ".join(f"{worker.host}:{worker.pid}: {', '.join(worker.failing)}" for worker in failing)
        return warning("workers", f"failed within the last minute: {names}", "look for the traces in their logs")
    if workers:
        names = ", ".join(f"{worker.host}:{worker.pid} ({worker.running} running)" for worker in workers)
        return well("workers", names)
    if leased:
        names = ", ".join(worker.name for worker in leased)
        advice = "let them use the same Redis and key prefix" if is_watched else "look again when Redis answers"
        return warning("workers", f"{names}: alive by their leases, and not seen in Redis", advice)
    if not is_watched:
        return warning(
            "workers", "not known while Redis is away, and none has a lease", "look again when it answers"
        )
    return wrong("workers", "none was seen", "start one: genpulse worker, or genpulse dev")


async def _redis(settings: Settings) -> list[Finding]:
    url = settings.redis.url.get_secret_value() if settings.redis.url else ""
    facts = await redis_facts(url)
    findings = list(of_redis(facts)) if facts is not None else []
    if settings.environment.is_production:
        findings.append(_redis_tls(urlsplit(url).scheme))
    return findings


def of_database(facts: DatabaseFacts, settings: Settings) -> Iterator[Finding]:
    """Version and clock; where customers are, TLS and room for connections too."""
    version = f"PostgreSQL {facts.version}"
    if facts.version < OLDEST_POSTGRES:
        yield wrong("database version", version, f"use PostgreSQL {OLDEST_POSTGRES} or newer")
    else:
        yield well("database version", version)
    yield _clock(facts)
    if settings.environment.is_production:
        yield _database_tls(facts)
        if settings.database.pooler == "none":
            yield _connections(facts.connections, settings.database.pool_size)


def _clock(facts: DatabaseFacts) -> Finding:
    off = abs(facts.clock_ahead_s)
    if off <= facts.clock_error_s:
        return well("clock", f"the database's and this machine's agree (± {facts.clock_error_s:.3f} s)")
    where = "ahead of" if facts.clock_ahead_s > 0 else "behind"
    detail = f"the database's is {off:.3f} s {where} this machine's (± {facts.clock_error_s:.3f} s)"
    if off - facts.clock_error_s > _MOST_CLOCK_S:
        return warning(
            "clock", detail, "let both follow a time server: leases and deadlines are counted in seconds"
        )
    return well("clock", detail)


def of_clocks(clocks: Sequence[WorkerClock]) -> Iterator[Finding]:
    """Findings about the workers' clocks, as they told the database; none where no worker did."""
    if not clocks:
        return
    wrong_by = [clock for clock in clocks if abs(clock.ahead_s) > _MOST_CLOCK_S]
    if not wrong_by:
        yield well("worker clocks", f"{len(clocks)} agree with the database's within {_MOST_CLOCK_S:g} s")
        return
    names = ", ".join(
        f"{clock.name} is {abs(clock.ahead_s):.1f} s {'ahead' if clock.ahead_s > 0 else 'behind'}"
        for clock in wrong_by
    )
    yield warning(
        "worker clocks", f"{names} ({len(clocks)} were compared)", "let these hosts follow a time server"
    )


def _database_tls(facts: DatabaseFacts) -> Finding:
    if facts.tls:
        return well("database TLS", "on")
    return warning("database TLS", "off: passwords and prompts can be read on the way", "add ?sslmode=verify-full")


def _redis_tls(scheme: str) -> Finding:
    if scheme.startswith("rediss") or scheme == "unix":
        return well("Redis TLS", "on" if scheme != "unix" else "not needed: a socket of this machine")
    return warning("Redis TLS", "off: events can be read on the way", "use rediss://")


def _connections(most: int, pool_size: int) -> Finding:
    """Each api and each worker has a pool, and a rolling deployment has two of each for a while."""
    processes = most // (pool_size + 1)
    detail = f"{pool_size} and a listener for each process of {most} that the server takes: {processes} processes"
    if processes < _FEWEST_PROCESSES:
        return warning("connections", detail, "make database.pool_size smaller, or max_connections greater")
    return well("connections", detail)


def of_redis(facts: RedisFacts) -> Iterator[Finding]:
    """Findings about Redis."""
    version = f"{facts.server} {facts.version_text}"
    if facts.version < OLDEST_REDIS:
        yield wrong("Redis version", version, f"use Redis {OLDEST_REDIS} or newer, or Valkey")
    else:
        yield well("Redis version", version)
