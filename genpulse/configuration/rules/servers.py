"""Rules about the servers that are named: that the addresses mean something, and that they fit the environment."""

from collections.abc import Callable, Iterator
from typing import TypeAlias

from pydantic import SecretStr

from genpulse.addresses import postgresql, redis, web
from genpulse.addresses.url import Url
from genpulse.configuration.rules.hosts import hosts_of, is_loopback, is_service_name
from genpulse.configuration.rules.secret_values import text_of
from genpulse.configuration.settings import Settings
from genpulse.configuration.sources.variables import variable_name

Rule: TypeAlias = Callable[[Settings], Iterator[tuple[str, str]]]
"""Yields the key of each setting that is wrong, and what is wrong with it."""

_TLS = frozenset({"require", "verify-ca", "verify-full"})


def _addresses(settings: Settings) -> Iterator[tuple[str, str]]:
    """Addresses that mean nothing: nothing else is said of them."""
    for key, url, refusal in (
        *((key, url, postgresql.refusal) for key, url in _databases(settings)),
        ("redis.url", settings.redis.url, redis.refusal),
    ):
        if (text := text_of(url)) and (why := refusal(text)):
            yield key, why


def _web_addresses(settings: Settings) -> Iterator[tuple[str, str]]:
    """Addresses of everything else; of a provider there may be several, with commas between them."""
    addresses = {
        "api.public_url": settings.api.public_url,
        "webhooks.public_url": settings.webhooks.public_url,
        "console.dev_url": settings.console.dev_url,
        "console.test_url": settings.console.test_url,
        "console.main_url": settings.console.main_url,
        **{f"providers.{name}.base_url": each.base_url for name, each in settings.providers.named.items()},
    }
    for key, urls in addresses.items():
        parts = (urls or "").split(",") if key.startswith("providers.") else [urls or ""]
        if why := next((why for url in parts if url.strip() and (why := web.refusal(url.strip()))), ""):
            yield key, f"{why}, such as https://host:8443"
    if (endpoint := settings.storage.endpoint) and (why := web.refusal_of_endpoint(endpoint)):
        yield "storage.endpoint", f"{why}, such as http://minio.example.com:9000"
    if why := web.refusal_of_store(settings.storage.url):
        yield "storage.url", why


def _databases(settings: Settings) -> tuple[tuple[str, SecretStr | None], ...]:
    """The addresses of PostgreSQL, by their keys."""
    return ("database_url", settings.database_url), ("database.listen_url", settings.database.listen_url)


def _database_hosts(settings: Settings) -> Iterator[tuple[str, str]]:
    environment, database = settings.environment, settings.database
    for key, url in _databases(settings):
        hosts = hosts_of(url)
        foreign = [host for host in hosts if not (is_loopback(host) or is_service_name(host))]
        if environment.spawns_services and foreign and not database.allow_remote:
            detail = (
                f"{foreign[0]} is not this machine, and {environment.dynaconf} keeps to a database of its own;"
                f" unset it to have one started, or allow it: {_allow('database.allow_remote')}"
            )
            yield key, detail
        local = [host for host in hosts if is_loopback(host)]
        if not environment.spawns_services and local and not database.allow_loopback:
            detail = (
                f"{local[0] or 'a socket'} is this machine, and {environment.dynaconf} uses a"
                f" {environment.db_mode} database on the network; name it, or allow a proxy here:"
                f" {_allow('database.allow_loopback')}"
            )
            yield key, detail


def _database_tls(settings: Settings) -> Iterator[tuple[str, str]]:
    if not settings.environment.is_production or settings.database.allow_plaintext:
        return
    for key, url in _databases(settings):
        if not (text := text_of(url)):
            continue
        query = Url.of(text).query
        certain = query.get("sslmode") in _TLS or query.get("sslrootcert") == "system"
        if not certain and not all(map(is_loopback, hosts_of(url))):
            detail = (
                f"{settings.environment.dynaconf} reaches its database with TLS: add sslmode=verify-full (or"
                f" require), or allow it without: {_allow('database.allow_plaintext')}"
            )
            yield key, detail


def _pooler(settings: Settings) -> Iterator[tuple[str, str]]:
    database = settings.database
    if database.prepared_statements and database.pooler != "transaction":
        detail = (
            f"it goes with database.pooler: transaction alone, and that is {database.pooler}: elsewhere statements"
            " are prepared anyway; remove it"
        )
        yield "database.prepared_statements", detail
    pooled, direct = (text_of(url) for _, url in _databases(settings))
    if pooled and direct and database.pooler != "none" and Url.of(pooled).hosts == Url.of(direct).hosts:
        detail = (
            "it names the same host and port as database_url, so it leads to the pooler, too; name PostgreSQL"
            " itself, or leave it empty"
        )
        yield "database.listen_url", detail


def _redis_host(settings: Settings) -> Iterator[tuple[str, str]]:
    environment, allowed = settings.environment, settings.redis.allow_loopback
    if environment.spawns_services or (settings.database.allow_loopback if allowed is None else allowed):
        return
    local = [host for host in hosts_of(settings.redis.url) if is_loopback(host)]
    if local:
        detail = (
            f"{local[0] or 'a socket'} is this machine, and {environment.dynaconf} uses a Redis on the network"
            f" ({environment.services}); name it, or allow one here: {_allow('redis.allow_loopback')}"
        )
        yield "redis.url", detail


def _redis_tls(settings: Settings) -> Iterator[tuple[str, str]]:
    url = text_of(settings.redis.url)
    if not url or not settings.environment.is_production or settings.redis.allow_plaintext:
        return
    scheme = url.partition("://")[0]
    if not scheme.startswith("rediss") and scheme != "unix":
        detail = (
            f"{settings.environment.dynaconf} reaches Redis with TLS: use rediss://, or allow it without:"
            f" {_allow('redis.allow_plaintext')}"
        )
        yield "redis.url", detail


def _storage_place(settings: Settings) -> Iterator[tuple[str, str]]:
    scheme = settings.storage.url.partition(":")[0]
    if settings.environment.is_production and not settings.storage.allow_local and scheme in {"file", "memory"}:
        detail = (
            f"{scheme}: is on one machine, and {settings.environment.dynaconf} keeps assets where all its machines"
            f" reach them, such as s3://bucket/prefix; or allow it: {_allow('storage.allow_local')}"
        )
        yield "storage.url", detail


def _allow(key: str) -> str:
    return f"{key}: true ({variable_name(key)}=true)"


RULES: tuple[Rule, ...] = (
    _addresses,
    _web_addresses,
    _database_hosts,
    _database_tls,
    _pooler,
    _redis_host,
    _redis_tls,
    _storage_place,
)
