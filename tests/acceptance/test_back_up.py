"""The pages about backups: what they tell to type is run as it is, in production's environment."""

import asyncio
import os
import pty
import shutil
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import asyncpg
import pytest

from genpulse.adapters.database.schema.expected_revision import head
from genpulse.dev.processes.ports import free_port
from genpulse.dev.servers.binaries import postgres_binaries
from tests import command
from tests.acceptance.snippets import Page
from tests.acceptance.test_stamp import ALLOWED

BACK_UP, DRILL = Page("how-to/back-up.md"), Page("how-to/restore-drill.md")
CLONE = Page("how-to/staging-clone.md")
PATIENCE_S = 120
pytestmark = pytest.mark.skipif(not shutil.which("bash"), reason="the pages want bash")


class Production:
    """APIs and workers as `ENV=main`, on servers of this machine."""

    def __init__(self, folder, database_url, redis_url):
        parts = urlsplit(database_url)
        self.server = database_url.rpartition("/")[0]
        self.objects, self.backup = folder / "objects", folder / "backup"
        self.backup.mkdir()
        self.folder = folder
        self.environment = {
            "PATH": os.defpath,
            "ENV": "main",
            "GENPULSE_API__PUBLIC_URL": "https://media.example.com",
            "GENPULSE_DATABASE_URL": database_url,
            "GENPULSE_REDIS__URL": redis_url,
            "GENPULSE_STORAGE__URL": self.objects.as_uri(),
            **ALLOWED,
        }
        self._typist = {
            "PATH": os.pathsep.join(
                [str(Path(sys.executable).parent), str(postgres_binaries().folder), os.environ["PATH"]]
            ),
            "PGHOST": str(parts.hostname),
            "PGPORT": str(parts.port),
            "PGUSER": str(parts.username),
            "PGPASSWORD": str(parts.password),
            "BACKUP": str(self.backup),
            "OBJECTS": str(self.objects),
            "RESTORED_URL": f"{self.server}/genpulse_restored",
            "DRILL_URL": f"{self.server}/drill",
            "STAGING_URL": f"{self.server}/staging",
        }
        self.running = []
        self.key = ""

    def run(self, *arguments):
        done = command.run(*arguments, folder=self.folder, environment=self.environment)
        return done.returncode, done.stdout + done.stderr

    def type(self, blocks, *, answer=""):
        """A person at a terminal, who answers the one question that is asked."""
        ours, theirs = pty.openpty()
        try:
            os.write(ours, f"{answer}\n".encode())
            done = subprocess.run(
                ["bash", "-c", "\n".join(["set -eux", *blocks])],
                cwd=self.folder,
                env=self.environment | self._typist,
                stdin=theirs,
                capture_output=True,
                text=True,
                check=False,
                timeout=600,
            )
        finally:
            os.close(ours)
            os.close(theirs)
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout + done.stderr

    def start(self):
        port = free_port()
        with (self.folder / "log").open("a") as log:
            self.running = [
                command.start(*words, folder=self.folder, environment=self.environment, log=log)
                for words in (("api", "--port", str(port)), ("worker",))
            ]
        return f"http://127.0.0.1:{port}"

    def stop(self):
        for process in self.running:
            process.terminate()
        for process in self.running:
            process.wait(60)
        self.running = []


@pytest.fixture
def production(tmp_path, database_url, redis_url):
    production = Production(tmp_path, database_url, redis_url)
    for arguments in (("db", "upgrade"), ("env", "stamp")):
        code, said = production.run(*arguments)
        assert code == 0, said
    code, said = production.run("keys", "create", "--name", "shop", "--scope", "admin")
    assert code == 0, said
    production.key = next(word for word in said.split() if word.startswith("gp_"))
    yield production
    production.stop()
    for name in ("genpulse_restored", "drill", "staging"):
        asyncio.run(execute(production.server, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))


async def execute(server, statement):
    connection = await asyncpg.connect(f"{server}/postgres")
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


class Caller:
    """Somebody with the key."""

    def __init__(self, url, key):
        self._url, self._headers = url, {"Authorization": f"Bearer {key}"}

    async def __aenter__(self):
        self._client = aiohttp.ClientSession(self._url, headers=self._headers)
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                async with self._client.get("/readyz") as answer:
                    if answer.status == 200:
                        return self
            except aiohttp.ClientError:
                pass
            assert time.monotonic() < deadline
            await asyncio.sleep(0.1)

    async def __aexit__(self, *_):
        await self._client.close()

    async def submit(self):
        body = {"model": "sandbox/noop", "input": {"output_bytes": 10}}
        async with self._client.post("/v1/tasks", json=body) as answer:
            assert answer.status == 202, await answer.text()
            return (await answer.json())["id"]

    async def task(self, task_id):
        async with self._client.get(f"/v1/tasks/{task_id}") as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def succeeded(self, task_id):
        deadline = time.monotonic() + PATIENCE_S
        while (task := await self.task(task_id))["status"] != "succeeded":
            assert task["status"] in {"queued", "running"}, task
            assert time.monotonic() < deadline, task
            await asyncio.sleep(0.1)
        return task

    async def content(self, asset):
        async with self._client.get(f"/v1/assets/{asset}/content") as answer:
            document = None if answer.status == 200 else await answer.json()
            return answer.status, document and document["code"]


async def worked(production):
    """Two tasks with the same output. Returns one of them, its asset, and where the bytes of that lie."""
    async with Caller(production.start(), production.key) as caller:
        ended = await caller.submit()
        asset = (await caller.succeeded(ended))["outputs"][0]["id"]
        (path,) = (path for path in (production.objects / "assets").rglob("*") if path.is_file())
        await caller.succeeded(await caller.submit())
    production.stop()
    return ended, asset, path


def test_the_drill_and_the_restore_are_typed_as_the_pages_say(production):
    ended, asset, _ = asyncio.run(worked(production))
    first, restore = BACK_UP.blocks("sh")
    production.type([first])

    said = production.type(DRILL.blocks("sh"), answer="drill")
    assert f"The database is at {head()}." in said
    assert "This database is a copy of that of main, or was moved" in said
    assert "Emptied: 0 live tasks ended, 0 waiting webhooks and 1 API keys removed." in said
    assert "2 assets were looked at; the bytes of 0 are missing." in said
    assert "succeeded|2" in said

    said = production.type(CLONE.blocks("sh"), answer="staging")
    assert "this process is test" in said
    assert "The database 'staging' belongs to test from now on." in said

    lose(production)
    said = production.type([restore], answer="genpulse_restored")
    assert "0 live tasks may have been ordered since the backup; none is ordered anew." in said
    assert "2 assets were looked at; the bytes of 0 are missing." in said
    production.environment["GENPULSE_DATABASE_URL"] = f"{production.server}/genpulse_restored"
    asyncio.run(goes_on(production, ended, asset))


def lose(production):
    """Database and objects, as with the machine that held them."""
    name = production.environment["GENPULSE_DATABASE_URL"].rpartition("/")[2]
    for statement in (f"DROP DATABASE {name} WITH (FORCE)", f"CREATE DATABASE {name}"):
        asyncio.run(execute(production.server, statement))
    shutil.rmtree(production.objects)


async def goes_on(production, ended, asset):
    async with Caller(production.start(), production.key) as caller:
        assert (await caller.task(ended))["status"] == "succeeded"
        assert await caller.content(asset) == (200, None)
        await caller.succeeded(await caller.submit())


def test_a_dump_without_its_objects_is_seen(production):
    ended, asset, path = asyncio.run(worked(production))
    assert production.run("assets", "check")[0] == 0
    content = path.read_bytes()

    path.write_bytes(b"x" * len(content))
    assert production.run("assets", "check")[0] == 0
    code, said = production.run("assets", "check", "--whole")
    assert (code, "not those that were kept" in said) == (1, True), said

    path.write_bytes(content[:-1])
    assert production.run("assets", "check")[0] == 1

    path.unlink()
    code, said = production.run("assets", "check")
    assert (code, f"{asset}  of task {ended}  assets/" in said) == (1, True), said
    assert "2 assets were looked at; the bytes of 2 are missing." in said
    code, said = production.run("assets", "check", "--json")
    assert (code, f'"task": "{ended}"' in said) == (1, True), said
    asyncio.run(shows_it(production, ended, asset))

    shutil.rmtree(production.objects)
    code, said = production.run("assets", "check")
    assert code == 1
    assert "missing" not in said, said
    assert "Traceback" not in said, said


async def shows_it(production, ended, asset):
    async with Caller(production.start(), production.key) as caller:
        assert (await caller.task(ended))["status"] == "succeeded"
        assert await caller.content(asset) == (410, "asset_gone")
