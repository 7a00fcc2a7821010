"""To which environment the database of a connection belongs, and whether it is the one that was stamped."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import asyncpg

from genpulse.adapters.postgresql.errors import outages
from genpulse.domain.errors import CopiedDatabase, DatabaseUnavailable, ForeignDatabase, UnstampedDatabase

_UNREADABLE = "?"
# The column is younger than the stamp: a database that is still to be upgraded has none.
_STAMP = """
SELECT environment, stamped_at, stamped_by, to_jsonb(environment_stamp) ->> 'identity' AS identity
FROM environment_stamp
"""
_IDENTITY = """
SELECT system_identifier || '/' || oid FROM pg_control_system(), pg_database WHERE datname = current_database()
"""
_HALF_OF_IT = "SELECT '?/' || oid FROM pg_database WHERE datname = current_database()"


@dataclass(frozen=True, slots=True)
class Stamp:
    """To which environment a database belongs, since when, and who said so (host and version).

    `identity` is the database that was stamped, `<cluster>/<oid>`, None when that was not noted yet;
    `connected_identity` is the one that is connected.
    """

    environment: str
    stamped_at: datetime
    stamped_by: str
    identity: str | None
    connected_identity: str

    def __str__(self) -> str:
        return f"stamped {self.stamped_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC by {self.stamped_by}"

    @property
    def is_elsewhere(self) -> bool:
        """The stamp was put on another database than the one it is found in: this is a copy, or it was moved."""
        return self.identity is not None and not _same(self.identity, self.connected_identity)

    def copied(self) -> CopiedDatabase:
        """What is to be said then."""
        evidence = f"{self}, which was database {self.identity}, and this is {self.connected_identity}"
        return CopiedDatabase(self.environment, evidence)


async def read_stamp(connection: asyncpg.Connection) -> Stamp | None:
    """None without a stamp, or without a table for it. Not to be called inside a transaction.

    Raises `DatabaseUnavailable`, also where the role may not read it.
    """
    if not await has_table(connection, "environment_stamp"):
        return None
    with outages(), _readable_stamp():
        row = await connection.fetchrow(_STAMP)
    if row is None:
        return None
    found = await identity(connection)
    return Stamp(row["environment"], row["stamped_at"], row["stamped_by"], row["identity"], found)


async def has_table(connection: asyncpg.Connection, name: str) -> bool:
    """Whether there is such a table, asked so that a server logs no error. Raises `DatabaseUnavailable`."""
    with outages():
        return bool(await connection.fetchval("SELECT to_regclass($1) IS NOT NULL", name))


async def identity(connection: asyncpg.Connection) -> str:
    """Which database this is: `<cluster>/<oid>`, with `?` where the role may not read which cluster.

    A copy by pg_dump or by CREATE DATABASE has another one; a standby has that of its primary, as does every copy
    that is made file by file. Raises `DatabaseUnavailable`.
    """
    with outages():
        try:
            identifier: str = await connection.fetchval(_IDENTITY)
        except asyncpg.InsufficientPrivilegeError:
            identifier = await connection.fetchval(_HALF_OF_IT)
    return identifier


async def check_connection(connection: asyncpg.Connection, environment: str) -> None:
    """Raises unless what is connected is the database that was stamped for this environment.

    `ForeignDatabase` when it is another environment's, `CopiedDatabase` when it is a copy of this one's,
    `UnstampedDatabase` when nothing says whose it is, `DatabaseUnavailable`.
    """
    stamp = await read_stamp(connection)
    if stamp is None:
        raise UnstampedDatabase(environment)
    if stamp.environment != environment:
        raise ForeignDatabase(stamp.environment, environment, str(stamp))
    if stamp.is_elsewhere:
        raise stamp.copied()


def _same(one: str, other: str) -> bool:
    """Whose cluster cannot be read is compared by the rest."""
    (cluster, _, oid), (its_cluster, _, its_oid) = one.partition("/"), other.partition("/")
    return oid == its_oid and (cluster == its_cluster or _UNREADABLE in {cluster, its_cluster})


@contextmanager
def _readable_stamp() -> Iterator[None]:
    try:
        yield
    except asyncpg.InsufficientPrivilegeError as error:
        raise DatabaseUnavailable(
            "The role of this database URL may not read to which environment the database belongs."
            " Grant it SELECT on the table environment_stamp."
        ) from error
