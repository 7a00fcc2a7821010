"""One run, from an empty stage to the verdict."""

import asyncio
import random
import shutil
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from genpulse.dev.processes.child import Guard
from genpulse.lifecycle.webhooks.delivery import HELD_S
from tests.chaos import calm as calming
from tests.chaos.calm import Calm
from tests.chaos.driver import Driver
from tests.chaos.facts import gather
from tests.chaos.figures import figures_of
from tests.chaos.killer import Killer
from tests.chaos.observer import AWAY
from tests.chaos.receiver import Receiver
from tests.chaos.rude import Manner, Rude
from tests.chaos.schedule import Incident, Terms, storm
from tests.chaos.stage import CLOCKS_S, Stage, staged
from tests.chaos.unknown import Unknown, unknowns
from tests.chaos.verdict import Case, Finding, judge
from tests.chaos.watcher import Watchers

RUDE_EVERY = 12
"""The message about one of so many tasks goes to a rude receiver."""
_DONE = 0.9
_OUTAGES = 5


@dataclass(frozen=True)
class Plan:
    """How large a run is.

    `every_s` is the mean pause between incidents; tasks come `pace_s` seconds apart; after the last incident and
    the last submit everything may take `ends_within_s` to come to its end. The storm lasts at least `storm_s`. A
    `script` takes its place, and then no worker lives for seconds only. `calm` is how large the look at the calm
    is, 1.0 for the whole. `clocks` are wrong on some hosts; `manners` are those of the rude receivers.
    What all processes have logged is copied to `log`.
    """

    tasks: int
    seed: int
    every_s: float
    workers: int
    apis: int = 2
    pace_s: float = 0.03
    ends_within_s: float = 180.0
    storm_s: float = 0.0
    lease_s: float = 5.0
    calm: float = 1.0
    script: tuple[Incident, ...] | None = None
    log: Path | None = None
    clocks: bool = True
    manners: tuple[Manner, ...] = tuple(Manner)

    def incidents(self) -> Iterable[Incident]:
        """What is done, in its order."""
        terms = Terms(self.every_s, self.lease_s, self.workers, self.apis)
        return storm(self.seed, terms) if self.script is None else self.script

    @property
    def outlasts_senders(self) -> bool:
        """Whether a message that a lost worker was sending is sent again before the verdict."""
        return self.ends_within_s > HELD_S

    @property
    def clocks_s(self) -> tuple[float, ...]:
        """By how much the clock of each worker's host is ahead."""
        return tuple(CLOCKS_S[index % len(CLOCKS_S)] if self.clocks else 0.0 for index in range(self.workers))


@dataclass(frozen=True)
class Report:
    """What a run has shown. `figures` are lines to read, which nothing depends on."""

    plan: Plan
    findings: tuple[Finding, ...]
    unknowns: tuple[Unknown, ...]
    figures: tuple[str, ...]
    incidents: Counter[str]
    took_s: float

    @property
    def holds(self) -> bool:
        """Whether every promise was kept."""
        return all(finding.holds for finding in self.findings)


async def run(plan: Plan, guard: Guard, say: Callable[[str], None]) -> Report:
    """Submit, strike, wait, look at the calm, judge."""
    receiver, rude = Receiver(random.Random(f"{plan.seed}:receiver")), Rude()
    async with (
        receiver.running(),
        rude.running(),
        staged(plan.seed, plan.apis, plan.clocks_s, plan.lease_s, guard) as stage,
    ):
        calm = Calm.plan(rude=Manner.SILENT in plan.manners, size=plan.calm)
        driver = Driver(stage.urls, _addresses(plan, receiver, rude, calm), plan.seed)
        return await _Run(plan, stage, receiver, rude, calm, driver, say).through()


def _addresses(plan: Plan, receiver: Receiver, rude: Rude, calm: Calm) -> Callable[[int], str]:
    silent = set(calm.silent)

    def address(number: int) -> str:
        if number in silent:
            return rude.url(Manner.SILENT)
        if number in {*calm.narrow, *calm.polite} or number % RUDE_EVERY != 1 or not plan.manners:
            return receiver.url
        return rude.url(plan.manners[number // RUDE_EVERY % len(plan.manners)])

    return address


@dataclass
class _Run:
    plan: Plan
    stage: Stage
    receiver: Receiver
    rude: Rude
    calm: Calm
    driver: Driver
    say: Callable[[str], None]

    def __post_init__(self) -> None:
        self.began = time.monotonic()
        self.killer = Killer(self.stage, self.plan.seed, self.plan.incidents(), self.plan.lease_s)
        self.watchers = Watchers(self.driver)

    async def through(self) -> Report:
        killing = asyncio.create_task(self.killer.run(mayflies=self.plan.script is None))
        beside = [
            asyncio.create_task(self.watchers.run()),
            asyncio.create_task(self._tell()),
            *(asyncio.create_task(slot.keep()) for slot in self.stage.slots),
        ]
        try:
            await self._storm(killing)
            await self._until_quiet()
            look = calming.look(self.stage, self.driver, self.receiver, self.calm)
            await _within(self.plan.ends_within_s, look)
            await self._until_told()
            return await self._report()
        finally:
            for task in (killing, *beside):
                await _stopped(task)
            if self.plan.log is not None:
                shutil.copy(self.stage.folder / "log", self.plan.log)

    async def _storm(self, killing: "asyncio.Task[None]") -> None:
        """Strike until nine of ten tasks have ended and the script is through, or for too long."""
        longest_s = self.plan.tasks * self.plan.pace_s + _OUTAGES * self.plan.ends_within_s
        await _within(longest_s, self.driver.run(range(self.plan.tasks), self.plan.pace_s))
        deadline = time.monotonic() + self.plan.ends_within_s
        while time.monotonic() < deadline and not (killing.done() and self._has_passed()):
            if self._has_passed() and self.plan.script is None and await self._ended() >= _DONE * self.plan.tasks:
                break
            await asyncio.sleep(0.5)
        await _stopped(killing)

    async def _until_quiet(self) -> None:
        """Until nothing is left to do, or for too long; then the verdict tells."""
        deadline = time.monotonic() + self.plan.ends_within_s
        while time.monotonic() < deadline and await self._left() != 0:
            await asyncio.sleep(0.5)

    async def _until_told(self) -> None:
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline and (self.watchers.waiting or await self._left() != 0):
            await asyncio.sleep(0.5)

    async def _report(self) -> Report:
        facts = await gather(self.stage)
        died = tuple(line for slot in self.stage.slots for line in slot.died)
        storage = self.stage.folder / "storage"
        plan = self.plan
        beside = (self.driver, self.receiver, self.watchers, self.calm)
        case = Case(facts, *beside, storage, plan.seed, died, plan.outlasts_senders)
        unknown = unknowns(facts, plan.seed)
        lines = figures_of(case, self.killer, self.rude, self.stage)
        return Report(plan, judge(case), unknown, lines, self.killer.done, self._passed_s())

    def _has_passed(self) -> bool:
        return self._passed_s() >= self.plan.storm_s

    def _passed_s(self) -> float:
        return time.monotonic() - self.began

    async def _ended(self) -> int:
        return await self._count("SELECT count(*) FROM tasks WHERE finished_at IS NOT NULL")

    async def _left(self) -> int:
        """Tasks that have not ended, and messages that have not come, or were not sent to the rude once.

        Those that have come may be sent again: a minute after a worker could not note that it had sent them.
        """
        return await self._count(
            "SELECT (SELECT count(*) FROM tasks WHERE finished_at IS NULL) + (SELECT count(*) FROM deliveries"
            " WHERE url = $1 AND next_try_at IS NOT NULL AND task_id::text <> ALL($3::text[])"
            " AND (tries > 0 OR next_try_at <= now() OR $4)"
            " OR url <> ALL(ARRAY[$1, $2]) AND tries = 0 AND next_try_at <= now())",
            self.receiver.url,
            self.rude.url(Manner.SILENT),
            list(self.receiver.ids),
            self.plan.outlasts_senders,
        )

    async def _count(self, statement: str, *values: str | list[str] | bool) -> int:
        """-1 while the database is away."""
        with suppress(*AWAY):
            connection = await asyncpg.connect(self.stage.postgres.url, timeout=2)
            try:
                return int(await connection.fetchval(statement, *values, timeout=10))
            finally:
                connection.terminate()
        return -1

    async def _tell(self) -> None:
        while True:
            await asyncio.sleep(5)
            self.say(
                f"{self._passed_s():5.0f} s: {len(self.driver.ids):,} of {self.plan.tasks:,} accepted,"
                f" {await self._ended():,} ended, {len(self.receiver.came_at):,} told,"
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
