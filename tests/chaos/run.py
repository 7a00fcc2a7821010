"""One run, from an empty stage to the verdict, whatever is played on it."""

import asyncio
import shutil
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import aiohttp
import asyncpg

from genpulse.dev.processes.child import Guard
from tests.chaos.killer import Killer
from tests.chaos.observer import AWAY
from tests.chaos.plan import Plan
from tests.chaos.play import Audit, Play, Suite

_DONE = 0.9
_OUTAGES = 5


@dataclass(frozen=True)
class Report:
    """What a run has shown."""

    suite: Suite
    plan: Plan
    audit: Audit
    incidents: Counter[str]
    took_s: float

    @property
    def holds(self) -> bool:
        """Whether every promise was kept."""
        return all(finding.holds for finding in self.audit.findings)


async def run(suite: Suite, plan: Plan, guard: Guard, say: Callable[[str], None]) -> Report:
    """Submit, strike, wait, and judge."""
    async with suite.opened(plan, guard) as play:
        storm = _Run(plan, play, say)
        audit = await storm.through()
        return Report(suite, plan, audit, storm.killer.done, storm.passed_s)


class _Run:
    def __init__(self, plan: Plan, play: Play, say: Callable[[str], None]) -> None:
        self.plan, self.play, self.stage, self.say = plan, play, play.stage, say
        self.began = time.monotonic()
        self.killer = Killer(self.stage, plan.seed, plan.incidents(), plan.lease_s)

    async def through(self) -> Audit:
        killing = asyncio.create_task(self.killer.run(mayflies=self.plan.script is None))
        beside = [
            *(asyncio.create_task(one) for one in self.play.beside()),
            asyncio.create_task(self._tell()),
            *(asyncio.create_task(slot.keep()) for slot in self.stage.slots),
        ]
        try:
            await self._storm(killing)
            await self._until_quiet()
            await _within(self.plan.ends_within_s, self.play.after_storm())
            await self._until_quiet()
            return await self.play.audit(self.killer)
        finally:
            for task in (killing, *beside):
                await _stopped(task)
            if self.plan.log is not None:
                shutil.copy(self.stage.folder / "log", self.plan.log)

    async def _storm(self, killing: "asyncio.Task[None]") -> None:
        """Strike until nine of ten tasks have ended, or the script is through, or for too long."""
        longest_s = self.plan.tasks * self.plan.pace_s + _OUTAGES * self.plan.ends_within_s
        await _within(longest_s, self.play.submit(range(self.plan.tasks), self.plan.pace_s))
        deadline = time.monotonic() + self.plan.ends_within_s
        while time.monotonic() < deadline and not (killing.done() and self._has_passed()):
            if self._has_passed() and self.plan.script is None and await self._is_mostly_done():
                break
            await asyncio.sleep(0.5)
        await _stopped(killing)

    async def _is_mostly_done(self) -> bool:
        return 0 <= await self._asked(_living) <= (1 - _DONE) * self.plan.tasks

    async def _until_quiet(self) -> None:
        """Until nothing is left to do, or for too long; then the verdict tells."""
        deadline = time.monotonic() + self.plan.ends_within_s
        while time.monotonic() < deadline and await self._asked(self._left) != 0:
            await asyncio.sleep(0.5)

    async def _left(self, connection: asyncpg.Connection) -> int:
        return await _living(connection) or await self.play.left(connection)

    async def _asked(self, count: Callable[[asyncpg.Connection], Coroutine[Any, Any, int]]) -> int:
        """-1 while the database is away."""
        with suppress(*AWAY, aiohttp.ClientError):
            connection = await asyncpg.connect(self.stage.postgres.url, timeout=2)
            try:
                return await count(connection)
            finally:
                connection.terminate()
        return -1

    def _has_passed(self) -> bool:
        return self.passed_s >= self.plan.storm_s

    @property
    def passed_s(self) -> float:
        return time.monotonic() - self.began

    async def _tell(self) -> None:
        while True:
            await asyncio.sleep(5)
            self.say(
                f"{self.passed_s:5.0f} s: {self.plan.tasks:,} tasks, {self.play.progress()},"
                f" {await self._asked(_living):,} not ended,"
                f" {self.killer.done.total()} incidents, {self.killer.mayflies} mayflies"
            )


async def _living(connection: asyncpg.Connection) -> int:
    return int(await connection.fetchval("SELECT count(*) FROM tasks WHERE finished_at IS NULL", timeout=10))


async def _within(seconds: float, doing: Coroutine[Any, Any, None]) -> None:
    """What is not done by then is missing in the verdict."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await doing


async def _stopped(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
