"""Everything that takes part: real processes, each of which can be killed and started again."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeAlias

import aiohttp
import psutil

from genpulse.dev.processes.child import Guard
from genpulse.dev.processes.ports import free_port
from genpulse.dev.processes.unprivileged import remove_home
from tests.chaos import observer
from tests.chaos.plan import Plan
from tests.chaos.receiver import SECRET
from tests.chaos.slot import Slot
from tests.fleet import Fleet
from tests.servers import TestServer, stack_of

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
START_S = 60.0
_STOP_S = 5.0
SEATS = 4
"""How much the narrow account does at once."""


@dataclass(frozen=True)
class Scene:
    """What an installation works with: `vendor` is the module of its vendors, `settings` are by their address."""

    vendor: str
    settings: Callable[[str], Mapping[str, str]]


def _settings(vendor_url: str) -> Mapping[str, str]:
    return {
        "GENPULSE_PROVIDERS__CHAOS__BASE_URL": vendor_url,
        "GENPULSE_PROVIDERS__NARROW__BASE_URL": vendor_url,
        "GENPULSE_PROVIDERS__NARROW__CONCURRENCY": str(SEATS),
        "GENPULSE_PROVIDERS__NARROW__RATE": "20/s",
    }


SCENE = Scene("tests.chaos.vendor", _settings)


class Stage(Fleet):
    """One installation with its servers and the vendors that it uses."""

    def __init__(
        self, folder: Path, postgres: TestServer, redis: TestServer, plan: Plan, guard: Guard, scene: Scene
    ) -> None:
        super().__init__(folder, postgres.url, redis.url)
        self.postgres = postgres
        self.redis = redis
        self._guard = guard
        self.vendor_url = f"http://127.0.0.1:{free_port()}"
        self.environment |= {
            "PYTHONPATH": f"{HERE / 'plug_in'}{os.pathsep}{ROOT}",
            "GENPULSE_PROVIDERS__PAID": "true",
            "GENPULSE_WEBHOOKS__SECRET": SECRET,
            "GENPULSE_WORKER__LEASE_S": f"{plan.lease_s:g}",
            "GENPULSE_RETRY__MAX_ATTEMPTS": "20",
            "GENPULSE_RETRY__LONGEST_S": "5",
            "GENPULSE_CIRCUIT__FIRST_S": "1",
            "GENPULSE_CIRCUIT__LONGEST_S": "4",
            **scene.settings(self.vendor_url),
        }
        self.apis: list[Slot] = []
        self.places: list[Slot] = []
        arguments = ["-m", scene.vendor, self.vendor_url.rpartition(":")[2], str(plan.seed)]
        self._vendor = self._guarded(arguments, ROOT, {"PATH": os.defpath, "PYTHONPATH": str(ROOT)}, "vendor.log")

    def call(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """A command, however it ends. Its plug-in and its clock take an interpreter."""
        return subprocess.run(
            [sys.executable, "-m", "genpulse", *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def start(self, *arguments: str) -> "subprocess.Popen[bytes]":
        """A process of the product."""
        return self._guarded(["-m", "genpulse", *arguments], self.folder, self.environment, "log")

    def _guarded(
        self, arguments: list[str], place: Path, environment: Mapping[str, str], log: str
    ) -> "subprocess.Popen[bytes]":
        """A process that does not outlive us, however we end: the guard ends the group that it begins."""
        with (self.folder / log).open("a") as lines:
            process = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=place,
                env=environment,
                stdout=lines,
                stderr=lines,
                start_new_session=True,
            )
        self._guard.add(process.pid, signal.SIGKILL)
        return process

    @property
    def slots(self) -> list[Slot]:
        """All places in which processes of the product run."""
        return [*self.apis, *self.places]

    @property
    def died(self) -> tuple[str, ...]:
        """How processes have ended by themselves."""
        return tuple(line for slot in self.slots for line in slot.died)

    def add_api(self) -> None:
        """One more API, which keeps its address."""
        port = free_port()
        self.urls.append(f"http://127.0.0.1:{port}")
        start = partial(self.start, "api", "--port", str(port))
        self.apis.append(Slot(f"api {len(self.apis)}", start, self._guard.remove))

    def add_worker(self, clock_s: float) -> None:
        """One more worker, on a host whose clock is so far ahead."""
        name = f"worker {len(self.places)}" + (f" (clock {clock_s:+g} s)" if clock_s else "")
        start = partial(self._start_with, self._clock(clock_s), "worker")
        self.places.append(Slot(name, start, self._guard.remove))

    def _clock(self, ahead_s: float) -> dict[str, str]:
        if not ahead_s:
            return {}
        path = f"{HERE / 'clock'}{os.pathsep}{self.environment['PYTHONPATH']}"
        return {"PYTHONPATH": path, "CHAOS_CLOCK_S": str(ahead_s)}

    def _start_with(self, more: Mapping[str, str], *arguments: str) -> "subprocess.Popen[bytes]":
        plain = self.environment
        self.environment = plain | dict(more)
        try:
            return self.start(*arguments)
        finally:
            self.environment = plain

    def stop(self) -> None:
        """End everything: in order where that is quick."""
        for number in (signal.SIGCONT, signal.SIGTERM):
            for slot in self.slots:
                slot.process.send_signal(number)
        deadline = time.monotonic() + _STOP_S
        for slot in self.slots:
            with suppress(subprocess.TimeoutExpired):
                slot.process.wait(max(deadline - time.monotonic(), 0.0))
            self._end(slot.process)
        self._end(self._vendor)

    def _end(self, process: "subprocess.Popen[bytes]") -> None:
        process.kill()
        process.wait()
        self._guard.remove(process.pid)


def family(pid: int) -> list[psutil.Process]:
    """A process and all that it has started."""
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    return []


LayOut: TypeAlias = Callable[[Path, Guard], tuple[TestServer, TestServer]]
"""Starts a PostgreSQL and a Redis, or what stands for one, with its data below a folder."""


def single_servers(home: Path, guard: Guard) -> tuple[TestServer, TestServer]:
    """One of each."""
    return stack_of(home, guard, durable=True)


@asynccontextmanager
async def staged(plan: Plan, guard: Guard, scene: Scene, lay_out: LayOut = single_servers) -> AsyncIterator[Stage]:
    """Everything up, in a folder of its own that is gone afterwards."""
    home = Path(tempfile.mkdtemp(prefix="genpulse-chaos-"))
    folder = Path(tempfile.mkdtemp(prefix="genpulse-chaos-"))
    postgres, redis = await asyncio.to_thread(lay_out, home, guard)
    stage = Stage(folder, postgres, redis, plan, guard, scene)
    try:
        await asyncio.to_thread(stage.run, "db", "upgrade")
        await observer.install(postgres.url)
        for _ in range(plan.apis):
            stage.add_api()
        for clock_s in plan.clocks_s:
            stage.add_worker(clock_s)
        await until_up([*(f"{url}/readyz" for url in stage.urls), f"{stage.vendor_url}/ledger"])
        yield stage
    finally:
        await asyncio.to_thread(stage.stop)
        for server in (postgres, redis):
            await asyncio.to_thread(server.stop)
        remove_home(home)
        remove_home(folder)


async def until_up(urls: list[str]) -> None:
    """Until all of them answer 200. Raises `TimeoutError` after a minute."""
    async with aiohttp.ClientSession() as client, asyncio.timeout(START_S):
        for url in urls:
            while not await _is_up(client, url):
                await asyncio.sleep(0.1)


async def _is_up(client: aiohttp.ClientSession, url: str) -> bool:
    with suppress(aiohttp.ClientError):
        async with client.get(url) as answer:
            return answer.status == 200
    return False
