"""`genpulse db prune`, on a database with a past and a folder of assets."""

import asyncio
import json
import os
import pty
import subprocess
import time

import asyncpg
import pytest

from genpulse.adapters.database.removal.retention import LOCK
from tests import command

TIMEOUT_S = 60.0
KEY = "assets/2020-W01/ab/abcd"
ALLOWED = {
    "GENPULSE_DATABASE__ALLOW_LOOPBACK": "true",
    "GENPULSE_REDIS__ALLOW_PLAINTEXT": "true",
    "GENPULSE_STORAGE__ALLOW_LOCAL": "true",
    "GENPULSE_RELEASE__REQUIRE_TAG": "false",
    "GENPULSE_WEBHOOKS__SECRET": "whsec_c2lnbnMgd2l0aCB0aGlz",
}
ALL = {"tasks": 1, "attempts": 1, "deliveries": 0, "assets": 2, "objects": 1, "bytes": 5}
NOTHING = dict.fromkeys(ALL, 0)

_PAST = """
WITH task AS (
    INSERT INTO tasks (id, environment, kind, provider, model, status, priority, input, metadata, created_at,
                       finished_at, attempt)
    SELECT gen_random_uuid(), $3, 'noop', 'sandbox', 'sandbox/noop', 'succeeded', 0, '{}', '{}', age, age, 1
    FROM (SELECT now() - $1 * '1 day'::interval AS age) AS past
    RETURNING id, created_at
), attempt AS (
    INSERT INTO attempts (id, task_id, number, provider, model, worker, client_reference, status, started_at)
    SELECT gen_random_uuid(), id, 1, 'sandbox', 'sandbox/noop', 'w', 'r', 'succeeded', created_at FROM task
)
INSERT INTO assets (id, task_id, environment, key, sha256, size, media_type, created_at)
SELECT gen_random_uuid(), owner, $3, $2, 'abcd', 5, 'text/plain', created_at
FROM task, unnest(ARRAY[task.id, NULL]) AS owner
"""


class Place:
    """A folder, a database and the commands that run there."""

    def __init__(self, folder, database_url, redis_url):
        self.object = folder / ".genpulse" / "storage" / KEY
        self._folder = folder
        self._database_url = database_url
        self._environment = {
            "PATH": os.defpath,
            "GENPULSE_DATABASE_URL": database_url,
            "GENPULSE_REDIS__URL": redis_url,
            **ALLOWED,
        }

    def run(self, *arguments, stdin=subprocess.DEVNULL, **environment):
        return command.run(
            *arguments, folder=self._folder, environment=self._environment | environment, stdin=stdin
        )

    def start(self, *arguments, **environment):
        return command.start(
            *arguments,
            folder=self._folder,
            environment=self._environment | environment,
            merged=True,
        )

    def typed(self, line, *arguments, **environment):
        ours, theirs = pty.openpty()
        try:
            os.write(ours, f"{line}\n".encode())
            return self.run(*arguments, stdin=theirs, **environment)
        finally:
            os.close(ours)
            os.close(theirs)

    def prune(self, *options, **environment):
        done = self.run("db", "prune", "--json", *options, **environment)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def sql(self, act):
        async def run():
            connection = await asyncpg.connect(self._database_url)
            try:
                return await act(connection)
            finally:
                await connection.close()

        return asyncio.run(run())

    def past(self, days, environment="dev"):
        self.object.parent.mkdir(parents=True, exist_ok=True)
        self.object.write_text("bytes")
        self.sql(lambda connection: connection.execute(_PAST, days, KEY, environment))


@pytest.fixture
def place(tmp_path, database_url, redis_url):
    return Place(tmp_path, database_url, redis_url)


@pytest.fixture
def dev(tmp_path, own_database_url, redis_url):
    return Place(tmp_path, own_database_url, redis_url)


@pytest.fixture
def production(place):
    assert place.run("db", "upgrade", ENV="main").returncode == 0
    assert place.run("env", "stamp", ENV="main").returncode == 0
    return place


def test_it_counts_then_removes_and_then_nothing_is_left(dev):
    dev.past(days=15)
    assert dev.prune("--dry-run") == ALL
    assert dev.object.exists()
    assert dev.prune() == ALL
    assert not dev.object.exists()
    assert dev.prune() == NOTHING


@pytest.mark.slow
def test_the_settings_say_what_is_old_and_an_option_wins(dev):
    dev.past(days=13)
    assert dev.prune() == NOTHING
    assert dev.prune("--older-than", "2w") == NOTHING
    ages = {"GENPULSE_RETENTION__TASKS_DAYS": "10", "GENPULSE_RETENTION__ASSETS_DAYS": "10"}
    assert dev.prune("--dry-run", **ages) == ALL
    assert dev.prune("--older-than", "12d") == ALL


@pytest.mark.slow
def test_what_is_kept_for_ever_stays(dev):
    dev.past(days=5000)
    kept = {"GENPULSE_RETENTION__TASKS_DAYS": "", "GENPULSE_RETENTION__ASSETS_DAYS": ""}
    assert dev.prune(**kept) == NOTHING


@pytest.mark.slow
def test_people_read_a_sentence(dev):
    dev.past(days=15)
    words = "1 tasks, 1 attempts, 0 messages, 2 assets, 1 stored objects (5 bytes)"
    assert dev.run("db", "prune", "--dry-run").stdout == f"Would remove {words}.\n"
    assert dev.run("db", "prune").stdout == f"Removed {words}.\n"
    assert dev.run("db", "prune").stdout == "Removed nothing: nothing is old enough.\n"


@pytest.mark.parametrize("age", ["0d", "30", "1h", "d", "-1d", "36501d", "9999999d"])
def test_an_age_that_is_none_is_misuse(place, age):
    done = place.run("db", "prune", "--older-than", age)
    assert done.returncode == 2
    assert "30d or 6w" in done.stderr


@pytest.mark.slow
def test_production_is_asked_first(production):
    done = production.run("db", "prune", ENV="main")
    assert (done.returncode, done.stdout) == (0, "Removed nothing: nothing is old enough.\n")
    production.past(days=100, environment="main")
    done = production.run("db", "prune", ENV="main")
    assert done.returncode == 1
    assert "nobody can be asked" in done.stderr
    assert "1 tasks" in done.stderr
    done = production.typed("n", "db", "prune", ENV="main")
    assert (done.returncode, production.object.exists()) == (1, True)
    assert "Nothing was removed" in done.stderr
    done = production.typed("y", "db", "prune", ENV="main")
    assert (done.returncode, production.object.exists()) == (0, False), done.stderr
    assert production.prune("--yes", ENV="main") == NOTHING


@pytest.mark.slow
def test_a_worker_does_it_by_itself(dev):
    worker = dev.start("worker", GENPULSE_RETENTION__EVERY_S="1")
    dev.past(days=15)
    try:
        assert any("removed because of its age" in line for line in worker.stdout)
        deadline = time.monotonic() + TIMEOUT_S
        while dev.object.exists():
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        worker.terminate()
        worker.communicate()
    assert dev.prune("--dry-run") == NOTHING


@pytest.mark.slow
def test_it_does_nothing_while_another_process_is_about_it(dev):
    dev.past(days=15)

    async def pruning_elsewhere(connection):
        await connection.execute("SELECT pg_advisory_lock($1)", LOCK)
        return await asyncio.to_thread(dev.run, "db", "prune")

    done = dev.sql(pruning_elsewhere)
    assert done.returncode == 1
    assert "Another process" in done.stderr
    assert dev.prune() == ALL


@pytest.mark.slow
def test_the_database_of_another_environment_is_left_alone(dev):
    dev.past(days=500)
    assert dev.run("db", "prune", "--yes", ENV="main").returncode == 78
    assert dev.object.exists()
