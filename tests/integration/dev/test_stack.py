"""The order of the whole stack, with small programs in place of api, worker and migrations."""

import asyncio
import json
import os
import signal
import stat
import sys
import urllib.request
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from genpulse.dev.errors import AlreadyRunning, PortBusy, ServerUnreachable, StartFailed
from genpulse.dev.plan import StackPlan
from genpulse.dev.processes.ports import free_port
from genpulse.dev.processes.unprivileged import remove_home
from genpulse.dev.stack import running_stack
from genpulse.dev.state import read_state

PROGRAM = """#!{python}
import http.server, os, sys, time
assert sys.argv[1:3] == ["-m", "genpulse"], sys.argv
verb = sys.argv[3]
with open("order", "a") as order:
    print(verb, os.environ["GENPULSE_DATABASE_URL"], os.environ["GENPULSE_REDIS__URL"], file=order)
failure = os.environ.get("FAIL_" + verb.upper())
if failure:
    print(verb, "is broken", flush=True)
    sys.exit(int(failure))
if verb == "worker":
    print("worker ready: 1 task at once", flush=True)
    time.sleep(60)
if verb == "api":
    class Ready(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.path == "/readyz" else 404)
            self.end_headers()
            self.wfile.write(verb.encode())
    address = os.environ["GENPULSE_API__HOST"], int(os.environ["GENPULSE_API__PORT"])
    http.server.HTTPServer(address, Ready).serve_forever()
"""


class PromptMessages(list):
    def __call__(self, name, line):
        self.append((name, line))


@pytest.fixture
def home(tmp_path):
    yield tmp_path / ".genpulse"
    remove_home(tmp_path / ".genpulse")


@pytest.fixture
def plan(home, tmp_path):
    program = tmp_path / "program"
    program.write_text(PROGRAM.format(python=sys.executable))
    program.chmod(0o755)
    return lambda **other: StackPlan(
        **{"home": home, "python": str(program), "folder": tmp_path, "environment": dict(os.environ)} | other
    )


@pytest.fixture
def named(database_url, redis_url):
    return {"database_url": database_url, "redis_url": redis_url}


def order(folder):
    return [line.split() for line in (folder / "order").read_text().splitlines()]


def fetched(url):
    with urllib.request.urlopen(url, timeout=5) as response:
        return response.read()


def words_of(process):
    try:
        return process.cmdline()
    except psutil.ZombieProcess:
        return []


def children_named(*verbs):
    found = [(child, words_of(child)) for child in psutil.Process().children()]
    return [child for child, words in found if "genpulse" in words and words[-1] in verbs]


async def test_it_comes_up_in_order_says_so_and_leaves_nothing(plan, home, tmp_path, named):
    heard = PromptMessages()
    async with running_stack(plan(**named), heard) as stack:
        state = read_state(home)
        assert state is not None
        assert (state.pid, state.api_url) == (os.getpid(), stack.api_url)
        assert fetched(stack.api_url + "/readyz") == b"api"
        assert ("worker", "worker ready: 1 task at once") in heard
        running = children_named("api", "worker")
        assert len(running) == 2
    assert not any(process.is_running() for process in running)
    assert read_state(home) is None
    assert not (home / "dev.json").exists()
    assert order(tmp_path)[0] == ["db", *named.values()]
    assert sorted(line[0] for line in order(tmp_path)[1:]) == ["api", "worker"]
    assert stat.S_IMODE(home.stat().st_mode) & 0o066 == 0


async def test_its_own_servers_keep_their_addresses(plan, home, tmp_path):
    heard = PromptMessages()
    addresses = []
    for _ in range(2):
        async with running_stack(plan(), heard) as stack:
            addresses.append((stack.state.database_url, stack.state.redis_url))
    assert addresses[0] == addresses[1]
    assert heard.count(("stack", "making a new PostgreSQL database")) == 1
    assert addresses[0][0] in order(tmp_path)[0]
    kept = json.loads((home / "servers.json").read_text())
    assert f":{kept['postgres_port']}/" in addresses[0][0]


async def test_a_second_one_in_the_same_folder_is_refused(plan, named):
    async with running_stack(plan(**named), PromptMessages()) as stack:
        with pytest.raises(AlreadyRunning) as caught:
            async with running_stack(plan(**named), PromptMessages()):
                pass
    assert f"(pid {os.getpid()})" in str(caught.value)
    assert stack.api_url in str(caught.value)


async def test_a_busy_port_is_refused_before_anything_starts(plan, named, tmp_path):
    async with running_stack(plan(**named), PromptMessages()) as stack:
        port = int(stack.api_url.rpartition(":")[2])
        (tmp_path / "order").unlink()
        with pytest.raises(PortBusy, match=f"Port {port} is taken by"):
            async with running_stack(plan(**named, home=tmp_path / "other", api_port=port), PromptMessages()):
                pass
    assert not (tmp_path / "order").exists()


async def test_migrations_that_fail_end_it(plan, named, tmp_path):
    with pytest.raises(StartFailed, match="db is broken"):
        async with running_stack(plan(**named, environment={**os.environ, "FAIL_DB": "4"}), PromptMessages()):
            pass
    assert [line[0] for line in order(tmp_path)] == ["db"]


async def test_one_that_cannot_start_ends_the_other_at_once(plan, named):
    environment = {**os.environ, "FAIL_WORKER": "5"}
    with pytest.raises(StartFailed, match="worker did not start: it ended with exit code 5"):
        async with running_stack(plan(**named, environment=environment), PromptMessages()):
            pass
    assert children_named("api", "worker") == []


async def test_a_server_that_was_named_and_is_away_is_said(plan, named):
    away = f"postgresql://u:p@127.0.0.1:{free_port()}/d"
    with pytest.raises(ServerUnreachable, match="GENPULSE_DATABASE_URL"):
        async with running_stack(plan(**named | {"database_url": away}), PromptMessages()):
            pass


@asynccontextmanager
async def watched(stack):
    watching = asyncio.create_task(stack.watch_over())
    yield watching
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)


async def test_killed_parts_come_back_together(plan, named):
    async with running_stack(plan(**named), PromptMessages()) as stack, watched(stack):
        before = {child.pid for child in children_named("api", "worker")}
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        async with asyncio.timeout(60):
            while len({child.pid for child in children_named("api", "worker")} - before) < 2:
                await asyncio.sleep(0.05)


async def test_a_reload_starts_both_again_at_the_same_address(plan, named):
    async with running_stack(plan(**named), PromptMessages()) as stack, watched(stack) as watching:
        before = {child.pid for child in children_named("api", "worker")}
        await stack.reload()
        after = {child.pid for child in children_named("api", "worker")}
        assert len(after) == 2
        assert not before & after
        assert fetched(stack.api_url + "/readyz") == b"api"
        assert not watching.done()


async def test_a_cancelled_start_leaves_nothing(plan, named, tmp_path):
    async def body():
        async with running_stack(plan(**named), PromptMessages()):
            pass

    task = asyncio.create_task(body())
    async with asyncio.timeout(60):
        while not Path(tmp_path / "order").exists():
            await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert children_named("db", "upgrade", "api", "worker") == []
