"""One run, from an empty stage to the verdict."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import asyncpg

from genpulse.dev.child import Guard
from tests.chaos.driver import Driver
from tests.chaos.killer import Killer
from tests.chaos.receiver import Receiver
from tests.chaos.stage import Stage, staged
from tests.chaos.verdict import Finding, gather, judge

ENDS_WITHIN_S = 180.0
"""How long, after the last kill and the last submit, everything may take to come to its end."""


@dataclass(frozen=True)
class Plan:
    """How large a run is. `kill_every_s` is a mean; tasks come `pace_s` seconds apart."""

    tasks: int
    seed: int
    kill_every_s: float
    workers: int
    apis: int = 2
    pace_s: float = 0.03


@dataclass(frozen=True)
class Report:
    """What a run has shown."""

    plan: Plan
    findings: tuple[Finding, ...]
    killed: Counter[str]
    answers: Counter[str]
    ends: Counter[str]
    attempts: Counter[str]
    took_s: float

    @property
    def holds(self) -> bool:
        return all(finding.holds for finding in self.findings)


async def run(plan: Plan, guard: Guard, say: Callable[[str], None]) -> Report:
    """Submit, kill, wait, judge."""
    began = time.monotonic()
    receiver = Receiver(random.Random(f"{plan.seed}:receiver"))
    async with receiver.running(), staged(plan.seed, plan.apis, plan.workers, guard) as stage:
        driver = Driver(stage.urls, receiver.url, plan.tasks)
        killer = Killer(stage, plan.seed, plan.kill_every_s)
        killing = asyncio.create_task(killer.run())
        telling = asyncio.create_task(_tell(stage, driver, killer, receiver, say))
        try:
            await driver.run(plan.pace_s)
            await _until_most_ended(driver, receiver)
            await _stopped(killing)
            await _until_quiet(stage, driver, receiver)
            facts = await gather(stage)
        finally:
            for task in (killing, telling):
                await _stopped(task)
        findings = judge(facts, driver, receiver, stage.folder / "storage", plan.seed)
        ends = Counter(_end(task) for task in facts.tasks.values())
        attempts = Counter(str(attempt["status"]) for attempt in facts.attempts)
    return Report(plan, findings, killer.killed, driver.answers, ends, attempts, time.monotonic() - began)


def _end(task: dict[str, object]) -> str:
    import json

    error = task["error"]
    return str(task["status"]) if error is None else f"{task['status']}: {json.loads(str(error))['code']}"


async def _stopped(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def _until_most_ended(driver: Driver, receiver: Receiver) -> None:
    """Kills go on until nine of ten tasks have ended, or for too long."""
    deadline = time.monotonic() + ENDS_WITHIN_S
    while len(receiver.ids) < 0.9 * driver.count and time.monotonic() < deadline:
        await asyncio.sleep(0.2)


async def _until_quiet(stage: Stage, driver: Driver, receiver: Receiver) -> None:
    """Until nothing is left to do, or for too long; then the verdict tells."""
    deadline = time.monotonic() + ENDS_WITHIN_S
    while time.monotonic() < deadline:
        with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            if await _left(stage.postgres.url) == 0 and len(receiver.ids) >= len(driver.ids):
                return
        await asyncio.sleep(0.5)


async def _left(url: str) -> int:
    connection = await asyncpg.connect(url)
    try:
        return int(
            await connection.fetchval(
                "SELECT (SELECT count(*) FROM tasks WHERE finished_at IS NULL)"
                " + (SELECT count(*) FROM deliveries WHERE next_try_at IS NOT NULL)"
            )
        )
    finally:
        await connection.close()


async def _tell(
    stage: Stage, driver: Driver, killer: Killer, receiver: Receiver, say: Callable[[str], None]
) -> None:
    began = time.monotonic()
    while True:
        await asyncio.sleep(5)
        say(
            f"{time.monotonic() - began:5.0f} s: {len(driver.ids):,} of {driver.count:,} accepted,"
            f" {len(receiver.ids):,} ended and told, {killer.killed.total()} kills"
        )
