"""Connecting to PostgreSQL, host after host."""

import asyncpg

from genpulse.addresses.postgresql import host_by_host, host_of, plain
from genpulse.domain.errors import DatabaseUnavailable

CONNECT_S = 5.0
_A_HOST_OF_SEVERAL_S = 3.0
_NEXT = (OSError, asyncpg.CannotConnectNowError, asyncpg.exceptions.TargetServerAttributeNotMatched)


async def dial(url: str, **options: object) -> asyncpg.Connection:
    """A connection; one host that swallows packets keeps nobody from the next one. `options` are asyncpg's.

    Raises `DatabaseUnavailable` that says of each of several hosts what was wrong, `BadDatabaseAddress`, or what
    asyncpg raises.
    """
    urls = host_by_host(plain(url))
    if len(urls) == 1:
        return await asyncpg.connect(urls[0], **{"timeout": CONNECT_S, **options})
    reasons = []
    for each in urls:
        try:
            return await asyncpg.connect(each, **{**options, "timeout": _A_HOST_OF_SEVERAL_S})
        except _NEXT as error:
            reasons.append(f"{host_of(each)}: {_reason(error)}")
    raise DatabaseUnavailable(f"None of the hosts of PostgreSQL can be used ({'; '.join(reasons)}).")


def _reason(error: Exception) -> str:
    if isinstance(error, asyncpg.exceptions.TargetServerAttributeNotMatched):
        return "it is not the kind of server that is wanted, such as one that takes writes"
    return str(error) or type(error).__name__
