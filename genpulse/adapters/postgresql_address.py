"""Addresses of PostgreSQL: as the driver reads them, and one host after the other."""

import asyncpg

from genpulse.domain.errors import DatabaseUnavailable

CONNECT_S = 5.0
_A_HOST_OF_SEVERAL_S = 3.0
_WANTED = "target_session_attrs="
_WRITABLE = "read-write"
_NEXT = (OSError, asyncpg.CannotConnectNowError, asyncpg.exceptions.TargetServerAttributeNotMatched)


def plain_url(url: str) -> str:
    """The URL as asyncpg reads it: SQLAlchemy's driver suffix is taken off.

    Several hosts mean the one of them that takes writes, unless the URL says otherwise.
    """
    scheme, separator, rest = url.partition("://")
    plain = f"{scheme.partition('+')[0]}{separator}{rest}"
    if not _names_several(rest) or _WANTED in rest:
        return plain
    return f"{plain}{'&' if '?' in plain else '?'}{_WANTED}{_WRITABLE}"


def host_by_host(url: str) -> tuple[str, ...]:
    """A URL for each host of a plain one, in order; the URL itself where its hosts have to be seen together."""
    scheme, separator, rest = url.partition("://")
    authority, end = _split(rest)
    user, at, hosts = authority.rpartition("@")
    if "," not in hosts or f"{_WANTED}prefer-standby" in rest:
        return (url,)
    return tuple(f"{scheme}{separator}{user}{at}{host}{end}" for host in hosts.split(","))


async def dial(url: str, **options: object) -> asyncpg.Connection:
    """A connection; one host that swallows packets keeps nobody from the next one. `options` are asyncpg's.

    Raises `DatabaseUnavailable` that says of each of several hosts what was wrong, or what asyncpg raises.
    """
    urls = host_by_host(plain_url(url))
    if len(urls) == 1:
        return await asyncpg.connect(urls[0], **{"timeout": CONNECT_S, **options})
    reasons = []
    for each in urls:
        try:
            return await asyncpg.connect(each, **{**options, "timeout": _A_HOST_OF_SEVERAL_S})
        except _NEXT as error:
            reasons.append(f"{_host(each)}: {_reason(error)}")
    raise DatabaseUnavailable(f"None of the hosts of PostgreSQL can be used ({'; '.join(reasons)}).")


def _names_several(rest: str) -> bool:
    authority, end = _split(rest)
    in_query = any(part.startswith("host=") and "," in part for part in end.partition("?")[2].split("&"))
    return "," in authority.rpartition("@")[2] or in_query


def _split(rest: str) -> tuple[str, str]:
    """The authority, and what comes after it."""
    length = next((place for place, letter in enumerate(rest) if letter in "/?#"), len(rest))
    return rest[:length], rest[length:]


def _host(url: str) -> str:
    return _split(url.partition("://")[2])[0].rpartition("@")[2]


def _reason(error: Exception) -> str:
    if isinstance(error, asyncpg.exceptions.TargetServerAttributeNotMatched):
        return "it is not the kind of server that is wanted, such as one that takes writes"
    return str(error) or type(error).__name__
