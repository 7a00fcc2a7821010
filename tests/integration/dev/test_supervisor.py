"""Starting, watching and stopping, with small processes in place of the real ones."""

import asyncio
import concurrent.futures
import os
import signal
import sys
import threading

import psutil
import pytest

from genpulse.dev.errors import StartFailed
from genpulse.dev.processes.child import Command
from genpulse.dev.processes.supervisor import Service, Supervisor

FOREVER = "print('up', flush=True); import time; time.sleep(60)"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
)


class PromptMessages(list):
    def __call__(self, name, line):
        self.append((name, line))

    def text(self):
        return "\n".join(line for _, line in self)


@pytest.fixture
def heard():
    return PromptMessages()


@pytest.fixture
async def supervisor(guard, heard):
    supervisor = Supervisor(guard, heard, first_pause_s=0.05)
    yield supervisor
    await supervisor.stop(("a", "b"))


def service(tmp_path, code, name="a", start_s=10.0, patience_s=2.0):
    command = Command(name, [sys.executable, "-c", code], dict(os.environ), tmp_path)
    made = Service(command, lambda: said_up(made), start_s, patience_s)
    return made


async def said_up(made):
    return made.child is not None and "up" in made.child.last_lines


async def until(holds):
    async with asyncio.timeout(60):
        while not holds():
            await asyncio.sleep(0.02)


async def test_it_waits_until_a_service_is_ready(supervisor, tmp_path, heard):
    await supervisor.start(service(tmp_path, f"import time; time.sleep(0.3)\n{FOREVER}"))
    assert ("a", "up") in heard


async def test_a_service_that_ends_while_it_starts_is_named_with_its_last_words(supervisor, tmp_path):
    with pytest.raises(StartFailed) as caught:
        await supervisor.start(service(tmp_path, "print('no such table'); raise SystemExit(3)"))
    assert "exit code 3" in str(caught.value)
    assert "no such table" in str(caught.value)


async def test_a_service_that_never_gets_ready_is_named(supervisor, tmp_path):
    with pytest.raises(StartFailed, match=r"not ready after 0\.3 s"):
        await supervisor.start(service(tmp_path, "import time; time.sleep(60)", start_s=0.3))


async def test_a_service_that_is_killed_is_started_again(supervisor, tmp_path, heard):
    one = service(tmp_path, FOREVER)
    await supervisor.start(one)
    watching = asyncio.create_task(supervisor.watch_over())
    first = one.child.pid
    os.kill(first, signal.SIGKILL)
    await until(lambda: one.child.pid != first and heard.count(("a", "up")) == 2)
    assert "exit code 137" in heard.text()
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)


async def test_a_service_that_ends_too_often_ends_everything_with_its_code(supervisor, tmp_path, heard):
    await supervisor.start(
        service(tmp_path, "print('up', flush=True); import time; time.sleep(0.3); raise SystemExit(7)")
    )
    assert await asyncio.wait_for(supervisor.watch_over(), 60) == 7
    assert "giving up" in heard.text()


async def test_a_restart_is_no_end(supervisor, tmp_path, heard):
    one = service(tmp_path, FOREVER)
    await supervisor.start(one)
    watching = asyncio.create_task(supervisor.watch_over())
    first = one.child.pid
    await supervisor.restart(("a",))
    assert one.child.pid != first
    await asyncio.sleep(0.3)
    assert "ended with" not in heard.text()
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)


async def test_what_does_not_stop_is_ended(supervisor, tmp_path):
    stubborn = service(tmp_path, STUBBORN, patience_s=0.3)
    await supervisor.start(stubborn)
    await asyncio.wait_for(supervisor.stop(("a",)), 60)
    assert stubborn.child.exit_code == 137


async def test_something_that_runs_once_must_end_well(supervisor, tmp_path):
    good = Command("m", [sys.executable, "-c", "print('done')"], dict(os.environ), tmp_path)
    await supervisor.run_once(good)
    bad = Command("m", [sys.executable, "-c", "raise SystemExit('boom')"], dict(os.environ), tmp_path)
    with pytest.raises(StartFailed, match="boom"):
        await supervisor.run_once(bad)


def test_what_is_run_once_is_reaped_although_its_start_is_cancelled_and_threads_are_busy(guard, heard, tmp_path):
    async def body():
        busy, free = concurrent.futures.ThreadPoolExecutor(1), threading.Event()
        asyncio.get_running_loop().set_default_executor(busy)
        busy.submit(free.wait)
        forever = Command("a", [sys.executable, "-c", FOREVER], dict(os.environ), tmp_path)
        running = asyncio.create_task(Supervisor(guard, heard).run_once(forever))
        await until(lambda: "up" in heard.text())
        running.cancel()
        await asyncio.sleep(0)
        free.set()
        with pytest.raises(asyncio.CancelledError):
            await running

    asyncio.run(body())
    assert psutil.STATUS_ZOMBIE not in {child.status() for child in psutil.Process().children()}
