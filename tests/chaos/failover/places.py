"""What fails, and how: each place has its servers, settings that belong to them, and one stroke."""

import asyncio
import signal
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
from obstore.store import S3Store

from genpulse.dev.processes.child import Guard
from genpulse.dev.servers.postgres import Postgres
from genpulse.dev.servers.redis import Redis
from tests.chaos.failover.postgres_pair import PostgresPair
from tests.chaos.failover.sentinels import Sentinels
from tests.chaos.stage import SCENE, Stage, family, single_servers
from tests.s3 import BUCKET, S3Server, start_s3
from tests.servers import TestServer, launch

LAG_S = 2.0


@dataclass(frozen=True)
class Stroke:
    """When it fell, and from when on somebody else was asked to do the work, in seconds since the epoch."""

    struck_at: float
    replaced_at: float


class Place(ABC):
    """Servers of which one is to fail. Where it `may_lose` commits, they are counted and not judged."""

    may_lose = False

    def settings(self, vendor_url: str) -> Mapping[str, str]:
        """Of the installation."""
        return SCENE.settings(vendor_url)

    @abstractmethod
    def lay_out(self, home: Path, guard: Guard) -> tuple[TestServer, TestServer]:
        """PostgreSQL and Redis, or what stands for them."""

    @abstractmethod
    async def strike(self) -> Stroke:
        """Let it fail, and something take its place."""

    def collect(self, stage: Stage) -> None:  # noqa: B027 - in a folder they are there already
        """Bring the bytes of all assets to where the audit looks for them."""


class PrimaryCrash(Place):
    """SIGKILL of the primary with all its processes; then the standby is promoted."""

    synchronous = True

    def lay_out(self, home: Path, guard: Guard) -> tuple[TestServer, TestServer]:
        self.pair = PostgresPair(home, guard, synchronous=self.synchronous)
        return self.pair, launch(Redis.lay_out, home, guard)

    async def strike(self) -> Stroke:
        struck_at = time.time()
        await asyncio.to_thread(self.end)
        replaced_at = time.time()
        await asyncio.to_thread(self.pair.promote)
        return Stroke(struck_at, replaced_at)

    def end(self) -> None:
        """End the primary."""
        self.pair.crash()


class Switchover(PrimaryCrash):
    """The primary ends in order; then the standby is promoted."""

    def end(self) -> None:
        self.pair.shut_down()


class AsynchronousCrash(PrimaryCrash):
    """As the crash, with a standby that is `LAG_S` seconds behind."""

    synchronous, may_lose = False, True

    def end(self) -> None:
        self.pair.hold_stream()
        time.sleep(LAG_S)
        self.pair.crash()


class RedisCrash(Place):
    """SIGKILL of the Redis that the Sentinels call the primary."""

    def lay_out(self, home: Path, guard: Guard) -> tuple[TestServer, TestServer]:
        self.sentinels = Sentinels(home, guard)
        return launch(Postgres.lay_out, home, guard), self.sentinels

    def settings(self, vendor_url: str) -> Mapping[str, str]:
        return {**super().settings(vendor_url), "GENPULSE_REDIS__URL": self.sentinels.client_url}

    async def strike(self) -> Stroke:
        struck_at = time.time()
        return Stroke(struck_at, await asyncio.to_thread(self.sentinels.kill_primary))


class StorageAway(Place):
    """The S3 server stands still for a minute: whoever asks it is not answered."""

    away_s = 60.0

    def lay_out(self, home: Path, guard: Guard) -> tuple[TestServer, TestServer]:
        folder = home / "s3"
        folder.mkdir()
        self.server: S3Server
        self.server, self._child = start_s3(folder, guard)
        return single_servers(home, guard)

    def settings(self, vendor_url: str) -> Mapping[str, str]:
        return {
            **super().settings(vendor_url),
            "GENPULSE_STORAGE__URL": f"s3://{BUCKET}",
            "GENPULSE_STORAGE__ENDPOINT": self.server.endpoint,
            "GENPULSE_STORAGE__REGION": "us-east-1",
            "GENPULSE_STORAGE__ACCESS_KEY_ID": self.server.key,
            "GENPULSE_STORAGE__SECRET_ACCESS_KEY": self.server.secret,
        }

    async def strike(self) -> Stroke:
        struck_at = time.time()
        processes = family(self._child.pid)
        for process in processes:
            process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(self.away_s)
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGCONT)
        return Stroke(struck_at, time.time())

    def collect(self, stage: Stage) -> None:
        store = S3Store(BUCKET, config=self.server.options, client_options={"allow_http": True})
        for page in store.list():
            for found in page:
                path = stage.folder / "storage" / found["path"]
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(bytes(store.get(found["path"]).bytes()))


PLACES: Mapping[str, type[Place]] = {
    "crash": PrimaryCrash,
    "switchover": Switchover,
    "redis": RedisCrash,
    "storage": StorageAway,
    "asynchronous": AsynchronousCrash,
}
