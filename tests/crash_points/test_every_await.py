"""A run that is interrupted at its n-th await, for every n: the vendor's books are asked afterwards."""

import asyncio
import contextvars
import itertools
from collections.abc import Callable, Coroutine, Generator
from dataclasses import dataclass
from typing import Any

import pytest

from genpulse.domain.failure import Charged
from genpulse.domain.task import TaskStatus
from genpulse.lifecycle.attempt.interruption import Interruption
from genpulse.lifecycle.attempt.run import run_attempt
from tests.crash_points.memory_stage import memory_stage
from tests.crash_points.vendor import Books, Manner, content_of

QUICK = Manner(travels_s=0.002, lasts_s=0.03, collect_s=0.002)
LONG = Manner(travels_s=0.002, lasts_s=60.0, collect_s=0.002)
LONG_AWAITS = 40
"""A job that does not end makes awaits for ever: the first of them are tried."""
AT_ONCE = 8
ENDS_WITHIN_S = 60.0
SHAPES = ("local", "immediate", "blind", "find", "stop", "helpful")
_CANNOT_LOOK_UP = {"immediate", "blind", "stop"}
_CAN_STOP = {"stop", "helpful"}


@dataclass
class Steps:
    """Counts the awaits of a run and of all that it starts, and does something at one of them."""

    at: int
    act: Callable[[], None]
    taken: int = 0

    def count(self) -> None:
        self.taken += 1
        if self.taken == self.at:
            self.act()


_STEPS: contextvars.ContextVar[Steps | None] = contextvars.ContextVar("steps", default=None)


class _Stepped:
    """A coroutine each of whose suspensions is counted."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any], steps: Steps) -> None:
        self._coroutine = coroutine
        self._steps = steps

    def __await__(self) -> Generator[Any, Any, Any]:
        error: BaseException | None = None
        while True:
            try:
                waited_for = self._coroutine.throw(error) if error else self._coroutine.send(None)
            except StopIteration as end:
                return end.value
            self._steps.count()
            error = None
            try:
                yield waited_for
            except BaseException as thrown:  # noqa: BLE001 - handed on to the coroutine
                error = thrown


async def _stepped(coroutine: Coroutine[Any, Any, Any], steps: Steps) -> Any:
    return await _Stepped(coroutine, steps)


def _count_steps(loop, coroutine, context=None):
    steps = context.get(_STEPS) if context is not None else _STEPS.get()
    return asyncio.Task(_stepped(coroutine, steps) if steps else coroutine, loop=loop, context=context)


@dataclass(frozen=True)
class Trial:
    """What became of a run that was to be interrupted at its `at`-th await."""

    at: int
    was_reached: bool
    broken: tuple[str, ...]


async def _trial(model: str, why: Interruption, manner: Manner, at: int, folder) -> Trial:
    books = Books(manner)
    stage = memory_stage(books, folder)
    task_id, run = await stage.begin(model)

    def interrupt() -> None:
        if why is Interruption.CANCELED:
            stage.cancel_now(task_id)
        run.interrupt(why)

    steps = Steps(at, interrupt)
    context = contextvars.copy_context()
    context.run(_STEPS.set, steps)
    working = asyncio.get_running_loop().create_task(run_attempt(run), context=context)
    broken = []
    done, _ = await asyncio.wait({working}, timeout=ENDS_WITHIN_S)
    if not done:
        broken.append("the run did not end")
        working.cancel()
    elif (error := working.exception()) is not None:
        broken.append(f"the run raised {error!r}")
    known = [order for order in books.orders if order.answered_at is not None]
    async with stage.successor():
        task = await _ended(stage, task_id)
    broken += _judged(model, why, books, task, known)
    if task.status is TaskStatus.SUCCEEDED:
        content = task.outputs[0].content
        chunks = [chunk async for chunk in stage.services.storage.read(content.key, 0, content.size)]
        if b"".join(chunks) != content_of(task_id):
            broken.append("the bytes of the output are wrong")
    await stage.world.storage.close()
    return Trial(at, steps.taken >= at, tuple(broken))


async def _ended(stage, task_id):
    for _ in range(int(ENDS_WITHIN_S / 0.02)):
        task = await stage.services.store.get(task_id)
        if task.status.ended:
            break
        await asyncio.sleep(0.02)
    return task


def _judged(model, why, books, task, known):
    """Known are the orders that the vendor had answered when the run was over."""
    orders = books.of(task.id)
    end = task.error.code.value if task.status is TaskStatus.FAILED else task.status.value
    if len(orders) > 1:
        yield f"ordered {len(orders)} times"
    if end not in _allowed(model, why):
        yield f"ended as {end}, not as {' or '.join(sorted(_allowed(model, why)))}"
    if task.error and task.error.charged is Charged.NO and orders:
        yield "charged says no, and the vendor has an order"
    if end == "canceled" and task.order and (task.error is None or task.error.charged is not Charged.MAYBE):
        yield "canceled with an order that may be charged, and not a word of it"
    if model in _CAN_STOP and end in {"canceled", "deadline_exceeded"}:
        for order in known:
            if order.done_at > task.finished_at.timestamp() + 0.1 and order.canceled_at is None:
                yield "the vendor was not told to stop"


def _allowed(model, why):
    match why:
        case Interruption.CANCELED:
            return {"canceled", "succeeded"}
        case Interruption.DEADLINE:
            return {"deadline_exceeded", "succeeded"}
        case Interruption.LEASE_LOST if model in _CANNOT_LOOK_UP:
            return {"succeeded", "unknown_outcome"}
        case _:
            return {"succeeded"}


async def _trials(model: str, why: Interruption, manner: Manner, last: int | None, folder) -> list[Trial]:
    """One trial after the other, some at once, until a run is over before its n-th await."""
    loop = asyncio.get_running_loop()
    loop.set_task_factory(_count_steps)
    numbers, trials = itertools.count(1), []

    async def play() -> None:
        for at in numbers:
            if last is not None and at > last:
                return
            trial = await _trial(model, why, manner, at, folder)
            trials.append(trial)
            if not trial.was_reached:
                return

    await asyncio.gather(*(play() for _ in range(AT_ONCE)))
    loop.set_task_factory(None)
    return sorted(trials, key=lambda trial: trial.at)


def _told(trials: list[Trial]) -> str:
    return "\n".join(f"await {trial.at}: {'; '.join(trial.broken)}" for trial in trials if trial.broken)


@pytest.mark.parametrize("why", list(Interruption), ids=lambda why: why.name.lower())
@pytest.mark.parametrize("model", SHAPES)
async def test_a_run_may_be_interrupted_at_every_await(model, why, tmp_path):
    trials = await _trials(model, why, QUICK, None, tmp_path)
    reached = [trial for trial in trials if trial.was_reached]
    print(f"{model}, {why.name.lower()}: {len(reached)} awaits")
    assert not _told(trials), _told(trials)
    assert len(reached) >= 5


@pytest.mark.parametrize("why", [why for why in Interruption if why.for_good], ids=lambda why: why.name.lower())
@pytest.mark.parametrize("model", ["stop", "helpful"])
async def test_a_job_that_nobody_wants_any_more_is_stopped_wherever_the_run_is(model, why, tmp_path):
    trials = await _trials(model, why, LONG, LONG_AWAITS, tmp_path)
    assert not _told(trials), _told(trials)
    assert all(trial.was_reached for trial in trials)
