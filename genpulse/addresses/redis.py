"""Addresses of Redis and Valkey: one server, a primary behind Sentinels, or a cluster."""

from collections.abc import Sequence

from genpulse.addresses.authority import wrong_authority, wrong_end
from genpulse.addresses.query import missing_file, unknown_key, wrong_number, wrong_word
from genpulse.addresses.url import Url

SCHEMES = (
    "redis",
    "rediss",
    "unix",
    "redis+sentinel",
    "rediss+sentinel",
    "redis+cluster",
    "rediss+cluster",
)
_NUMBERS = frozenset({"db", "protocol", "max_connections"})
_SECONDS = frozenset({"socket_timeout", "socket_connect_timeout"})
_TLS_FILES = frozenset({"ssl_ca_certs", "ssl_certfile", "ssl_keyfile"})
_TLS = frozenset({*_TLS_FILES, "ssl_ca_path", "ssl_cert_reqs", "ssl_check_hostname", "ssl_password"})
_LOGIN = frozenset({"username", "password", "client_name", "sentinel_username", "sentinel_password"})
_WORDS = {
    "ssl_cert_reqs": ("none", "optional", "required"),
    "ssl_check_hostname": ("true", "True", "false", "False", "1", "0"),
    "protocol": ("2", "3"),
}
_MOST_DATABASES = 2**31


def refusal(url: str) -> str:
    """The fault of an address, in words without its secrets; empty when it can be tried."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in SCHEMES:
        return f"it must begin with one of {', '.join(f'{each}://' for each in SCHEMES)}"
    read = Url.of(url)
    query = read.query
    allowed = _NUMBERS | _SECONDS | _LOGIN | (_TLS if scheme.startswith("rediss") else frozenset())
    wrong = (
        wrong_authority(rest)
        or wrong_end(rest, takes_query=True)
        or unknown_key(query, allowed)
        or wrong_word(query, _WORDS)
        or wrong_number(query, _NUMBERS, _SECONDS)
        or missing_file(query, _TLS_FILES)
    )
    if wrong:
        return wrong
    path = read.path.removeprefix("/")
    if scheme == "unix":
        return "" if path and read.hosts == ("",) else "it names no socket: write unix:///path"
    return _wrong_hosts(scheme, read.hosts) or _wrong_database(scheme, path)


def _wrong_hosts(scheme: str, hosts: Sequence[str]) -> str:
    several = "+" in scheme
    if several and not any(hosts):
        return "it names no host"
    if not several and len(hosts) > 1:
        return f"several hosts go with {scheme}+sentinel:// or {scheme}+cluster://"
    return ""


def _wrong_database(scheme: str, path: str) -> str:
    parts = [part for part in path.split("/") if part]
    if scheme.endswith("sentinel"):
        if not parts:
            return "it names no service behind its Sentinels: add /service behind the hosts"
        parts = parts[1:]
    if len(parts) > 1 or (parts and not _is_database(parts[0])):
        return f"{'/'.join(parts)[:30]!r} is no database of it; that is a number, such as /0"
    return ""


def _is_database(text: str) -> bool:
    return text.isascii() and text.isdigit() and int(text[:11]) < _MOST_DATABASES
