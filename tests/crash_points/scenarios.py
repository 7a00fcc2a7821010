"""The stories of a task, each without any fault."""

import asyncio
from collections.abc import Awaitable, Callable

from genpulse.domain.errors import BudgetExceeded
from tests.crash_points.faults import Fault
from tests.crash_points.play import Play, Scenario, submit_through
from tests.crash_points.stage import Process, submit_one
from tests.crash_points.vendor import PRICE_USD, Manner

LONG = Manner(lasts_s=30.0)
REFUSED = Manner(refuses=1, lasts_s=30.0)
_NOT_CANCEL = tuple(fault for fault in Fault if fault is not Fault.CANCEL)
_OF_AN_API = tuple(fault for fault in _NOT_CANCEL if fault is not Fault.STOP)


def _run(model: str, tasks: int = 1) -> Callable[[Play], Awaitable[None]]:
    async def act(play: Play) -> None:
        for _ in range(tasks):
            await play.submit(model)
        play.start()

    return act


async def _chain(play: Play) -> None:
    """One task waits for another, and a third one for that."""
    source = await play.submit("find")
    source = await play.submit("local", source=source)
    await play.submit("local", source=source)
    play.start()


def _chain_of(model: str) -> Callable[[Play], Awaitable[None]]:
    async def act(play: Play) -> None:
        source = await play.submit(model)
        await play.submit(model, source=source)
        play.start()

    return act


async def _submit(play: Play) -> None:
    await submit_through(play, "find")
    await play.next()


def _cancel_at(phase: str, model: str) -> Callable[[Play], Awaitable[None]]:
    async def act(play: Play) -> None:
        await play.submit(model)
        play.start()
        await play.phase(phase)
        await play.cancel_through(play.under_test)

    return act


async def _cancel_waiting(play: Play) -> None:
    await play.submit("stop")
    play.start()
    await play.phase("refused")
    while await play.status() == "running":
        await asyncio.sleep(0.02)
    await play.cancel_through(play.under_test)


async def _cancel_queued(play: Play) -> None:
    await play.submit("helpful")
    await play.cancel_through(play.under_test)
    await play.next()


async def _cancel_released(play: Play) -> None:
    """A worker has given the task back with its job known; nobody runs it when it is canceled."""
    await play.submit("stop")
    await _begun_and(play, lose=False)
    await play.cancel_through(play.under_test)
    await play.next()


async def _begun_and(play: Play, *, lose: bool, phase: str = "running") -> None:
    """An earlier worker has brought the task so far, and is lost, or stops in order."""
    earlier = Process("earlier", play.lane.url, play.world)
    await earlier.open()
    earlier.start()
    await play.phase(phase)
    await asyncio.sleep(0.03 if phase == "running" else 0.0)
    if lose:
        earlier.kill()
        await earlier.bury()
        if await play.lane.uncertain(play.ids):
            play.was_uncertain = True
    else:
        await earlier.close()


def _take_over(model: str, phase: str) -> Callable[[Play], Awaitable[None]]:
    async def act(play: Play) -> None:
        await play.submit(model)
        await _begun_and(play, lose=True, phase=phase)
        play.start()

    return act


def _taken_up(model: str) -> Callable[[Play], Awaitable[None]]:
    async def act(play: Play) -> None:
        await play.submit(model)
        await _begun_and(play, lose=False)
        play.start()

    return act


def _stopped(model: str, phase: str) -> Callable[[Play], Awaitable[None]]:
    async def act(play: Play) -> None:
        await play.submit(model)
        play.start()
        await play.phase(phase)
        play.under_test.stop.set()
        await play.next()

    return act


def _deadline(model: str, deadline_s: float) -> Callable[[Play], Awaitable[None]]:
    async def act(play: Play) -> None:
        await play.submit(model, deadline_s=deadline_s)
        play.start()

    return act


async def _retention(play: Play) -> None:
    old = await play.submit("local")
    await play.submit("immediate")
    earlier = Process("earlier", play.lane.url, play.world)
    await earlier.open()
    earlier.start()
    while await play.lane.left():
        await asyncio.sleep(0.02)
    await earlier.close()
    await play.lane.age()
    play.removed = set(play.ids)
    play.ids.clear()
    assert old in play.removed
    await play.submit("local")
    play.start()


def _delete_at(phase: str | None, model: str) -> Callable[[Play], Awaitable[None]]:
    """Its task is deleted by the process under test once it is so far; None: before anybody has begun it."""

    async def act(play: Play) -> None:
        await play.submit(model)
        if phase is None:
            await play.delete_through(play.under_test)
            await play.next()
            return
        play.start()
        await play.phase(phase)
        await play.delete_through(play.under_test)

    return act


async def _delete_ended(play: Play) -> None:
    """Its task has ended, with bytes that another one has as well."""
    for _ in range(2):
        await play.submit("immediate")
    earlier = Process("earlier", play.lane.url, play.world)
    await earlier.open()
    earlier.start()
    while await play.lane.left():
        await asyncio.sleep(0.02)
    await earlier.close()
    kept = play.ids.pop()
    await play.delete_through(play.under_test)
    play.ids.append(kept)
    play.start()


async def _budget(play: Play) -> None:
    for _ in range(4):
        try:
            await submit_through_budget(play)
        except BudgetExceeded:
            break
    await play.next()


async def submit_through_budget(play: Play) -> None:
    """One order that costs something, through the process under test; a refusal is raised."""
    key = f"key-{len(play.ids)}"
    process = play.under_test
    with_key = lambda services: submit_one(services, "find", key=key)  # noqa: E731
    if not process.is_dead:
        await play.asked(process, lambda: with_key(process.services))
    play.ids.append(await with_key(play.harness.services))


CANCELED = frozenset({"canceled"})
MAY_BE_CANCELED = frozenset({"canceled", "succeeded"})
LATE = frozenset({"deadline_exceeded"})

SCENARIOS = (
    Scenario("submit", _submit, faults=_OF_AN_API),
    Scenario("local", _run("local")),
    Scenario("immediate", _run("immediate"), manner=Manner(lasts_s=0.3)),
    Scenario("job that can be found", _run("find")),
    Scenario("job that cannot be found", _run("blind")),
    Scenario("job that can be stopped", _run("stop")),
    Scenario("chain", _chain),
    Scenario("retry after a refusal", _run("blind"), manner=Manner(refuses=1)),
    Scenario("retry after a failed job", _run("find"), manner=Manner(fails=1)),
    Scenario("hop after a refusal", _run("blind,immediate"), manner=Manner(refuses=1)),
    Scenario("hops of three tasks through one seat", _run("find,helpful", 3), manner=Manner(refuses=1), seats=1),
    Scenario("hop after a failed job", _run("find,blind"), manner=Manner(fails=1)),
    Scenario("cancel at a hop", _cancel_at("refused", "stop,blind"), MAY_BE_CANCELED, REFUSED),
    Scenario("hop of a chain", _chain_of("find,helpful"), manner=Manner(refuses=1), faults=_NOT_CANCEL),
    Scenario("cancel while queued", _cancel_queued, CANCELED, faults=_OF_AN_API),
    Scenario("cancel while ordering", _cancel_at("ordering", "stop"), CANCELED, LONG),
    Scenario("cancel while running", _cancel_at("running", "helpful"), CANCELED, LONG),
    Scenario("cancel while collecting", _cancel_at("collecting", "stop"), MAY_BE_CANCELED, Manner(collect_s=0.2)),
    Scenario("cancel while failing", _cancel_at("refused", "stop"), CANCELED, REFUSED, retry_s=5.0),
    Scenario("cancel while waiting", _cancel_waiting, CANCELED, REFUSED, retry_s=5.0),
    Scenario("cancel of what was given back", _cancel_released, CANCELED, LONG, faults=_OF_AN_API),
    Scenario("deadline", _deadline("stop", 0.4), LATE, LONG),
    Scenario("take-over of a job", _take_over("blind", "running"), manner=Manner(lasts_s=1.5)),
    Scenario("take-over of an order", _take_over("find", "ordering"), manner=Manner(lasts_s=1.5)),
    Scenario("job taken up after a restart", _taken_up("blind"), manner=Manner(lasts_s=0.6)),
    Scenario("restart with a job", _stopped("blind", "running"), manner=Manner(lasts_s=0.4)),
    Scenario("restart while ordering", _stopped("blind", "ordering"), manner=Manner(travels_s=0.1)),
    Scenario("restart with a request", _stopped("immediate", "ordering"), manner=Manner(lasts_s=0.5)),
    Scenario("delivery", _run("local"), refused_webhooks=1),
    Scenario("retention", _retention, gone=True, prune_every_s=0.2),
    Scenario("delete what has ended", _delete_ended, gone=True, erase_every_s=0.1),
    Scenario("delete while queued", _delete_at(None, "helpful"), gone=True, erase_every_s=0.1, faults=_OF_AN_API),
    Scenario("delete while ordering", _delete_at("ordering", "stop"), manner=LONG, gone=True, erase_every_s=0.1),
    Scenario("delete while running", _delete_at("running", "helpful"), manner=LONG, gone=True, erase_every_s=0.1),
    Scenario(
        "delete while collecting",
        _delete_at("collecting", "find"),
        manner=Manner(collect_s=0.2),
        gone=True,
        erase_every_s=0.1,
    ),
    Scenario("budget", _budget, daily_usd=3 * PRICE_USD, faults=_OF_AN_API),
    Scenario("three tasks through one seat", _run("find", 3), seats=1),
)


def named(name: str) -> Scenario:
    """The scenario of that name."""
    return next(scenario for scenario in SCENARIOS if scenario.name == name)
