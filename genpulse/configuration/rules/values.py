"""Rules about values beside each other: halves of a key, waits, secrets and options of providers."""

import base64
import ipaddress
import re
from collections.abc import Iterator

from genpulse.configuration.rules import provider_options
from genpulse.configuration.rules.secret_values import secrets_of, text_of
from genpulse.configuration.rules.servers import Rule
from genpulse.configuration.settings import Settings

_SEALING_BYTES = 32
_IN_HEADERS = ("api_key", "access_key_id")
_LIVE = re.compile(r"(?:^|[^a-z])(?:sk|pk|rk|gp)_live_")
_WEB = re.compile(r"https?://[^/\s]+\S*\Z")
_COLLECTOR = re.compile(r"https?://[^/\s?#@]+(?:/[^\s?#]*)?\Z")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+=[\x21-\x7e]*\Z")
_DSN = re.compile(r"https?://[^/\s:@]+(?::[^/\s@]+)?@[^/\s?#@]+/(?:\S+/)?\d+\Z")
_TEST = re.compile(r"(?:^|[^a-z])(?:sk|pk|rk|gp)_(?:test|dev)_")


def _webhook_secrets(settings: Settings) -> Iterator[tuple[str, str]]:
    webhooks = settings.webhooks
    for key, secrets in (
        ("secret", [text_of(webhooks.secret)]),
        ("old_secrets", text_of(webhooks.old_secrets).split()),
    ):
        if not all(map(_is_signing_key, secrets)):
            yield f"webhooks.{key}", "behind whsec_ there has to be base64"
    if not all(map(_is_sealing_key, text_of(webhooks.sealing_keys).split())):
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


def _warning_url(settings: Settings) -> Iterator[tuple[str, str]]:
    url = settings.budget.warning_url
    if url is not None and not _WEB.match(url):
        yield "budget.warning_url", "it has to be an address such as https://ops.example.com/hooks"


def _observation(settings: Settings) -> Iterator[tuple[str, str]]:
    """An address is shown in messages, so that nothing secret may stand in it."""
    url, headers = settings.tracing.otlp_url, text_of(settings.tracing.headers)
    if url is not None and not _COLLECTOR.match(url):
        yield (
            "tracing.otlp_url",
            "it has to be an address such as http://localhost:4318, without a login or a query",
        )
    if headers and not all(_HEADER.match(one.strip()) for one in headers.split(",")):
        yield "tracing.headers", "each has to be name=value, with commas between them"
    if headers and url is None:
        yield "tracing.headers", "tracing.otlp_url is empty beside it"
    dsn = text_of(settings.sentry.dsn)
    if dsn and not _DSN.match(dsn):
        yield "sentry.dsn", "it has to be https://<key>@<host>/<project>, as Sentry shows it"


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


def _keys_in_headers(settings: Settings) -> Iterator[tuple[str, str]]:
    """Of a key that no header can carry nobody knows afterwards whether something was sent."""
    for key, secret in secrets_of(settings):
        if key.endswith(_IN_HEADERS) and not (secret.isascii() and secret.isprintable()):
            yield (
                key,
                "it holds a line end or another sign that no key has; is it one key alone, and nothing else?",
            )


def _trusted_proxies(settings: Settings) -> Iterator[tuple[str, str]]:
    """The server takes what it cannot read for a name, which no proxy has that connects to it."""
    key, proxies = "api.trusted_proxies", [part.strip() for part in settings.api.trusted_proxies.split(",")]
    if "*" in proxies and len(proxies) > 1:
        yield key, "* trusts all; leave the others away, or name those that are meant"
    for proxy in proxies:
        if proxy not in {"", "*"} and (fault := _fault_of_network(proxy)):
            yield key, f"{proxy!r} is no address and no network, such as 10.0.0.0/8: {fault}"


def _fault_of_network(text: str) -> str:
    try:
        ipaddress.ip_network(text)
    except ValueError as error:
        return str(error)
    return ""


RULES: tuple[Rule, ...] = (
    _webhook_secrets,
    _keys_in_headers,
    _storage_keys,
    _retry_waits,
    _warning_url,
    _observation,
    _trusted_proxies,
    _provider_options,
    _secrets_of_another,
)
