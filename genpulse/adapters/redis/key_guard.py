"""Rejects commands whose keys lack this environment's prefix.

Keys have one builder, `Keyspace`. This is for the day on which somebody builds one elsewhere.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from redis.asyncio.connection import AbstractConnection


class ForeignKey(AssertionError):
    """Code of ours asked for a key of another environment, or for a command that nobody has looked at yet."""


_NO_KEYS = frozenset(
    {
        "ASKING",
        "AUTH",
        "CLIENT",
        "CLUSTER",
        "COMMAND",
        "DISCARD",
        "EXEC",
        "HELLO",
        "INFO",
        "MULTI",
        "PING",
        "READONLY",
        "ROLE",
        "SCRIPT",
        "SELECT",
        "SENTINEL",
        "TIME",
        "UNWATCH",
    }
)
_FIRST = frozenset({"GET", "LRANGE", "PEXPIRE", "PUBLISH", "SET", "ZADD", "ZRANGEBYSCORE", "ZREMRANGEBYSCORE"})
_ALL = frozenset({"DEL", "EXISTS", "MGET", "SUBSCRIBE", "UNLINK", "UNSUBSCRIBE"})
_SCRIPTS = frozenset({"EVALSHA", "EVAL"})


class Guarded(AbstractConnection):
    """A connection that packs only commands whose keys and channels begin with `prefix`."""

    prefix: str

    def pack_command(self, *args: Any) -> list[bytes]:
        """Raises `ForeignKey`."""
        check(self.prefix, args)
        return super().pack_command(*args)


@lru_cache
def guarded(connection_class: type[AbstractConnection], prefix: str) -> type[AbstractConnection]:
    """The same kind of connection, guarded."""
    return type(f"Guarded{connection_class.__name__}", (Guarded, connection_class), {"prefix": prefix})


def check(prefix: str, command: tuple[Any, ...]) -> None:
    """Raises `ForeignKey` unless every key of the command begins with the prefix."""
    name = str(command[0]).partition(" ")[0].upper()
    for key in _keys(name, command):
        text = key.decode(errors="replace") if isinstance(key, bytes) else str(key)
        if not text.startswith(prefix):
            raise ForeignKey(f"{name} was asked for {text!r}, and keys of this environment begin with {prefix!r}")


def _keys(name: str, command: tuple[Any, ...]) -> Iterable[Any]:
    if name in _FIRST:
        return command[1:2]
    if name in _ALL:
        return command[1:]
    if name in _SCRIPTS:
        return command[3 : 3 + int(command[2])]
    if name in _NO_KEYS:
        return ()
    raise ForeignKey(f"nobody has said yet where the keys of {name} are; say it in {__name__}")
