"""A database belongs to one environment: what the commands do about it."""

import asyncio
import json
import os
import pty
import signal
import subprocess
import time

import aiohttp
import asyncpg
import pytest

from genpulse.dev.processes.ports import free_port
from tests import command

ALLOWED = {
    "GENPULSE_DATABASE__ALLOW_LOOPBACK": "true",
    "GENPULSE_WEBHOOKS__SECRET": "whsec_c2lnbnMgd2l0aCB0aGlz",
    "GENPULSE_REDIS__ALLOW_PLAINTEXT": "true",
    "GENPULSE_STORAGE__ALLOW_LOCAL": "true",
    "GENPULSE_RELEASE__REQUIRE_TAG": "false",
}


class Machine:
    """Runs commands in an empty folder, in any environment, on the same servers."""

    def __init__(self, folder, database_url, redis_url):
        self.folder = folder
        self.database_url = database_url
        self._redis_url = redis_url

    def start(self, environment, *arguments, database_url=None, **streams):
        return command.start(
            *arguments, folder=self.folder, environment=self._variables(environment, database_url), **streams
        )

    def run(self, environment, *arguments, stdin=subprocess.DEVNULL):
        done = command.run(*arguments, folder=self.folder, environment=self._variables(environment), stdin=stdin)
        return done.returncode, done.stdout, done.stderr

    def at_terminal(self, environment, typed, *arguments):
        """The same for a person who types one line."""
        ours, theirs = pty.openpty()
        try:
            os.write(ours, f"{typed}\n".encode())
            return self.run(environment, *arguments, stdin=theirs)
        finally:
            os.close(ours)
            os.close(theirs)

    def _variables(self, environment, database_url=None):
        return {
            "PATH": os.defpath,
            "ENV": environment,
            "GENPULSE_API__PUBLIC_URL": "https://media.example.com",
            "GENPULSE_DATABASE_URL": database_url or self.database_url,
            "GENPULSE_REDIS__URL": self._redis_url,
            **ALLOWED,
        }

    @property
    def database(self):
        return self.database_url.rpartition("/")[2]


@pytest.fixture
def machine(tmp_path, database_url, redis_url):
    return Machine(tmp_path, database_url, redis_url)


@pytest.fixture
def of_dev(tmp_path, own_database_url, redis_url):
    """Development has brought the database up to date, and has stamped it with that."""
    return Machine(tmp_path, own_database_url, redis_url)


async def rows(url, statement):
    connection = await asyncpg.connect(url)
    try:
        return [tuple(row) for row in await connection.fetch(statement)]
    finally:
        await connection.close()


def stamped(machine):
    return asyncio.run(rows(machine.database_url, "SELECT environment FROM environment_stamp"))


@pytest.mark.parametrize("verb", [["worker"], ["api"], ["db", "upgrade"], ["doctor"]], ids=" ".join)
def test_a_process_of_another_environment_does_not_start(of_dev, verb):
    code, out, err = of_dev.run("test", *verb)
    assert code == 78, err
    assert "belongs to dev (stamped " in out + err
    assert "this process is test" in out + err
    assert "Traceback" not in err
    assert stamped(of_dev) == [("dev",)]


def test_development_does_not_enter_a_database_of_production(machine):
    for verb in (["db", "upgrade"], ["env", "stamp"]):
        assert machine.run("main", *verb)[0] == 0
    for verb in (["db", "upgrade"], ["worker"], ["doctor"]):
        code, out, err = machine.run("dev", *verb)
        assert code == 78, err
        assert "belongs to main" in out + err
        assert "this process is dev" in out + err
    assert stamped(machine) == [("main",)]


def test_production_never_stamps_by_itself(machine):
    assert machine.run("main", "db", "upgrade")[0] == 0
    for verb in (["worker"], ["api"], ["doctor"], ["db", "upgrade"]):
        code, out, err = machine.run("main", *verb)
        if verb == ["db", "upgrade"]:
            assert code == 0, err
        else:
            assert code == 78, err
            assert "run `genpulse db upgrade` and then `genpulse env stamp`, once, with ENV=main" in out + err
    assert stamped(machine) == []


def test_a_database_is_stamped_once_by_a_command(machine):
    code, _, err = machine.run("test", "env", "stamp")
    assert code == 78
    assert "genpulse db upgrade" in err
    assert machine.run("test", "db", "upgrade")[0] == 0
    code, out, _ = machine.run("test", "env", "stamp")
    assert (code, out) == (0, f"The database '{machine.database}' belongs to test from now on.\n")
    code, out, _ = machine.run("test", "env", "stamp")
    assert code == 0
    assert "belongs to test already (stamped 20" in out
    facts = json.loads(machine.run("test", "env", "stamp", "--json")[1])
    assert (facts["database"], facts["environment"], facts["changed"]) == (machine.database, "test", False)
    code, _, err = machine.run("main", "env", "stamp")
    assert code == 78
    assert "belongs to test" in err
    assert "`genpulse env stamp --from test --to main`" in err


def test_only_a_person_gives_a_database_to_another_environment(of_dev):
    give = ("env", "stamp", "--from", "dev", "--to", "testing")
    code, _, err = of_dev.run("test", *give)
    assert (code, "no terminal" in err) == (1, True)
    code, _, err = of_dev.at_terminal("test", "production", *give)
    assert (code, "'production' is not its name" in err) == (1, True)
    code, _, err = of_dev.at_terminal("test", of_dev.database, "env", "stamp", "--from", "main", "--to", "test")
    assert (code, "belongs to dev, not to main" in err) == (1, True)
    assert stamped(of_dev) == [("dev",)]
    code, out, err = of_dev.at_terminal("test", of_dev.database, *give)
    assert code == 0, err
    assert out == (
        f"The database '{of_dev.database}' belongs to test from now on.\n"
        "Emptied: 0 live tasks ended, 0 waiting webhooks and 0 API keys removed.\n"
    )
    assert stamped(of_dev) == [("test",)]
    assert of_dev.run("test", *give)[0] == 0


@pytest.fixture
def copied(of_dev):
    """Of test, stamped; then what is connected is a copy of it, or it was moved."""
    change = "UPDATE environment_stamp SET environment = 'test', identity = '7/7' RETURNING one"
    assert asyncio.run(rows(of_dev.database_url, change))
    return of_dev


@pytest.mark.parametrize(
    "verb", [["worker"], ["api"], ["db", "upgrade"], ["doctor"], ["db", "prune"]], ids=" ".join
)
def test_no_process_starts_on_a_copy(copied, verb):
    code, out, err = copied.run("test", *verb)
    assert code == 78, err
    assert "This database is a copy of that of test, or was moved" in out + err
    assert "`genpulse env stamp --moved`" in out + err


def test_only_a_person_says_that_a_database_was_moved(copied):
    code, _, err = copied.run("test", "env", "stamp")
    assert (code, "--moved" in err) == (78, True)
    code, _, err = copied.run("test", "env", "stamp", "--moved")
    assert (code, "no terminal" in err) == (1, True)
    code, _, err = copied.at_terminal("test", "production", "env", "stamp", "--moved")
    assert (code, "'production' is not its name" in err) == (1, True)
    code, out, err = copied.at_terminal("test", copied.database, "env", "stamp", "--moved")
    assert code == 0, err
    assert "must be off for good" in err
    assert out == f"The database '{copied.database}' belongs to test from now on.\n"
    assert copied.run("test", "db", "upgrade")[0] == 0
    assert copied.run("test", "env", "stamp", "--moved")[0] == 0


def test_only_a_person_empties_a_copy(copied):
    code, _, err = copied.run("test", "env", "stamp", "--copy")
    assert (code, "no terminal" in err) == (1, True)
    code, out, err = copied.at_terminal("test", copied.database, "env", "stamp", "--copy", "--json")
    assert code == 0, err
    assert json.loads(out)["emptied"] == {"tasks": 0, "messages": 0, "keys": 0}
    assert "Give it a storage of its own" in err
    code, _, err = copied.at_terminal("test", copied.database, "env", "stamp", "--copy")
    assert (code, "is the database that was stamped for test" in err) == (1, True)


@pytest.mark.parametrize(
    ("environment", "options", "expected", "words"),
    [
        ("test", ["--from", "dev"], 2, "--from and --to go together"),
        ("test", ["--moved", "--copy"], 2, "give one"),
        ("test", ["--copy", "--from", "dev", "--to", "test"], 2, "give one"),
        ("test", ["--to", "test"], 2, "--from and --to go together"),
        ("test", ["--from", "test", "--to", "testing"], 2, "both name test"),
        ("test", ["--from", "staging", "--to", "test"], 2, "'staging' is not one of"),
        ("dev", ["--from", "dev", "--to", "test"], 1, "Run it with ENV=test"),
    ],
)
def test_options_that_make_no_sense_are_answered(machine, environment, options, expected, words):
    code, _, err = machine.run(environment, "env", "stamp", *options)
    assert code == expected, err
    assert words in err


def test_a_worker_waits_for_a_database_that_is_away(machine):
    url = f"postgresql://u:p@127.0.0.1:{free_port()}/d"
    worker = machine.start("test", "worker", database_url=url, merged=True)
    try:
        lines = []
        while "the begin of the worker has to wait" not in "".join(lines[-1:]):
            line = worker.stdout.readline()
            assert line, lines
            lines.append(line)
    finally:
        worker.send_signal(signal.SIGTERM)
        worker.communicate()
    assert worker.poll() == 0


async def test_a_running_api_refuses_when_another_database_stands_in_place_of_its_own(of_dev, tmp_path):
    port = free_port()
    with (tmp_path / "api.log").open("w") as log:
        api = of_dev.start("dev", "api", "--port", str(port), log=log)
    try:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
            ready = await answered(session, 200)
            assert ready["checks"]["stamp"] == {"state": "ok", "detail": "of dev"}
            await rows(of_dev.database_url, "UPDATE environment_stamp SET environment = 'test' RETURNING one")
            await rows(
                of_dev.database_url,
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()",
            )
            await answered(session, 503, "belongs to test")
            body = {"model": "sandbox/noop", "input": {}}
            async with session.post("/v1/tasks", json=body) as response:
                problem = await response.json()
                assert (response.status, problem["code"]) == (503, "database_unavailable")
                assert "Retry-After" in response.headers
                assert "belongs to test" in problem["detail"]
            assert await rows(of_dev.database_url, "SELECT count(*) FROM tasks") == [(0,)]
            await rows(of_dev.database_url, "UPDATE environment_stamp SET environment = 'dev' RETURNING one")
            async with session.post("/v1/tasks", json=body) as response:
                assert response.status == 202
    finally:
        api.send_signal(signal.SIGTERM)
        api.wait(command.ENDS_WITHIN_S)


async def answered(session, status, word=""):
    """What /readyz says, once it answers with this status, and its stamp with this word."""
    deadline = time.monotonic() + command.ENDS_WITHIN_S
    while True:
        try:
            async with session.get("/readyz") as response:
                ready = await response.json()
                if response.status == status and word in ready["checks"]["stamp"]["detail"]:
                    return ready
        except aiohttp.ClientError as error:
            ready = error
        assert time.monotonic() < deadline, ready
        await asyncio.sleep(0.05)
