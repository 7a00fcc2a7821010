"""Mapping of PostgreSQL and asyncpg errors to domain errors.

| what | SQLSTATE or class | kind |
|---|---|---|
| a value that a column cannot hold, or that is no such value at all | 22, and the driver's `DataError` | mistake |
| a rule of a table that is broken; a row that is there already | 23, 44 | mistake |
| a statement that cannot be, or over tables of another version | 21, 3F, 42 but for the two below, P0 | mistake |
| too long for an index, nested too deeply: the same each time | 54 | mistake |
| the role may not do it: a grant was taken, or is still to come | 42501 | away |
| statements of another session, or that are gone: a pooler | 26, 42P05 | away |
| what was prepared is older than the tables | `InvalidCachedStatementError`, `OutdatedSchemaCacheError` | away |
| takes no writes: a standby, a demoted primary, a disk that is nearly full | 25006, LISTEN there 0A, 55 | away |
| a transaction that stood still or failed before | 25 | away |
| password or access rules, also while they are changed | 28, and a role that is gone 0P | away |
| the database is not there: restored, renamed | 3D | away |
| connection, locks, resources, shutdown, limits of time, I/O, poolers | 08, 40, 53, 55, 57, 58, XX | away |
| everything else of the server or the driver, also what nobody has seen yet | any | away |

A *mistake* would come again with the same statement and the same values, so it passes as it is, an
`asyncpg.PostgresError`. What is *away* may be well a moment later, or when somebody has acted, and nothing has to
be given up for it: `DatabaseUnavailable`.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from genpulse.adapters.network.unreachable import why_not_reached
from genpulse.domain.errors import DatabaseUnavailable

_MISTAKES = ("21", "22", "23", "3F", "42", "44", "54", "P0")
_AWAY_NEVERTHELESS = (asyncpg.InsufficientPrivilegeError, asyncpg.DuplicatePreparedStatementError)
_FOREIGN = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.exceptions.InternalClientError,
    OSError,
    TimeoutError,
    asyncio.IncompleteReadError,
)
OUTDATED = (asyncpg.InvalidCachedStatementError, asyncpg.exceptions.OutdatedSchemaCacheError)
"""What was prepared on a connection is older than the tables; the driver has forgotten it when this is seen."""

_SETTING = "GENPULSE_DATABASE_URL"
_POOLER = (
    "PostgreSQL does not answer as one session does ({what}). Where a pooler such as PgBouncer pools by"
    " transaction, set database.pooler: transaction (GENPULSE_DATABASE__POOLER), and no"
    " database.prepared_statements unless it keeps account of them: PgBouncer 1.21 or newer with"
    " max_prepared_statements above 0."
)
_WORDS_OF_POOLERS = {
    "unsupported startup parameter": (
        "A pooler stands where {setting} points ({what}): set database.pooler (GENPULSE_DATABASE__POOLER) to"
        " session or transaction, as it pools."
    ),
    "query_wait_timeout": (
        "The pooler where {setting} points lends no connection of PostgreSQL in time ({what}): PostgreSQL is away,"
        " or what all processes ask for at once is more than its pool holds (default_pool_size of PgBouncer)."
    ),
    "no more connections allowed": (
        "The pooler where {setting} points takes no more clients ({what}): let its max_client_conn be greater, or"
        " database.pool_size smaller."
    ),
    "login has been failing": "The pooler where {setting} points cannot log in at PostgreSQL ({what}).",
    "cannot connect to server": "The pooler where {setting} points does not reach PostgreSQL ({what}).",
}
"""What PgBouncer says for itself, as violations of a protocol."""
_OTHER_SERVER = (
    "What answers where {setting} points does not speak as PostgreSQL does ({what}): look at host and port, and"
    " whether a proxy stands there."
)
_SENTENCES: tuple[tuple[tuple[type[Exception], ...], str], ...] = (
    ((asyncpg.DiskFullError,), "PostgreSQL's disk is full: nothing can be written until there is space."),
    (
        (asyncpg.ReadOnlySQLTransactionError,),
        "PostgreSQL takes no writes ({what}): it is a standby, or read-only, as when its disk is nearly full.",
    ),
    (
        (asyncpg.InsufficientPrivilegeError,),
        "The role of this database URL may not do what is needed ({what}). Grant it that.",
    ),
    (
        (asyncpg.InvalidPasswordError,),
        "PostgreSQL refuses the user or the password of {setting} ({what}). Mend them there.",
    ),
    (
        (asyncpg.InvalidAuthorizationSpecificationError,),
        (
            "PostgreSQL does not let this user in from here ({what}). Look at the user in {setting}, at"
            " pg_hba.conf of the server, and whether it wants TLS (sslmode=require)."
        ),
    ),
    (
        (asyncpg.InvalidCatalogNameError,),
        "PostgreSQL has no such database ({what}). Create it, or mend its name in {setting}.",
    ),
    (
        (asyncpg.TooManyConnectionsError,),
        (
            "PostgreSQL takes no more connections ({what}). Make database.pool_size smaller, or its"
            " max_connections greater."
        ),
    ),
    ((asyncpg.exceptions.ProtocolError,), _OTHER_SERVER),
    ((asyncpg.DuplicatePreparedStatementError, asyncpg.InvalidSQLStatementNameError), _POOLER),
    (OUTDATED, "The tables were changed a moment ago ({what}); the next try sees them as they are."),
)


def is_mistake(error: BaseException) -> bool:
    """Whether the same statement with the same values would fail in the same way again."""
    if not isinstance(error, asyncpg.PostgresError) or isinstance(error, _AWAY_NEVERTHELESS):
        return False
    return str(error.sqlstate or "").startswith(_MISTAKES)


@contextmanager
def outages() -> Iterator[None]:
    """Turn every error of PostgreSQL or its driver into `DatabaseUnavailable`, but for mistakes, which pass."""
    try:
        yield
    except _FOREIGN as error:
        if is_mistake(error):
            raise
        raise DatabaseUnavailable(_sentence(error)) from error


def _sentence(error: BaseException) -> str:
    what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    for kinds, sentence in _SENTENCES:
        if isinstance(error, kinds):
            return sentence.format(what=what, setting=_SETTING)
    for words, sentence in _WORDS_OF_POOLERS.items():
        if isinstance(error, asyncpg.PostgresError) and words in str(error):
            return sentence.format(what=what, setting=_SETTING)
    if found := why_not_reached(error, "PostgreSQL", _SETTING):
        return found
    if isinstance(error, ConnectionError) and "rejected SSL upgrade" in str(error):
        return (
            f"No TLS with PostgreSQL ({what}): either it has none (sslmode=disable, where that is allowed), or"
            f" what answers where {_SETTING} points is another kind of server."
        )
    return f"PostgreSQL does not answer ({what})."
