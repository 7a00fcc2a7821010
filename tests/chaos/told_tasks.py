"""The first play: tasks of each shape, and everybody who is told how they ended."""

import random
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from genpulse.dev.processes.child import Guard
from tests.chaos import calm as calming
from tests.chaos.calm import Calm
from tests.chaos.driver import Driver
from tests.chaos.facts import gather
from tests.chaos.figures import figures_of
from tests.chaos.killer import Killer
from tests.chaos.plan import Plan
from tests.chaos.play import Audit, Suite
from tests.chaos.receiver import Receiver
from tests.chaos.rude import Manner, Rude
from tests.chaos.stage import SCENE, LayOut, Scene, Stage, single_servers, staged
from tests.chaos.unknown import table, unknowns
from tests.chaos.verdict import Case, judge
from tests.chaos.watcher import Watchers

RUDE_EVERY = 12
"""The message about one of so many tasks goes to a rude receiver."""
_LEFT = """
SELECT count(*) FROM deliveries
WHERE url = $1 AND next_try_at IS NOT NULL AND task_id::text <> ALL($3::text[])
      AND (tries > 0 OR next_try_at <= now() OR $4)
   OR url <> ALL(ARRAY[$1, $2]) AND tries = 0 AND next_try_at <= now()
"""


@dataclass
class ToldTasks:
    """Callers who submit and who watch, receivers of which some are rude, and a look at the calm afterwards."""

    plan: Plan
    stage: Stage
    receiver: Receiver
    rude: Rude
    calm: Calm
    driver: Driver
    watchers: Watchers = field(init=False)

    def __post_init__(self) -> None:
        self.watchers = Watchers(self.driver)

    async def submit(self, numbers: Iterable[int], pace_s: float) -> None:
        await self.driver.run(numbers, pace_s)

    def beside(self) -> Iterable[Coroutine[Any, Any, None]]:
        return (self.watchers.run(),)

    async def left(self, connection: asyncpg.Connection) -> int:
        """Watchers who wait, messages that have not come, and those that were not sent to the rude once.

        Those that have come may be sent again: a minute after a worker could not note that it had sent them.
        """
        places = self.receiver.url, self.rude.url(Manner.SILENT)
        came, outlasts = list(self.receiver.ids), self.plan.outlasts_senders
        return self.watchers.waiting or int(await connection.fetchval(_LEFT, *places, came, outlasts, timeout=10))

    async def after_storm(self) -> None:
        await calming.look(self.stage, self.driver, self.receiver, self.calm)

    async def audit(self, killer: Killer) -> Audit:
        facts, plan = await gather(self.stage), self.plan
        beside = (self.driver, self.receiver, self.watchers, self.calm)
        storage = self.stage.folder / "storage"
        case = Case(facts, *beside, storage, plan.seed, self.stage.died, plan.outlasts_senders)
        unknown = table(unknowns(facts, plan.seed))
        tables = ("What was called unknown, and what it was by the vendor's books:", "", *unknown)
        return Audit(judge(case), figures_of(case, killer, self.rude, self.stage), tables)

    def progress(self) -> str:
        return f"{len(self.driver.ids):,} accepted, {len(self.receiver.came_at):,} told"


@asynccontextmanager
async def opened(
    plan: Plan, guard: Guard, scene: Scene = SCENE, lay_out: LayOut = single_servers
) -> AsyncIterator[ToldTasks]:
    """The play on a stage of its own, with these servers."""
    receiver, rude = Receiver(random.Random(f"{plan.seed}:receiver")), Rude()
    async with receiver.running(), rude.running(), staged(plan, guard, scene, lay_out) as stage:
        calm = Calm.plan(rude=Manner.SILENT in plan.manners, size=plan.calm)
        driver = Driver(stage.urls, plan.seed, _addresses(plan, receiver, rude, calm))
        yield ToldTasks(plan, stage, receiver, rude, calm, driver)


def _addresses(plan: Plan, receiver: Receiver, rude: Rude, calm: Calm) -> Callable[[int], str]:
    silent = set(calm.silent)

    def address(number: int) -> str:
        if number in silent:
            return rude.url(Manner.SILENT)
        if number in {*calm.narrow, *calm.polite} or number % RUDE_EVERY != 1 or not plan.manners:
            return receiver.url
        return rude.url(plan.manners[number // RUDE_EVERY % len(plan.manners)])

    return address


TOLD_TASKS = Suite("tests.chaos", "Whether nothing is lost and nothing paid twice.", opened, sends_messages=True)
