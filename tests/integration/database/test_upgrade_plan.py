"""`genpulse db upgrade --plan` says what would be done, and does nothing."""

import json

import asyncpg
import pytest
from click.testing import CliRunner

from genpulse.adapters.database.schema.expected_revision import head
from genpulse.adapters.database.schema.migrate import current, plan, upgrade
from genpulse.cli.db.command import command
from genpulse.domain.errors import DatabaseUnavailable
from tests.servers import finished


@pytest.fixture
def planned(database_url, tmp_path, monkeypatch):
    """The command on a database that is at a revision; None leaves it empty."""
    monkeypatch.chdir(tmp_path)

    def planned(revision, *options):
        if revision is not None:
            finished(upgrade(database_url, to=revision))
        environment = {"ENV": "dev", "GENPULSE_DATABASE_URL": database_url, "COLUMNS": "300"}
        done = CliRunner().invoke(command, ["upgrade", "--plan", *options], env=environment)
        assert done.exit_code == 0, done.output
        assert (finished(current(database_url))).current == revision
        return done.stdout

    return planned


def test_each_step_is_shown_with_its_locks(planned):
    lines = planned("0029").splitlines()
    assert lines[0] == f"The database is at 0029, and this version wants {head()}. Nothing is done yet."
    (webhooks,) = (line for line in lines if line.startswith("0031"))
    assert "tasks (ACCESS EXCLUSIVE)" in webhooks
    assert webhooks.split()[-2:] == ["-", "yes"]
    assert "Processes of the version before may go on meanwhile, and afterwards." in lines
    (index,) = (line for line in lines if "ix_deliveries_failing" in line)
    assert "CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_deliveries_failing ON deliveries" in index


def test_a_step_that_needs_a_stop_is_named(planned):
    told = planned("0007")
    (orders,) = (line for line in told.splitlines() if line.startswith("0008"))
    assert orders.split()[-2:] == ["tasks", "no"]
    assert "Stop all processes first: versions of before 0012 cannot work with the tables afterwards." in told


def test_programs_read_it_as_json(planned):
    document = json.loads(planned("0033", "--json"))
    assert (document["current"], document["head"], document["beside"]) == ("0033", head(), True)
    step = document["migrations"][0]
    assert (step["revision"], step["locks"], step["beside"]) == ("0034", [["api_keys", "ACCESS EXCLUSIVE"]], True)


def test_an_empty_database_has_nobody_to_wait(planned):
    told = planned(None)
    assert told.startswith("The database is empty")
    assert "Stop all processes" not in told
    assert "CONCURRENTLY" not in told


def test_nothing_is_said_where_nothing_is_to_do(planned):
    assert planned(head()).endswith("and there is nothing to do.\n")


async def test_half_an_index_is_planned_anew(unstamped_url):
    connection = await asyncpg.connect(unstamped_url)
    await connection.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix_tasks_live'::regclass")
    await connection.execute("DROP INDEX ix_tasks_on_route")
    await connection.execute("ALTER TABLE queue ADD CONSTRAINT odd CHECK (priority < 30000) NOT VALID")
    await connection.close()
    found = await plan(unstamped_url)
    assert [(step.table, step.again) for step in found.concurrent] == [
        ("tasks", True),
        ("tasks", False),
        ("queue", False),
    ]
    assert found.concurrent[-1].statement == "ALTER TABLE queue VALIDATE CONSTRAINT odd"


async def test_a_database_that_is_too_new_is_left_alone(unstamped_url):
    connection = await asyncpg.connect(unstamped_url)
    await connection.execute("UPDATE alembic_version SET version_num = '9000'")
    assert (await plan(unstamped_url)).migrations == ()
    await connection.execute("UPDATE schema_compatibility SET works_with_revision = '8000'")
    with pytest.raises(DatabaseUnavailable, match="is at 9000"):
        await plan(unstamped_url)
    await connection.close()
