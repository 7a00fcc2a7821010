"""Migrations hold nobody up, and let the version before work on: each one is run, and bad ones are found out."""

from contextlib import asynccontextmanager

import pytest
from alembic import op
from sqlalchemy import text

from genpulse.adapters.database.schema import migration_steps
from genpulse.adapters.database.schema.expected_revision import head
from genpulse.adapters.database.schema.migrate import _between, _engine, upgrade
from tests.upgrades import policy, records
from tests.upgrades.inspection import inspect, migration

BEFORE = "0012"


@asynccontextmanager
async def connected(url):
    engine = _engine(url)
    try:
        async with engine.connect() as connection:
            yield connection
    finally:
        await engine.dispose()


async def inspected(connection, change):
    return await connection.run_sync(lambda sync: inspect(sync, change))


async def test_every_migration_since_the_last_stop_keeps_to_the_policy(database_url):
    await upgrade(database_url, to=BEFORE)
    found, before = {}, BEFORE
    async with connected(database_url) as connection:
        for revision in _between(BEFORE, head()):
            seen = await inspected(connection, migration(revision))
            await connection.commit()
            if faults := policy.faults(seen, revision_before=before):
                found[revision] = faults
            before = revision
    assert found == {}


async def test_what_is_told_of_each_migration_is_what_it_does(database_url):
    """`python -m tests.upgrades record` writes it anew."""
    assert await records.seen(database_url) == records.kept()


def sql(statement, *tables):
    def change():
        if tables:
            migration_steps.lock(*tables)
        op.execute(statement)

    return change


def lift(revision):
    return f"UPDATE schema_compatibility SET works_with_revision = '{revision}'"


def contract():
    migration_steps.lock("tasks")
    op.execute(lift(head()))
    op.execute("ALTER TABLE tasks DROP COLUMN warnings")


BAD = {
    "a column without the lock": (sql("ALTER TABLE tasks ADD COLUMN x int"), "without migration_steps.lock"),
    "another table than was locked": (
        sql("ALTER TABLE queue ADD COLUMN x int", "tasks"),
        "queue: locked (AccessExclusiveLock) without",
    ),
    "an index": (sql("CREATE INDEX x ON tasks (model)"), "index x is built"),
    "an index under the lock": (sql("CREATE INDEX x ON queue (owner)", "queue"), "index x is built"),
    "a column that must be filled": (
        sql("ALTER TABLE ledger ADD COLUMN x int NOT NULL", "ledger"),
        "ledger.x: older versions do not fill it",
    ),
    "a default that differs by row": (
        sql("ALTER TABLE tasks ADD COLUMN x float DEFAULT random()", "tasks"),
        "tasks: written anew",
    ),
    "a column that may not be empty any more": (
        sql("ALTER TABLE attempts ALTER COLUMN job_id SET NOT NULL", "attempts"),
        "attempts.job_id: older versions may leave it NULL",
    ),
    "a default that goes": (
        sql("ALTER TABLE tasks ALTER COLUMN owner DROP DEFAULT", "tasks"),
        "tasks.owner: older versions rely on its default",
    ),
    "a condition": (sql("ALTER TABLE tasks ADD CHECK (seq >= 0)", "tasks"), "add it NOT VALID"),
    "a foreign key": (
        sql("ALTER TABLE queue ADD FOREIGN KEY (task_id) REFERENCES tasks (id)", "tasks", "queue"),
        "add it NOT VALID",
    ),
    "another type": (
        sql("ALTER TABLE queue ALTER COLUMN priority TYPE bigint", "queue"),
        "queue.priority: its type changes from smallint to bigint",
    ),
    "another type without a rewrite": (
        sql("ALTER TABLE tasks ALTER COLUMN fingerprint TYPE varchar", "tasks"),
        "tasks.fingerprint: its type changes",
    ),
    "a renamed column": (
        sql("ALTER TABLE tasks RENAME COLUMN model TO model_name", "tasks"),
        "tasks.model: taken away or renamed",
    ),
    "a column that goes": (
        sql("ALTER TABLE deliveries DROP COLUMN form", "deliveries"),
        "deliveries.form: taken away",
    ),
    "a table that goes": (sql("DROP TABLE queue_turns", "queue_turns"), "queue_turns: taken away"),
    "a renamed table": (sql("ALTER TABLE queue RENAME TO line", "queue"), "queue: taken away or renamed"),
    "rows that are filled": (
        sql("UPDATE tasks SET retain_s = 1 WHERE retain_s = 0", "tasks"),
        "tasks: its rows are read or written",
    ),
    "rows that are counted": (sql("SELECT count(*) FROM attempts", "attempts"), "attempts: its rows are read"),
    "a trigger without the lock": (
        sql("CREATE TRIGGER x AFTER INSERT ON tasks EXECUTE FUNCTION seq_grows()"),
        "tasks: locked (ShareRowExclusiveLock) without",
    ),
    "a table that points at another": (
        sql("CREATE TABLE notes (task_id uuid REFERENCES tasks (id))"),
        "tasks: locked (ShareRowExclusiveLock) without",
    ),
    "the version before is shut out": (sql(lift("9999")), "may not work with it"),
}
GOOD = {
    "a column": sql("ALTER TABLE tasks ADD COLUMN x int", "tasks"),
    "a column with a default": sql("ALTER TABLE queue ADD COLUMN x int NOT NULL DEFAULT 7", "queue"),
    "a table": sql("CREATE TABLE notes (id int PRIMARY KEY, words text NOT NULL)"),
    "a table that points at another": sql("CREATE TABLE notes (task_id uuid REFERENCES tasks (id))", "tasks"),
    "a condition for what comes": sql("ALTER TABLE tasks ADD CHECK (seq >= 0) NOT VALID", "tasks"),
    "an index that goes": sql("DROP INDEX IF EXISTS ix_tasks_live", "tasks"),
    "rows of a small table": sql("UPDATE api_keys SET weight = 1 WHERE weight = 0", "api_keys"),
    "rows that nobody is held up for": sql("UPDATE deliveries SET form = '' WHERE form = 'x'"),
    "a column that goes when nobody reads it": contract,
}


@pytest.mark.parametrize("name", BAD)
async def test_a_migration_that_would_hold_others_up_or_break_them_is_found_out(unstamped_url, name):
    change, words = BAD[name]
    async with connected(unstamped_url) as connection:
        seen = await inspected(connection, change)
        await connection.rollback()
    assert any(words in fault for fault in policy.faults(seen, revision_before=head())), seen


@pytest.mark.parametrize("name", GOOD)
async def test_a_migration_that_does_neither_passes(unstamped_url, name):
    async with connected(unstamped_url) as connection:
        seen = await inspected(connection, GOOD[name])
        await connection.rollback()
    assert policy.faults(seen, revision_before=head()) == []


async def test_a_lock_that_is_not_to_be_had_is_given_up_soon(unstamped_url):
    """Whoever comes after it waits no longer than that."""
    async with connected(unstamped_url) as reader, connected(unstamped_url) as connection:
        await reader.execute(text("SELECT count(*) FROM tasks"))
        with pytest.raises(Exception, match="lock timeout"):
            await inspected(connection, sql("ALTER TABLE tasks ADD COLUMN x int", "tasks"))
        await connection.rollback()
        assert (await connection.execute(text("SHOW lock_timeout"))).scalar() == "0"
