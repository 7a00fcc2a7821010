"""What a Redis URL means: one server, a primary behind Sentinels, or a cluster."""

from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from redis.asyncio.connection import parse_url

Kind: TypeAlias = Literal["server", "sentinel", "cluster"]
_KINDS: dict[str, Kind] = {"sentinel": "sentinel", "cluster": "cluster"}
_LOGINS = {"sentinel_username": "username", "sentinel_password": "password"}
_PORTS = {"sentinel": 26379, "cluster": 6379}
_EXAMPLES = (
    "redis://host:6379/0, rediss://…, unix:///path, redis+sentinel://host:26379/service/0, redis+cluster://host"
)


class BadRedisAddress(ValueError):
    """The URL means nothing. The message does not repeat it, since it may hold a password."""

    def __init__(self, why: str) -> None:
        super().__init__(f"redis.url {why}. Expected such as {_EXAMPLES}.")


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """`hosts` are Sentinels or nodes of a cluster; `options` are those of each connection.

    `sentinel_login` is what Sentinels are told where it is not what the server is told.
    """

    kind: Kind
    hosts: tuple[tuple[str, int], ...]
    options: dict[str, Any]
    service: str = ""
    sentinel_login: dict[str, str] = field(default_factory=dict)


def address_of(url: str) -> RedisAddress:
    """Raises `BadRedisAddress`."""
    scheme, separator, rest = url.partition("://")
    base, _, extra = scheme.partition("+")
    if not separator or base not in {"redis", "rediss", "unix"} or (extra and extra not in _KINDS):
        raise BadRedisAddress("has an unknown scheme")
    if not extra:
        return RedisAddress("server", (), _plain(url))
    return _several(_KINDS[extra], base, rest)


def _plain(url: str) -> dict[str, Any]:
    try:
        return dict(parse_url(url))
    except ValueError as error:
        raise BadRedisAddress("cannot be read") from error


def _several(kind: Kind, base: str, rest: str) -> RedisAddress:
    userinfo, _, address = rest.rpartition("@")
    netloc, _, path = address.partition("/")
    path, _, query = path.partition("?")
    parts = [part for part in path.split("/") if part]
    service = unquote(parts.pop(0)) if kind == "sentinel" and parts else ""
    if kind == "sentinel" and not service:
        raise BadRedisAddress("names no service behind its Sentinels")
    hosts = tuple(_host(each, _PORTS[kind]) for each in netloc.split(",") if each)
    if not hosts:
        raise BadRedisAddress("names no host")
    login = f"{userinfo}@" if userinfo else ""
    sentinel_login, query = _split(query) if kind == "sentinel" else ({}, query)
    options = _plain(f"{base}://{login}host/{parts[0] if parts else ''}" + (f"?{query}" if query else ""))
    options = {name: value for name, value in options.items() if name not in {"host", "port"}}
    return RedisAddress(kind, hosts, options, service, sentinel_login)


def _split(query: str) -> tuple[dict[str, str], str]:
    """The login for the Sentinels, and what else there was."""
    pairs = parse_qsl(query, keep_blank_values=True)
    login = {_LOGINS[name]: value for name, value in pairs if name in _LOGINS}
    return login, urlencode([(name, value) for name, value in pairs if name not in _LOGINS])


def _host(text: str, port: int) -> tuple[str, int]:
    try:
        parts = urlsplit(f"//{text}")
        return parts.hostname or "localhost", parts.port or port
    except ValueError as error:
        raise BadRedisAddress("names a port that is none") from error
