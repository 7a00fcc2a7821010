"""One run over the market: submit, strike, wait, audit."""

import asyncio
import shutil
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import aiohttp
import asyncpg

from genpulse.dev.processes.child import Guard
from tests.chaos.killer import Killer
from tests.chaos.money.account_facts import AccountFacts, books_of, gather
from tests.chaos.money.account_verdict import audit
from tests.chaos.money.auditor import Auditor
from tests.chaos.money.buyer import Buyer
from tests.chaos.money.market_stage import Limits, MarketStage
from tests.chaos.observer import AWAY
from tests.chaos.run import Plan
from tests.chaos.stage import staged
from tests.chaos.verdict import Finding

_GIVEN_UP = "SELECT id FROM tasks WHERE status = 'failed' AND error ->> 'charged' = 'maybe' AND provider = 'alpha'"
_DONE = 0.9
_OUTAGES = 5


@dataclass(frozen=True)
class MoneyReport:
    """What a run has shown."""

    plan: Plan
    findings: tuple[Finding, ...]
    facts: AccountFacts
    buyer: Buyer
    incidents: Counter[str]
    died: tuple[str, ...]
    took_s: float

    @property
    def holds(self) -> bool:
        """Whether every promise was kept."""
        return all(finding.holds for finding in self.findings)


async def run(plan: Plan, guard: Guard, say: Callable[[str], None]) -> MoneyReport:
    """From an empty stage to the verdict. Of the plan `calm` and `manners` are not used."""
    make = partial(MarketStage, limits=Limits(plan.tasks))
    async with staged(plan.seed, plan.apis, plan.clocks_s, plan.lease_s, guard, make) as stage:
        assert isinstance(stage, MarketStage)
        await stage.make_keys()
        return await _Run(plan, stage, say).through()


class _Run:
    def __init__(self, plan: Plan, stage: MarketStage, say: Callable[[str], None]) -> None:
        self.plan, self.stage, self.say = plan, stage, say
        self.began = time.monotonic()
        self.buyer = Buyer(stage.urls, stage.headers, plan.seed)
        self.auditor = Auditor(stage.postgres.url, stage.limits.by_counter(stage.keys))
        self.killer = Killer(stage, plan.seed, plan.incidents(), plan.lease_s)

    async def through(self) -> MoneyReport:
        killing = asyncio.create_task(self.killer.run(mayflies=self.plan.script is None))
        beside = [
            asyncio.create_task(self.auditor.run()),
            asyncio.create_task(self._tell()),
            *(asyncio.create_task(slot.keep()) for slot in self.stage.slots),
        ]
        try:
            await self._storm(killing)
            await self._until_quiet()
            await self._again()
            await self._until_quiet()
            return await self._report()
        finally:
            for task in (killing, *beside):
                await _stopped(task)
            if self.plan.log is not None:
                shutil.copy(self.stage.folder / "log", self.plan.log)

    async def _storm(self, killing: "asyncio.Task[None]") -> None:
        """Strike until nine of ten tasks have ended, or the script is through."""
        longest_s = self.plan.tasks * self.plan.pace_s + _OUTAGES * self.plan.ends_within_s
        await _within(longest_s, self.buyer.run(range(self.plan.tasks), self.plan.pace_s))
        deadline = time.monotonic() + self.plan.ends_within_s
        while time.monotonic() < deadline and not killing.done():
            left = await self._left()
            if self.plan.script is None and 0 <= left <= (1 - _DONE) * self.plan.tasks:
                break
            await asyncio.sleep(0.5)
        await _stopped(killing)

    async def _again(self) -> None:
        """Ask once more for what was given up where the shop can be asked: it is over by now."""
        connection = await asyncpg.connect(self.stage.postgres.url)
        try:
            rows = await connection.fetch(_GIVEN_UP)
        finally:
            await connection.close()
        await _within(self.plan.ends_within_s, self.buyer.again(str(row["id"]) for row in rows))

    async def _until_quiet(self) -> None:
        """Until nothing is left to do, or for too long; then the verdict tells."""
        deadline = time.monotonic() + self.plan.ends_within_s
        while time.monotonic() < deadline and await self._left() != 0:
            await asyncio.sleep(0.5)

    async def _report(self) -> MoneyReport:
        facts = await gather(self.stage, self.plan.seed)
        died = tuple(line for slot in self.stage.slots for line in slot.died)
        findings = audit(facts, self.buyer, self.auditor)
        took_s = time.monotonic() - self.began
        return MoneyReport(self.plan, findings, facts, self.buyer, self.killer.done, died, took_s)

    async def _left(self) -> int:
        """Tasks that have not ended, and jobs in work at the shops; -1 while the database is away."""
        with suppress(*AWAY, aiohttp.ClientError):
            connection = await asyncpg.connect(self.stage.postgres.url, timeout=2)
            try:
                living = await connection.fetchval(
                    "SELECT count(*) FROM tasks WHERE finished_at IS NULL", timeout=10
                )
            finally:
                connection.terminate()
            return int(living) or (await books_of(self.stage)).open
        return -1

    async def _tell(self) -> None:
        while True:
            await asyncio.sleep(5)
            self.say(
                f"{time.monotonic() - self.began:5.0f} s: {len(self.buyer.ids):,} of {self.plan.tasks:,} accepted,"
                f" {len(self.buyer.refused):,} refused, {await self._left():,} not ended,"
                f" {self.killer.done.total()} incidents, {self.killer.mayflies} mayflies"
            )


async def _within(seconds: float, doing: Coroutine[Any, Any, None]) -> None:
    """What is not done by then is missing in the verdict."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await doing


async def _stopped(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
