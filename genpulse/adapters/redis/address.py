"""Parsing of Redis URLs: one server, a primary behind Sentinels, or a cluster."""

from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias
from urllib.parse import unquote, urlsplit

from redis.asyncio.connection import parse_url

from genpulse.addresses.url import Url

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
    read = Url.of(url)
    base, _, extra = read.scheme.partition("+")
    if base not in {"redis", "rediss", "unix"} or (extra and extra not in _KINDS):
        raise BadRedisAddress("has an unknown scheme")
    if not extra:
        return RedisAddress("server", (), _plain(url))
    return _several(_KINDS[extra], base, read)


def _plain(url: str) -> dict[str, Any]:
    try:
        return dict(parse_url(url))
    except ValueError as error:
        raise BadRedisAddress("cannot be read") from error


def _several(kind: Kind, base: str, read: Url) -> RedisAddress:
    parts = [part for part in read.path.split("/") if part]
    service = unquote(parts.pop(0)) if kind == "sentinel" and parts else ""
    if kind == "sentinel" and not service:
        raise BadRedisAddress("names no service behind its Sentinels")
    hosts = tuple(_host(each, _PORTS[kind]) for each in read.hosts if each)
    if not hosts:
        raise BadRedisAddress("names no host")
    own = _LOGINS if kind == "sentinel" else {}
    connection = read.named(scheme=base, hosts=("host",), path=f"/{'/'.join(parts[:1])}")
    options = _plain(str(connection.asking(read.query.without(own))))
    options = {name: value for name, value in options.items() if name not in {"host", "port"}}
    login = {own[name]: value for name, value in read.query if name in own}
    return RedisAddress(kind, hosts, options, service, login)


def _host(text: str, port: int) -> tuple[str, int]:
    try:
        parts = urlsplit(f"//{text}")
        return parts.hostname or "localhost", parts.port or port
    except ValueError as error:
        raise BadRedisAddress("names a port that is none") from error
