"""Where PgQueuer's tables lie and what they are called."""

import asyncpg
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.adapters.persistence.qb import (
    QueryBuilderEnvironment,
    QueryQueueBuilder,
    QuerySchedulerBuilder,
)
from pgqueuer.domain.settings import DBSettings, Durability
from pgqueuer.domain.types import Channel
from pgqueuer.ports.driver import Driver
from pgqueuer.queries import Queries

CHANNEL = "genpulse_queue"

# Every field is named, so that no PGQUEUER_… variable of the process can move the tables.
SETTINGS = DBSettings(
    prefix="",
    db_schema="pgqueuer",
    channel=Channel(CHANNEL),
    function="fn_pgqueuer_changed",
    statistics_table="pgqueuer_statistics",
    queue_status_type="pgqueuer_status",
    queue_table="pgqueuer",
    queue_table_log="pgqueuer_log",
    trigger="tg_pgqueuer_changed",
    schedules_table="pgqueuer_schedules",
    durability=Durability.balanced,
    widen_id=True,
)

BEGUN = 1000
"""Added to the priority of an entry that a worker gave back: its work has begun and goes before all new work."""

# The table is small and every row of it is dead soon: what vacuum waits for elsewhere never comes here.
_CHURN = "autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0"

_ENVIRONMENT = QueryBuilderEnvironment(SETTINGS)
STATEMENTS = QueryQueueBuilder(SETTINGS)
_SCHEDULER = QuerySchedulerBuilder(SETTINGS)


def queries(driver: Driver) -> Queries:
    """PgQueuer's statements on a connection or a pool."""
    return Queries(driver, _ENVIRONMENT, STATEMENTS, _SCHEDULER)


async def install(connection: asyncpg.Connection) -> None:
    """Create the queue's tables, or bring older ones up to date. May be called again."""
    statements = queries(AsyncpgDriver(connection))
    if await statements.schema_is_installed():
        await statements.upgrade()
    else:
        await statements.install()
    await connection.execute(f"ALTER TABLE {SETTINGS.qualified.queue_table} SET ({_CHURN})")
