"""What an upgrade would do, step by step, without doing any of it."""

import json
from functools import cache
from typing import Any

import asyncpg

from genpulse.adapters.database.schema.expected_revision import MIGRATIONS
from genpulse.adapters.database.schema.upgrade.concurrent_changes import INDEXES, UNCHECKED, described_indexes
from genpulse.adapters.database.schema.upgrade.steps import ConcurrentStep, MigrationStep, TableSize, UpgradePlan

RECORDS = MIGRATIONS / "recorded_locks.json"
"""What each migration was seen to do; `python -m tests.upgrades record` writes it, and a test holds it to that."""
_SIZES = """
SELECT relname AS name, greatest(reltuples, 0)::bigint AS rows, pg_table_size(oid) AS size
FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'
"""


async def planned(
    connection: asyncpg.Connection, current: str | None, head: str, pending: tuple[str, ...]
) -> UpgradePlan:
    """Look at what is there. Raises what the driver raises."""
    migrations = tuple(_migration(revision, current) for revision in pending)
    return UpgradePlan(current, head, migrations, await _concurrent(connection) if current else ())


def _migration(revision: str, current: str | None) -> MigrationStep:
    record = _records().get(revision)
    if record is None:
        raise LookupError(
            f"{RECORDS.name} says nothing of the migration {revision}. Run `python -m tests.upgrades record`"
            " in the source tree: it writes down what the migration locks."
        )
    works_with = record["works_with"]
    return MigrationStep(
        revision,
        tuple(record["locks"].items()),
        tuple(record["rewrites"]),
        tuple(record["reads"]),
        works_with,
        beside=current is None or (works_with is not None and works_with <= current),
    )


@cache
def _records() -> dict[str, dict[str, Any]]:
    records: dict[str, dict[str, Any]] = json.loads(RECORDS.read_text())
    return records


async def _concurrent(connection: asyncpg.Connection) -> tuple[ConcurrentStep, ...]:
    """Those of tables that are there already: the ones of new tables take no time."""
    sizes = {row["name"]: TableSize(row["rows"], row["size"]) for row in await connection.fetch(_SIZES)}
    valid = {row["name"]: row["valid"] for row in await connection.fetch(INDEXES)}
    indexes = [
        ConcurrentStep(each.concurrent, each.table, sizes[each.table], again=each.name in valid)
        for each in described_indexes()
        if each.table in sizes and not valid.get(each.name)
    ]
    checks = [
        ConcurrentStep(
            f"ALTER TABLE {row['table']} VALIDATE CONSTRAINT {row['name']}", row["table"], sizes[row["table"]]
        )
        for row in await connection.fetch(UNCHECKED)
    ]
    return (*indexes, *checks)
