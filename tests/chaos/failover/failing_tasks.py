"""The play of told tasks, with one stroke in the middle of it."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import asyncpg
from redis.asyncio import Redis

from genpulse.dev.processes.child import Guard
from tests.chaos.driver import Driver
from tests.chaos.facts import gather
from tests.chaos.failover.losses import losses_of
from tests.chaos.failover.places import Place, Stroke
from tests.chaos.killer import Killer
from tests.chaos.plan import Plan
from tests.chaos.play import Audit, Play, Suite
from tests.chaos.stage import Scene, Stage
from tests.chaos.told_tasks import ToldTasks, opened

STRIKES_AFTER = 0.4
"""The stroke falls when so large a share of the tasks is accepted."""
_LOOK_S = 0.05
_AROUND_S = 15.0
_ENDED = "SELECT min(at) FROM chaos.changes WHERE now = 'succeeded' AND at > to_timestamp($1)"


@dataclass
class Outage:
    """What a stroke came to, in seconds.

    `calls_s` is the longest time in which no call was accepted; `accepted_s` and `worked_s` pass from the moment
    when something had taken the place to the first accepted task, 0 where all were accepted already, and to the
    first success.
    """

    calls_s: float
    replaced_s: float
    accepted_s: float
    worked_s: float

    @property
    def back_s(self) -> float:
        """Until calls are accepted and tasks succeed."""
        return max(self.accepted_s, self.worked_s)

    def __str__(self) -> str:
        return (
            f"no call accepted for {self.calls_s:.1f} s; replaced after {self.replaced_s:.1f} s; from then on"
            f" {self.accepted_s:.1f} s to the first accepted task, {self.worked_s:.1f} s to the first success"
        )


class FailingTasks:
    """Plays what `told` plays, and strikes."""

    def __init__(self, told: ToldTasks, plan: Plan, place: Place) -> None:
        self._told, self._plan, self._place = told, plan, place
        self._stroke: Stroke | None = None
        self.outage: Outage | None = None

    @property
    def stage(self) -> Stage:
        return self._told.stage

    @property
    def driver(self) -> Driver:
        return self._told.driver

    async def submit(self, numbers: Iterable[int], pace_s: float) -> None:
        await self._told.submit(numbers, pace_s)

    def beside(self) -> Iterable[Coroutine[Any, Any, None]]:
        return (*self._told.beside(), self._strike())

    async def _strike(self) -> None:
        while len(self.driver.accepted_at) < STRIKES_AFTER * self._plan.tasks:
            await asyncio.sleep(_LOOK_S)
        self._stroke = await self._place.strike()

    async def left(self, connection: asyncpg.Connection) -> int:
        """The stroke is something to do, too."""
        return 1 if self._stroke is None else await self._told.left(connection)

    async def after_storm(self) -> None:
        """What was learned of the limited account is forgotten first, so that it may have all of its seats."""
        async with Redis.from_url(self.stage.redis.url) as redis:
            await redis.flushall()
        await self._told.after_storm()

    async def audit(self, killer: Killer) -> Audit:
        self.outage = await self._measured()
        await asyncio.to_thread(self._place.collect, self.stage)
        if self._place.may_lose:
            return Audit((), losses_of(await gather(self.stage), self._told), ())
        return await self._told.audit(killer)

    async def _measured(self) -> Outage:
        stroke = self._stroke
        assert stroke is not None, "it was not struck"
        connection = await asyncpg.connect(self.stage.postgres.url)
        ended_at = (await connection.fetchval(_ENDED, stroke.replaced_at)).timestamp()
        await connection.close()
        times = sorted(self.driver.accepted_at[: self._plan.tasks])  # those of the calm come when all is over
        around = [at for at in times if stroke.struck_at - 1 < at < stroke.replaced_at + _AROUND_S]
        return Outage(
            calls_s=max((later - at for at, later in pairwise(around)), default=0.0),
            replaced_s=stroke.replaced_at - stroke.struck_at,
            accepted_s=next((at for at in times if at > stroke.replaced_at), stroke.replaced_at)
            - stroke.replaced_at,
            worked_s=ended_at - stroke.replaced_at,
        )

    def progress(self) -> str:
        return self._told.progress()


def suite_of(place: Place, plays: list[FailingTasks]) -> Suite:
    """A suite whose one play is added to `plays` when it is opened."""

    @asynccontextmanager
    async def on_stage(plan: Plan, guard: Guard) -> AsyncIterator[Play]:
        async with opened(plan, guard, Scene("tests.chaos.vendor", place.settings), place.lay_out) as told:
            play = FailingTasks(told, plan, place)
            plays.append(play)
            yield play

    return Suite("tests.chaos.failover", "Whether a failover loses nothing.", on_stage, sends_messages=True)
