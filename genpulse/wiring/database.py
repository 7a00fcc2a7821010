"""What commands do with the database: upgrade, check, stamp; and the API keys in it."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from genpulse.adapters.database.keys.api_keys import PostgresKeys
from genpulse.adapters.database.keys.sealing import Sealing
from genpulse.adapters.database.schema import environment_stamp
from genpulse.adapters.database.schema.environment_stamp import StampedDatabase as StampedDatabase
from genpulse.adapters.database.schema.upgrade.steps import UpgradePlan as UpgradePlan
from genpulse.configuration.settings import Settings
from genpulse.domain.errors import (
    DatabaseUnavailable,
    ForeignDatabase,
    UnstampedDatabase,
)
from genpulse.ports import KeyStore
from genpulse.wiring.connections import database_url, pool_of, session_url

_log = logging.getLogger(__name__)


def key_store(settings: Settings, pool: asyncpg.Pool) -> PostgresKeys:
    sealing = settings.webhooks.sealing_keys
    return PostgresKeys(pool, Sealing(sealing.get_secret_value().split() if sealing else ()))


async def upgrade_database(settings: Settings) -> tuple[str, ...]:
    """Bring the tables up to date; returns the revisions that were applied.

    Where services are spawned, a database without a stamp gets that of this environment. Raises `ForeignDatabase`,
    `DatabaseUnavailable`.
    """
    from genpulse.adapters.database.schema import migrate  # a third of a second that only this command needs

    row = settings.environment
    url = session_url(settings)
    return await migrate.upgrade(url, environment=row.name, stamps_itself=row.spawns_services)


async def plan_upgrade(settings: Settings) -> UpgradePlan:
    """What `upgrade_database` would do. Raises `ForeignDatabase`, `DatabaseUnavailable`."""
    from genpulse.adapters.database.schema import migrate  # as above

    url = session_url(settings)
    await environment_stamp.refuse_foreign(url, settings.environment.name)
    return await migrate.plan(url)


async def check_database(settings: Settings) -> None:
    """Before a process starts: whose database is it?

    Raises `ForeignDatabase`, `CopiedDatabase`, `UnstampedDatabase`.

    One that is away may still come up.
    """
    row = settings.environment
    try:
        await environment_stamp.check_stamp(database_url(settings), row.name, stamps_itself=row.spawns_services)
    except (ForeignDatabase, UnstampedDatabase):
        raise
    except DatabaseUnavailable as error:
        _log.warning("%s It is looked at again when it answers.", error)


@asynccontextmanager
async def open_keys(settings: Settings) -> AsyncIterator[KeyStore]:
    """The API keys alone, for as long as the body runs. Raises `DatabaseUnavailable`."""
    pool = await pool_of(settings, "keys")
    try:
        yield key_store(settings, pool)
    finally:
        await pool.close()


async def database_stamp(settings: Settings) -> StampedDatabase:
    """The database and its stamp, whosever it is. Raises `DatabaseUnavailable`."""
    return await environment_stamp.look(database_url(settings))


async def stamp_database(settings: Settings, *, replaces: str | None) -> StampedDatabase:
    """Say that the database belongs to this environment. Raises as `environment_stamp.stamp` does."""
    return await environment_stamp.stamp(database_url(settings), settings.environment.name, replaces=replaces)


async def confirm_moved(settings: Settings) -> StampedDatabase:
    """Say that this environment's database has moved here. Raises as `environment_stamp.confirm_moved` does."""
    return await environment_stamp.confirm_moved(database_url(settings), settings.environment.name)


async def confirm_restored(settings: Settings) -> StampedDatabase:
    """Say that the database of this environment was restored. Raises as `stamp.confirm_restored` does."""
    return await environment_stamp.confirm_restored(database_url(settings), settings.environment.name)


async def empty_copy(settings: Settings) -> StampedDatabase:
    """Make a copy of this environment's database one of its own. Raises as `environment_stamp.empty_copy` does."""
    return await environment_stamp.empty_copy(database_url(settings), settings.environment.name)


async def database_revision(settings: Settings) -> tuple[str | None, str]:
    """The revision of the database, None when it is empty, and the one that this version needs.

    Raises `ForeignDatabase`, `DatabaseUnavailable`.
    """
    from genpulse.adapters.database.schema import migrate  # as above

    url = session_url(settings)
    await environment_stamp.refuse_foreign(url, settings.environment.name)
    revision = await migrate.current(url)
    return revision.current, revision.head
