"""An attempt with a plug-in of drawn shapes, interrupted at a drawn moment, and the attempts that follow it."""

import asyncio
import random
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from genpulse.background.contained_tasks import ContainedTasks
from genpulse.background.loops import Loops
from genpulse.domain.attempt import Worker
from genpulse.domain.provider_account.bounds import Bounds
from genpulse.domain.task import Task, TaskStatus
from genpulse.lifecycle.attempt.interruption import Interruption
from genpulse.provider import Model, Provider
from genpulse.providers.catalog import LoadedCatalogue
from genpulse.worker.claiming import Claimer
from genpulse.worker.options import WorkerOptions
from tests.lifecycle.conftest import Words, World, memory_rows, opened_world
from tests.lifecycle.plug_in_shapes import PLAIN, End, Habit, Shape, Within, drawn, end_what_goes_on, keep
from tests.lifecycle.shaped_plug_in import CONTENT, ENGINES, STREAM, Shaped

ENDS_S = 60.0
"""So long an attempt may take at the most, where it needs a few seconds in peace."""
ATTEMPTS = 8
LASTING = WorkerOptions(concurrency=5, batch=1, lease_s=600.0)
BOUNDS = Bounds(
    missing_s=30.0,
    refused_s=30.0,
    unusable_s=30.0,
    question_wait_s=0.1,
    order_wait_s=0.1,
    stop_s=0.2,
    streams_s=0.4,
)
FINAL = frozenset({End.REJECTED, End.UNKNOWN})
"""Errors by which a plug-in says what became of a job that is to be collected."""
REFUSALS = frozenset({End.UNAVAILABLE, End.REJECTED, End.STORAGE})
EVENTS = (None, "cancel", "deadline", "release", "lost", "abandon")
BY_EVENT = {
    "cancel": Interruption.CANCELED,
    "deadline": Interruption.DEADLINE,
    "release": Interruption.RELEASED,
    "lost": Interruption.LEASE_LOST,
}


@dataclass(frozen=True)
class Case:
    """What is played. The event comes `after_s` seconds after the attempt began.

    `is_abandoned`: a moment later the worker gives it up.
    """

    engine: str
    shapes: tuple[tuple[str, Shape], ...]
    event: str | None
    after_s: float
    takes: bool
    is_abandoned: bool = False

    @property
    def has_to_succeed(self) -> bool:
        """Whether all that goes wrong with an order is asked for again within the first attempt."""
        asked = [shape for name, shape in self.shapes if name in {"collect", STREAM}]
        is_final = any({shape.end, shape.hang and shape.hang.then} & FINAL for shape in asked)
        is_left_alone = self.event is None and not self.is_abandoned
        return self.engine.endswith("jobs") and self.takes and is_left_alone and not is_final

    @property
    def runs_until_it_is_told(self) -> bool:
        """Whether nothing ends the first attempt but its event."""
        run = dict(self.shapes).get("run", PLAIN)
        return run.hangs_for_ever and Habit.STRAY not in run.habits

    def __str__(self) -> str:
        calls = "\n".join(f"    {name}: {shape}" for name, shape in self.shapes if shape is not PLAIN)
        abandoned = ", then abandoned" if self.is_abandoned else ""
        return f"{self.engine}, {self.event} after {self.after_s:.2f} s{abandoned}, takes: {self.takes}\n{calls}"


def drawn_case(chance: random.Random) -> Case:
    """One whose vendor takes no order that it answers with an error before it is cut off, or else all orders."""
    engine = chance.choice(list(ENGINES))
    names = (*ENGINES[engine][1], STREAM)
    shapes = {name: drawn(chance) for name in names}
    for name in ("submit", "generate"):
        if name in shapes and shapes[name].within is Within.SHIELD:
            shapes[name] = replace(shapes[name], within=Within.TASK)
        if name in shapes:
            shapes[name] = honest(shapes[name])
    event = chance.choice(EVENTS)
    if event is None and engine == "local" and any(shape.hangs_for_ever for shape in shapes.values()):
        event = "cancel"
    orders = next((shapes[name] for name in ("submit", "generate") if name in shapes), PLAIN)
    takes = orders.end not in REFUSALS
    after_s = chance.choice((0.0, 0.01, 0.1, 0.3, 0.6))
    return Case(engine, tuple(shapes.items()), event, after_s, takes, event == "abandon" or chance.random() < 0.1)


def honest(shape: Shape) -> Shape:
    """The same without a cancellation of its own for which it calls an order that was taken refused."""
    if shape.hang is None or shape.hang.then not in REFUSALS:
        return shape
    return replace(shape, habits=tuple(habit for habit in shape.habits if habit is not Habit.STRAY))


@dataclass
class Played:
    """A case, its world and what was found."""

    case: Case
    world: World
    shaped: Shaped

    def fault(self, text: str) -> None:
        self.shaped.faults.append(text)

    async def first(self, task) -> Claimer:
        claimer = await self.claimer("first")
        (claim,) = await self.world.services.store.claim(claimer._worker, "odd", [self.world.services.new_id()])
        claimer.running.start(claim)
        await asyncio.sleep(self.case.after_s)
        await self._befall(task, claimer)
        await self.ended(claimer, "the first attempt")
        return claimer

    async def _befall(self, task, claimer: Claimer) -> None:
        event, before = self.case.event, await self.world.services.store.get(task.id)
        if event == "cancel":
            await self.world.services.store.cancel(task.id)
        if event in BY_EVENT:
            claimer.running.interrupt_task(task.id, BY_EVENT[event])
            await asyncio.sleep(0.05 if self.case.is_abandoned else 0)
        if self.case.is_abandoned:
            before = await self.world.services.store.get(task.id)
            async with asyncio.timeout(ENDS_S):
                await claimer.running.abandon()
            now = await self.world.services.store.get(task.id)
            if now.status is not before.status:
                self.fault(f"an attempt that was abandoned has made its task {now.status}")
        elif self.case.runs_until_it_is_told and before.status is TaskStatus.RUNNING:
            await self.ended(claimer, "the first attempt")
            self._check_interrupted(await self.world.services.store.get(task.id))

    def _check_interrupted(self, task: Task) -> None:
        """Whatever the engine raised on its way out, it is no failure."""
        may_be = {"cancel": TaskStatus.CANCELED, "release": TaskStatus.QUEUED}.get(self.case.event or "")
        if may_be and (task.status not in {may_be, TaskStatus.SUCCEEDED} or task.failures):
            self.fault(f"{self.case.event} was told, and the task is {task.status} with {task.failures} failures")

    async def ended(self, claimer: Claimer, what: str) -> None:
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + ENDS_S
        while len(claimer.running) and loop.time() < ends_at:
            await asyncio.sleep(0.01)
        if len(claimer.running):
            self.fault(f"{what} does not end")
            await claimer.running.abandon()

    async def claimer(self, name: str) -> Claimer:
        services = self.world.services
        worker = Worker(services.new_id(), name, LASTING.lease_s)
        await services.store.renew(worker, services.now())
        return Claimer(services, LASTING, worker, services.loops)

    async def rest(self, task, last: Claimer) -> None:
        """Further attempts, of which the first follows a worker that was lost."""
        store, services = self.world.services.store, self.world.services
        self.shaped.is_plain = True
        for number in range(ATTEMPTS):
            now = await store.get(task.id)
            if now.status.ended:
                return
            claimer, ids = await self.claimer(f"w{number}"), [services.new_id()]
            if now.status is TaskStatus.RUNNING:
                if number:
                    self.fault("a later attempt has left its task running")
                await store.leave(last._worker)
                claims = await store.take_over(claimer._worker, ["odd"], ids)
            else:
                await asyncio.sleep(0.1)
                claims = await store.claim(claimer._worker, "odd", ids)
            for claim in claims:
                claimer.running.start(claim)
            await self.ended(claimer, f"attempt {number + 2}")
            last = claimer
        self.fault(f"after {ATTEMPTS} attempts the task has not ended")


async def play(case: Case, folder: Path) -> list[str]:
    """The faults, in words."""
    shaped = Shaped(dict(case.shapes), case.takes)
    async with memory_rows() as rows, opened_world(rows, folder) as world:
        engine = ENGINES[case.engine][0](shaped)
        provider = Provider("odd", (Model("m", ("text-to-image",), Words, engine),), paid=True)
        loops = Loops()
        world.services = replace(
            world.services,
            catalogue=LoadedCatalogue([provider]),
            bounds=BOUNDS,
            loops=loops,
            contained_tasks=ContainedTasks(again_s=0.1),
        )
        shaped.left_behind = world.services.contained_tasks.left
        keep(world.services.contained_tasks.left)
        played = Played(case, world, shaped)
        task = await world.submit("odd/m", kind="text-to-image")
        last = await played.first(task)
        await _check_first(played, task)
        await played.rest(task, last)
        await _check_end(played, task)
        if loops.failures:
            played.fault(f"failures of the worker: {loops.failures}")
        if shaped.left_behind and not any(shape.may_be_deaf for _, shape in case.shapes):
            played.fault("a call was left behind that would have ended")
    return shaped.faults


async def _check_first(played: Played, task) -> None:
    now, event = await played.world.services.store.get(task.id), played.case.event
    if played.case.is_abandoned:
        return
    if now.status is TaskStatus.RUNNING and event != "lost":
        played.fault("the first attempt has ended, and the task is running")
    if event == "cancel" and not now.status.ended and now.order is None:
        played.fault(f"the task was canceled, and is {now.status}")


async def _check_end(played: Played, task) -> None:
    ended, shaped, case = await played.world.services.store.get(task.id), played.shaped, played.case
    if case.engine != "local" and shaped.paid > 1:
        played.fault(f"{shaped.paid} orders were paid for")
    if ended.status is TaskStatus.SUCCEEDED:
        missing = [one for one in ended.warnings if one.code.value == "output_missing"]
        if case.has_to_succeed and (missing or ended.failures or ended.losses or ended.attempt > 1):
            played.fault(f"{len(missing)} missing, attempt {ended.attempt}, for what was asked for again")
        if not ended.outputs or len(ended.outputs) + len(missing) != 4:
            played.fault(f"a success with {len(ended.outputs)} outputs and {len(missing)} missing ones")
        for asset in ended.outputs:
            if await played.world.content(asset) != CONTENT[1:]:
                played.fault("an output is not what was made")
    elif case.has_to_succeed and shaped.answered:
        played.fault(f"all questions were answered at last, and the task {ended.status}: {ended.error}")
    elif case.engine == "immediate" and shaped.answered and case.event != "lost" and not case.is_abandoned:
        played.fault(f"a paid answer came, and the task {ended.status}: {ended.error}")


async def play_all(cases: Iterable[Case], folder: Path, *, at_once: int = 100) -> dict[Case, list[str]]:
    """The cases with faults, and these."""
    turns = asyncio.Semaphore(at_once)

    async def one(case: Case) -> tuple[Case, list[str]]:
        async with turns:
            return case, await play(case, folder)

    played = await asyncio.gather(*map(one, cases))
    await end_what_goes_on()
    return {case: faults for case, faults in played if faults}
