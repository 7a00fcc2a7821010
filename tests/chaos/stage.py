"""Everything that takes part: real processes, each of which can be killed and started again."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiohttp

from genpulse.dev.child import Guard
from genpulse.dev.ports import free_port
from genpulse.dev.unprivileged import remove_home
from tests.chaos.receiver import SECRET
from tests.fleet import Fleet
from tests.servers import TestServer, stack_of

HERE = Path(__file__).parent
START_S = 60.0


class Stage(Fleet):
    """One installation with its servers and the vendor that it uses."""

    def __init__(self, folder: Path, postgres: TestServer, redis: TestServer, seed: int) -> None:
        super().__init__(folder, postgres.url, redis.url)
        self.postgres = postgres
        self.redis = redis
        self.vendor_url = f"http://127.0.0.1:{free_port()}"
        self.environment |= {
            "PYTHONPATH": f"{HERE / 'plug_in'}",
            "GENPULSE_PROVIDERS__CHAOS__BASE_URL": self.vendor_url,
            "GENPULSE_WEBHOOKS__SECRET": SECRET,
            "GENPULSE_WORKER__LEASE_S": "5",
            "GENPULSE_RETRY__MAX_ATTEMPTS": "20",
            "GENPULSE_RETRY__LONGEST_S": "5",
            "GENPULSE_CIRCUIT__FIRST_S": "1",
            "GENPULSE_CIRCUIT__LONGEST_S": "4",
        }
        self.apis: list[subprocess.Popen[bytes]] = []
        self._vendor = self._run_vendor(seed)

    def _run_vendor(self, seed: int) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "tests.chaos.vendor", self.vendor_url.rpartition(":")[2], str(seed)]
        root = HERE.parent.parent
        return subprocess.Popen(command, cwd=root, env={"PATH": os.defpath, "PYTHONPATH": str(root)})

    def add_api(self) -> None:
        self.apis.append(self.start_api())

    def kill_and_start_api(self, index: int) -> None:
        """SIGKILL, and a new one at the same address."""
        self.apis[index].kill()
        self.apis[index].wait()
        self.apis[index] = self.start("api", "--port", self.urls[index].rpartition(":")[2])

    def kill_and_start_worker(self, index: int, number: signal.Signals) -> None:
        """SIGKILL, or SIGTERM as in a rolling restart, and a new one."""
        self.workers[index].send_signal(number)
        self.workers[index].wait()
        self.workers[index] = self.start("worker")

    def restart(self, server: TestServer, away_s: float) -> None:
        """SIGKILL, and start again on the same data once the last of its processes is gone."""
        server.kill()
        time.sleep(away_s)
        deadline = time.monotonic() + START_S
        while True:
            try:
                server.start()
            except AssertionError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.5)
            else:
                return

    def stop(self) -> None:
        super().stop()
        self._vendor.kill()
        self._vendor.wait()


@asynccontextmanager
async def staged(seed: int, apis: int, workers: int, guard: Guard) -> AsyncIterator[Stage]:
    """Everything up, in a folder of its own that is gone afterwards."""
    home = Path(tempfile.mkdtemp(prefix="genpulse-chaos-"))
    folder = Path(tempfile.mkdtemp(prefix="genpulse-chaos-"))
    postgres, redis = await asyncio.to_thread(lambda: stack_of(home, guard, durable=True))
    stage = Stage(folder, postgres, redis, seed)
    try:
        await asyncio.to_thread(stage.run, "db", "upgrade")
        for _ in range(apis):
            stage.add_api()
        for _ in range(workers):
            stage.start_worker()
        await _until_up([*(f"{url}/readyz" for url in stage.urls), f"{stage.vendor_url}/ledger"])
        yield stage
    finally:
        await asyncio.to_thread(stage.stop)
        for server in (postgres, redis):
            await asyncio.to_thread(server.stop)
        remove_home(home)
        remove_home(folder)


async def _until_up(urls: list[str]) -> None:
    async with aiohttp.ClientSession() as client, asyncio.timeout(START_S):
        for url in urls:
            while not await _is_up(client, url):
                await asyncio.sleep(0.1)


async def _is_up(client: aiohttp.ClientSession, url: str) -> bool:
    with suppress(aiohttp.ClientError):
        async with client.get(url) as answer:
            return answer.status == 200
    return False
