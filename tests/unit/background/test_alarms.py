"""Alarms ring once, never early, hardly late, and not at all when they are cancelled."""

import asyncio
import time

import pytest

from genpulse.background.alarms import Alarms


@pytest.mark.parametrize("seconds", [0.0, 0.001, 0.02, 0.3])
async def test_an_alarm_is_never_early(seconds: float) -> None:
    rung: asyncio.Future[float] = asyncio.get_running_loop().create_future()
    began = time.monotonic()
    Alarms().set(seconds, lambda future: future.set_result(time.monotonic()), rung)
    assert await rung - began >= seconds


class CountingLoop(asyncio.SelectorEventLoop):
    """Remembers when each of its timers is due."""

    def __init__(self) -> None:
        super().__init__()
        self.due: list[float] = []

    def call_at(self, when, *words, **options):
        """Note it, and do it."""
        self.due.append(when)
        return super().call_at(when, *words, **options)


def test_ten_thousand_alarms_within_a_second_have_a_few_timers() -> None:
    async def count() -> tuple[float, list[float]]:
        alarms, loop = Alarms(), asyncio.get_running_loop()
        began = loop.time()
        for number in range(10_000):
            alarms.set(10 + number / 10_000, print, "never")
        return began, loop.due

    with asyncio.Runner(loop_factory=CountingLoop) as runner:
        began, due = runner.run(count())
    assert len(due) < 100
    assert min(due) >= began + 10


async def test_a_cancelled_alarm_does_not_ring_and_one_that_rang_may_be_cancelled() -> None:
    alarms = Alarms()
    rung: list[str] = []
    done = asyncio.Event()
    first = alarms.set(0.02, rung.append, "cancelled")
    second = alarms.set(0.02, rung.append, "kept")
    alarms.set(0.05, lambda event: event.set(), done)
    first.cancel()
    await done.wait()
    second.cancel()
    assert rung == ["kept"]


async def test_an_alarm_may_set_and_cancel_others_while_it_rings() -> None:
    alarms = Alarms()
    rung: list[str] = []
    done = asyncio.Event()
    both: list = []

    def ring(name: str) -> None:
        rung.append(name)
        for other in both:
            other.cancel()
        alarms.set(0.001, lambda event: event.set(), done)

    both += [alarms.set(0.02, ring, "one"), alarms.set(0.02, ring, "other")]
    await done.wait()
    assert len(rung) == 1


async def test_an_alarm_that_raises_is_told_of_and_keeps_no_other_from_ringing() -> None:
    alarms, loop = Alarms(), asyncio.get_running_loop()
    told: list[BaseException] = []
    all_rung = asyncio.Event()
    rung: list[int] = []

    def ring(number: int) -> None:
        rung.append(number)
        if len(rung) == 5:
            all_rung.set()
        raise LookupError(number)

    loop.set_exception_handler(lambda _, context: told.append(context["exception"]))
    try:
        for number in range(5):
            alarms.set(0.02, ring, number)
        await all_rung.wait()
        await asyncio.sleep(0)
    finally:
        loop.set_exception_handler(None)
    assert sorted(rung) == [0, 1, 2, 3, 4]
    assert {error.args[0] for error in told} == set(rung)


async def test_no_time_is_too_long() -> None:
    Alarms().set(float("inf"), print, "never")
