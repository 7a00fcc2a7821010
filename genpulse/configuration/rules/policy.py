"""The policy of each environment: rules over several settings."""

from collections.abc import Iterator, Sequence

from genpulse.configuration.errors import Fault
from genpulse.configuration.rules import cross_origin, servers, values
from genpulse.configuration.rules.hosts import hosts_of
from genpulse.configuration.rules.secret_values import text_of
from genpulse.configuration.settings import Settings
from genpulse.configuration.sources.layers import Layer, place_of
from genpulse.configuration.sources.variables import variable_name
from genpulse.environment.build_info import Build

_ADDRESSES = frozenset({"database_url", "database.listen_url", "redis.url", "storage.url"})
"""Of these the first fault is told: the others may follow from it."""


def faults(settings: Settings, layers: Sequence[Layer], build: Build | None) -> Iterator[Fault]:
    """Yield faults of settings that this environment does not allow, without values of secrets."""
    yield from _of_build(settings, build)
    texts: set[str] = set()
    for rule in (*servers.RULES, *values.RULES, cross_origin.origins):
        for key, detail in rule(settings):
            if key not in texts or key not in _ADDRESSES:
                yield Fault(key, place_of(layers, key), detail)
            texts.add(key)


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
    """The servers that are named, and whether each is one machine as far as its address tells."""
    if settings.database_url:
        yield "PostgreSQL", len(hosts_of(settings.database_url)) < 2
    if url := text_of(settings.redis.url):
        yield "Redis", "+" not in url.partition("://")[0]
