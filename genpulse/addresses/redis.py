"""Addresses of Redis and Valkey: one server, a primary behind Sentinels, or a cluster."""

from genpulse.addresses.query import Query, missing_file, unknown_key, wrong_port, wrong_word

SCHEMES = (
    "redis",
    "rediss",
    "unix",
    "redis+sentinel",
    "rediss+sentinel",
    "redis+cluster",
    "rediss+cluster",
)
_NUMBERS = frozenset({"db", "socket_timeout", "socket_connect_timeout", "protocol", "max_connections"})
_TLS_FILES = frozenset({"ssl_ca_certs", "ssl_certfile", "ssl_keyfile"})
_TLS = frozenset(
    {*_TLS_FILES, "ssl_ca_path", "ssl_cert_reqs", "ssl_check_hostname", "ssl_password", "ssl_min_version"}
)
_LOGIN = frozenset({"username", "password", "client_name", "sentinel_username", "sentinel_password"})
_WORDS = {"ssl_cert_reqs": ("none", "optional", "required"), "protocol": ("2", "3")}


def refusal(url: str) -> str:
    """What is wrong with an address, in words without its secrets; empty when it can be tried."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in SCHEMES:
        return f"it must begin with one of {', '.join(f'{each}://' for each in SCHEMES)}"
    address, _, text = rest.partition("#")[0].partition("?")
    query = Query(text)
    known = _NUMBERS | _LOGIN | (_TLS if scheme.startswith("rediss") else frozenset())
    wrong = unknown_key(query, known) or wrong_word(query, _WORDS) or missing_file(query, _TLS_FILES)
    if wrong or scheme == "unix":
        return wrong
    hosts, _, path = address.rpartition("@")[2].partition("/")
    return wrong_port(hosts) or _wrong_number(query) or _wrong_database(scheme, path)


def _wrong_number(query: Query) -> str:
    for name, value in query:
        if name in _NUMBERS and not value.replace(".", "", 1).isdigit():
            return f"{name} in its query has to be a number, and is {value[:30]!r}"
    return ""


def _wrong_database(scheme: str, path: str) -> str:
    parts = [part for part in path.split("/") if part]
    if scheme.endswith("sentinel"):
        if not parts:
            return "it names no service behind its Sentinels: add /service behind the hosts"
        parts = parts[1:]
    if len(parts) > 1 or (parts and not parts[0].isdigit()):
        return f"{'/'.join(parts)[:30]!r} is no database of it; that is a number, such as /0"
    return ""
