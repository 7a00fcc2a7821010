"""What each environment allows: rules that look at several settings, and at whose servers they name."""

import base64
import ipaddress
import re
from collections.abc import Callable, Iterator, Sequence
from urllib.parse import unquote

from pydantic import SecretStr

from genpulse.addresses import postgresql, redis, web
from genpulse.addresses.url import Url
from genpulse.build import Build
from genpulse.configuration import provider_options
from genpulse.configuration.errors import Fault
from genpulse.configuration.layers import Layer, place_of
from genpulse.configuration.schema import ANY_PROVIDER, keys
from genpulse.configuration.variables import variable_name
from genpulse.settings import Settings

_LIVE = re.compile(r"(?:^|[^a-z])(?:sk|pk|rk|gp)_live_")
_TEST = re.compile(r"(?:^|[^a-z])(?:sk|pk|rk|gp)_(?:test|dev)_")
_SEALING_BYTES = 32
_TLS = frozenset({"require", "verify-ca", "verify-full"})
_LOOPBACK_NAMES = frozenset({"localhost", "localhost.localdomain", ""})
_ADDRESSES = frozenset({"database_url", "redis.url", "storage.url"})
"""Of these the first fault is told: the others may follow from it."""
_Rule = Callable[[Settings], Iterator[tuple[str, str]]]


def faults(settings: Settings, layers: Sequence[Layer], build: Build | None) -> Iterator[Fault]:
    """What this environment does not allow; nothing that is missing, and no value of a secret."""
    yield from _of_build(settings, build)
    said: set[str] = set()
    for rule in _RULES:
        for key, detail in rule(settings):
            if key not in said or key not in _ADDRESSES:
                yield Fault(key, place_of(layers, key), detail)
            said.add(key)


def _of_build(settings: Settings, build: Build | None) -> Iterator[Fault]:
    if not settings.environment.is_production or not settings.release.require_tag:
        return
    if build is None or not build.is_final:
        yield Fault(
            "release.require_tag",
            "",
            f"{settings.environment.dynaconf} starts only the build of a final tag (vX.Y.Z), and this is"
            f" {build or 'no build at all: it has no stamp'}. Build from a release (genpulse flow stamp writes the"
            f" stamp), or allow it: release.require_tag: false ({variable_name('release.require_tag')}=false)",
        )


def _database_hosts(settings: Settings) -> Iterator[tuple[str, str]]:
    hosts = _hosts(settings.database_url)
    environment, database = settings.environment, settings.database
    foreign = [host for host in hosts if not (is_loopback(host) or _is_service_name(host))]
    if environment.spawns_services and foreign and not database.allow_remote:
        detail = (
            f"{foreign[0]} is not this machine, and {environment.dynaconf} keeps to a database of its own;"
            f" unset it to have one started, or allow it: {_allow('database.allow_remote')}"
        )
        yield "database_url", detail
    local = [host for host in hosts if is_loopback(host)]
    if not environment.spawns_services and local and not database.allow_loopback:
        detail = (
            f"{local[0] or 'a socket'} is this machine, and {environment.dynaconf} uses a {environment.db_mode}"
            f" database on the network; name it, or allow a proxy here: {_allow('database.allow_loopback')}"
        )
        yield "database_url", detail


def _database_tls(settings: Settings) -> Iterator[tuple[str, str]]:
    url = _text(settings.database_url)
    if not url or not settings.environment.is_production or settings.database.allow_plaintext:
        return
    query = Url.of(url).query
    certain = query.get("sslmode") in _TLS or query.get("sslrootcert") == "system"
    if not certain and not all(map(is_loopback, _hosts(settings.database_url))):
        detail = (
            f"{settings.environment.dynaconf} reaches its database with TLS: add sslmode=verify-full (or require),"
            f" or allow it without: {_allow('database.allow_plaintext')}"
        )
        yield "database_url", detail


def _addresses(settings: Settings) -> Iterator[tuple[str, str]]:
    """Addresses that mean nothing: nothing else is said of them."""
    for key, url, refusal in (
        ("database_url", settings.database_url, postgresql.refusal),
        ("redis.url", settings.redis.url, redis.refusal),
    ):
        if (text := _text(url)) and (why := refusal(text)):
            yield key, why


def _web_addresses(settings: Settings) -> Iterator[tuple[str, str]]:
    """Addresses of everything else; of a provider there may be several, with commas between them."""
    named = {
        "api.public_url": settings.api.public_url,
        "webhooks.public_url": settings.webhooks.public_url,
        **{f"providers.{name}.base_url": each.base_url for name, each in settings.providers.named.items()},
    }
    for key, urls in named.items():
        parts = (urls or "").split(",") if key.startswith("providers.") else [urls or ""]
        if why := next((why for url in parts if url.strip() and (why := web.refusal(url.strip()))), ""):
            yield key, f"{why}, such as https://host:8443"
    if (endpoint := settings.storage.endpoint) and (why := web.refusal_of_endpoint(endpoint)):
        yield "storage.endpoint", f"{why}, such as http://minio.example.com:9000"
    if why := web.refusal_of_store(settings.storage.url):
        yield "storage.url", why


def _redis_host(settings: Settings) -> Iterator[tuple[str, str]]:
    environment, allowed = settings.environment, settings.redis.allow_loopback
    if environment.spawns_services or (settings.database.allow_loopback if allowed is None else allowed):
        return
    local = [host for host in _hosts(settings.redis.url) if is_loopback(host)]
    if local:
        detail = (
            f"{local[0] or 'a socket'} is this machine, and {environment.dynaconf} uses a Redis on the network"
            f" ({environment.services}); name it, or allow one here: {_allow('redis.allow_loopback')}"
        )
        yield "redis.url", detail


def _webhook_secrets(settings: Settings) -> Iterator[tuple[str, str]]:
    webhooks = settings.webhooks
    for key, secrets in (
        ("secret", [_text(webhooks.secret)]),
        ("old_secrets", _text(webhooks.old_secrets).split()),
    ):
        if not all(map(_is_signing_key, secrets)):
            yield f"webhooks.{key}", "behind whsec_ there has to be base64"
    if not all(map(_is_sealing_key, _text(webhooks.sealing_keys).split())):
        yield "webhooks.sealing_keys", "each has to be 32 bytes in base64, as `openssl rand -base64 32` makes them"
    if webhooks.old_secrets and not webhooks.secret:
        yield "webhooks.old_secrets", "webhooks.secret is empty beside it: that has to name the one in force"


def _is_signing_key(secret: str) -> bool:
    if not secret.startswith("whsec_"):
        return True
    try:
        return bool(base64.b64decode(secret.removeprefix("whsec_"), validate=True))
    except ValueError:
        return False


def _is_sealing_key(key: str) -> bool:
    try:
        return len(base64.b64decode(key.replace("-", "+").replace("_", "/"), validate=True)) == _SEALING_BYTES
    except ValueError:
        return False


def _redis_tls(settings: Settings) -> Iterator[tuple[str, str]]:
    url = _text(settings.redis.url)
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


def _storage_keys(settings: Settings) -> Iterator[tuple[str, str]]:
    storage = settings.storage
    if (storage.access_key_id is None) != (storage.secret_access_key is None):
        missing = "access_key_id" if storage.access_key_id is None else "secret_access_key"
        yield f"storage.{missing}", "it is empty while the other half of the key is set; set both or neither"


def _retry_waits(settings: Settings) -> Iterator[tuple[str, str]]:
    if settings.retry.base_s > settings.retry.longest_s:
        yield (
            "retry.base_s",
            (
                f"the first wait ({settings.retry.base_s:g} s) is longer than the longest"
                f" ({settings.retry.longest_s:g} s, retry.longest_s)"
            ),
        )


def _provider_options(settings: Settings) -> Iterator[tuple[str, str]]:
    for name, section in settings.providers.named.items():
        for option, detail in provider_options.faults(section.adapter or name, section.options):
            yield f"providers.{name}.options.{option}", detail


def _secrets_of_another(settings: Settings) -> Iterator[tuple[str, str]]:
    """Vendors mark their keys with what they are for."""
    environment = settings.environment
    wrong, what = (_TEST, "a test key") if environment.is_production else (_LIVE, "a live key")
    for key, secret in secrets_of(settings):
        if wrong.search(secret):
            yield key, f"this is {what} by its prefix, and this is {environment.dynaconf}; use a key of its own"


_RULES: tuple[_Rule, ...] = (
    _addresses,
    _web_addresses,
    _database_hosts,
    _database_tls,
    _redis_host,
    _redis_tls,
    _webhook_secrets,
    _storage_place,
    _storage_keys,
    _retry_waits,
    _provider_options,
    _secrets_of_another,
)


def address_fault(settings: Settings) -> Fault | None:
    """Where a worker would write an address into webhooks that leads nowhere; elsewhere than in development, where
    this machine is meant by it.
    """
    if settings.environment.spawns_services or settings.api.public_url or not settings.listens_everywhere:
        return None
    key = "api.public_url"
    detail = (
        f"it is empty, and api.host ({settings.api.host}) is no address: webhooks would name nothing that"
        f" receivers can reach. Set {variable_name(key)} to how clients reach the API, such as"
        " https://media.example.com"
    )
    return Fault(key, "", detail)


def allowances(settings: Settings) -> Iterator[str]:
    """Settings that switch a rule of this environment off, such as `database.allow_loopback`."""
    for key in ("database.allow_remote", "database.allow_loopback", "database.allow_plaintext"):
        if getattr(settings.database, key.rpartition(".")[2]):
            yield key
    if settings.redis.allow_loopback:
        yield "redis.allow_loopback"
    if settings.redis.allow_plaintext:
        yield "redis.allow_plaintext"
    if settings.storage.allow_local:
        yield "storage.allow_local"


def single_servers(settings: Settings) -> Iterator[tuple[str, bool]]:
    """Which servers are named, and whether each is one machine as far as its address tells."""
    if settings.database_url:
        yield "PostgreSQL", len(_hosts(settings.database_url)) < 2
    if url := _text(settings.redis.url):
        yield "Redis", "+" not in url.partition("://")[0]


def secrets_of(settings: Settings) -> Iterator[tuple[str, str]]:
    """Key and text of every secret that is set."""
    for known in keys():
        if known.secret:
            names = settings.providers.named if ANY_PROVIDER in known.key else ("",)
            for name in names:
                key = known.key.replace(ANY_PROVIDER, name)
                if text := _text(_read(settings, key)):
                    yield key, text


def _read(settings: Settings, key: str) -> object:
    parts = key.split(".")
    if parts[0] == "providers":
        return getattr(settings.providers.named[parts[1]], parts[2])
    found: object = settings
    for part in parts:
        found = getattr(found, part)
    return found


def is_loopback(host: str) -> bool:
    """Whether a host is this machine; a path or nothing is a socket on it."""
    if host.lower() in _LOOPBACK_NAMES or host.startswith("/"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _is_service_name(host: str) -> bool:
    """A single word, as containers beside this one are called."""
    return re.fullmatch(r"[a-zA-Z][a-zA-Z0-9_-]*", host) is not None


def _hosts(address: SecretStr | None) -> tuple[str, ...]:
    """Every host that an address names; several are separated by commas, or given as `host=` in its query."""
    text = _text(address)
    if not text:
        return ()
    url = Url.of(text)
    named = [host for name, value in url.query if name == "host" for host in value.split(",")]
    hosts = [re.sub(r":\d*$", "", unquote(host)) for host in (*url.hosts, *named) if host or not named]
    return tuple(host for host in hosts if host or len(hosts) == 1)


def _text(secret: object) -> str:
    return secret.get_secret_value() if isinstance(secret, SecretStr) else ""


def _allow(key: str) -> str:
    return f"{key}: true ({variable_name(key)}=true)"
