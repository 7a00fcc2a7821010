"""The connection to Redis, and how it is."""

import asyncio
import logging
from typing import Any, cast

from redis.asyncio import Redis, RedisCluster, Sentinel
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.connection import AbstractConnection, Connection, ConnectionPool, SSLConnection
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import SentinelConnectionPool, SentinelManagedConnection, SentinelManagedSSLConnection
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    NoPermissionError,
    RedisClusterException,
    RedisError,
    ResponseError,
)
from redis.exceptions import ConnectionError as ConnectionLost

from genpulse.adapters.redis.address import RedisAddress, address_of
from genpulse.adapters.redis.error_words import why_away
from genpulse.adapters.redis.key_guard import guarded
from genpulse.adapters.redis.keys import Keyspace
from genpulse.background.cancellations import cancellations, heed_cancellation
from genpulse.ports import Health, State

CONNECT_S = 2.0
COMMAND_S = 5.0
PROBE_S = 1.5
PROBE_KEPT_MS = 5_000
_LOGIN = ("username", "password")

AWAY = (RedisError, RedisClusterException, OSError, TimeoutError)
"""All the ways in which Redis says, or does not say, that it is away."""

_log = logging.getLogger(__name__)


def open_redis(url: str, prefix: str) -> Redis:
    """One client for the whole process; it connects when it is first used. Close it with `aclose()`.

    Every key and channel has to begin with `prefix`; any other raises `ForeignKey` before it is sent. A connection
    takes at most 2 seconds and a command 5. A command is sent a second time when its connection turns out to be
    broken, and no more: everything that is kept here may be lost. Raises `BadRedisAddress`.
    """
    address = address_of(url)
    match address.kind:
        case "server":
            return _of_server(address, prefix)
        case "sentinel":
            return _of_sentinels(address, prefix)
        case "cluster":
            return _of_cluster(address, prefix)


def _options() -> dict[str, Any]:
    return {
        "decode_responses": True,
        "encoding_errors": "replace",
        "protocol": 2,
        "socket_connect_timeout": CONNECT_S,
        "socket_timeout": COMMAND_S,
    }


def _again() -> Retry:
    return Retry(NoBackoff(), 1, supported_errors=(ConnectionLost,))


def _of_server(address: RedisAddress, prefix: str) -> Redis:
    kind = guarded(address.options.get("connection_class", Connection), prefix)
    options = {**_options(), "retry": _again(), "health_check_interval": 30, **address.options}
    return Redis.from_pool(ConnectionPool(**{**options, "connection_class": kind}))


class _SentinelPool(SentinelConnectionPool):
    """Closes the connections to its Sentinels too."""

    async def disconnect(self, inuse_connections: bool = True) -> None:  # noqa: FBT001, FBT002 - as inherited
        """With those in use it is for good."""
        await super().disconnect(inuse_connections)
        if inuse_connections:
            for sentinel in self.sentinel_manager.sentinels:
                await sentinel.aclose()


def _of_sentinels(address: RedisAddress, prefix: str) -> Redis:
    """The primary of a service; another one is asked for whenever a connection is opened."""
    tls = address.options.get("connection_class") is SSLConnection
    kind = SentinelManagedSSLConnection if tls else SentinelManagedConnection
    options = {**_options(), "retry": _again(), **address.options, "connection_class": guarded(kind, prefix)}
    sentinel = Sentinel(())  # type: ignore[no-untyped-call]
    sentinel.sentinels = [_sentinel(address, host, port, tls=tls) for host, port in address.hosts]
    pool = _SentinelPool(address.service, sentinel, **options)  # type: ignore[no-untyped-call]
    return Redis.from_pool(pool)


def _sentinel(address: RedisAddress, host: str, port: int, *, tls: bool) -> Redis:
    """It is spoken to as the server is: by TLS or not, and as the same user unless the URL names another."""
    kind: type[Connection] = SSLConnection if tls else Connection
    if not address.sentinel_login:
        kind = _SentinelTLSConnection if tls else _SentinelConnection
    shared = {name: value for name, value in address.options.items() if name not in {"db", *_LOGIN}}
    login = address.sentinel_login or {name: value for name, value in address.options.items() if name in _LOGIN}
    options = {**_options(), "retry": _again(), **shared, **login, "host": host, "port": port}
    return Redis.from_pool(ConnectionPool(**{**options, "connection_class": kind}))


class _AsTheServer(AbstractConnection):
    """Logs in as at the server; where a Sentinel does not know that user or wants no password, goes on without."""

    async def connect_check_health(self, *args: bool, **kwargs: bool) -> None:
        """Raises `AuthenticationError` where neither is right."""
        login = self.username, self.password
        try:
            await super().connect_check_health(*args, **kwargs)
        except AuthenticationError:
            await self.disconnect()
            self.username, self.password = "", ""
            await super().connect_check_health(*args, **kwargs)
        finally:
            self.username, self.password = login


class _SentinelConnection(_AsTheServer, Connection):
    pass


class _SentinelTLSConnection(_AsTheServer, SSLConnection):
    pass


def _of_cluster(address: RedisAddress, prefix: str) -> Redis:
    """It has the methods of a client that are used here, and so it stands for one."""
    tls = address.options.get("connection_class") is SSLConnection
    login = {key: value for key, value in address.options.items() if key not in {"connection_class", "db"}}
    nodes = [ClusterNode(host, port) for host, port in address.hosts]
    cluster = RedisCluster(startup_nodes=nodes, ssl=tls, **_options(), **login)
    kind = cast("type[Connection]", guarded(SSLConnection if tls else Connection, prefix))
    cluster.connection_kwargs["connection_class"] = kind
    for node in cluster.nodes_manager.startup_nodes.values():
        node.connection_class = kind
    return cast("Redis", cluster)


class Outage:
    """Says once that Redis cannot be used, however many parts notice it, and once that it can again."""

    def __init__(self) -> None:
        self._noticed_by: set[str] = set()

    def __bool__(self) -> bool:
        return bool(self._noticed_by)

    def report(self, part: str, error: BaseException) -> None:
        """A part of the process could not reach Redis."""
        if not self._noticed_by:
            _log.warning("live events are lost (%s); tasks run on without them", why_away(error))
        self._noticed_by.add(part)

    def end(self, part: str) -> None:
        """A part of the process has reached Redis."""
        if part in self._noticed_by:
            self._noticed_by.remove(part)
            if not self._noticed_by:
                _log.info("events are live again")


class RedisProbe:
    """Whether Redis answers and takes writes. Tasks run without it, so its absence only slows watchers down.

    A full server, a replica, and one whose last save failed answer each question and take no writes.
    """

    def __init__(self, redis: Redis, keys: Keyspace) -> None:
        self._redis = redis
        self._keys = keys

    async def __call__(self) -> Health:
        """Answers within 2 seconds and never raises."""
        before = cancellations()
        try:
            async with asyncio.timeout(PROBE_S):
                await self._redis.set(self._keys.probe, "genpulse was here", px=PROBE_KEPT_MS)
                heed_cancellation(before)
        except (AuthenticationError, NoPermissionError) as error:
            return Health("redis", State.DEGRADED, f"no live events: {why_away(error)}")
        except ResponseError as error:
            return Health(
                "redis", State.DEGRADED, f"takes no writes, so that limits are not shared: {why_away(error)}"
            )
        except AWAY as error:
            return Health("redis", State.DEGRADED, f"no live events: {why_away(error)}")
        return Health("redis", State.OK)
