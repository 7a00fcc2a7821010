"""A signal ends pauses and requests, whenever it comes."""

import asyncio
import time
from contextlib import suppress

import pytest

from genpulse.background.contained_tasks import ContainedTasks
from genpulse.lifecycle.attempt.interruption import Interruption, Signal, Stopped
from tests.lifecycle.conftest import two_at_once

LONG_S = 60.0


async def never() -> None:
    await asyncio.Event().wait()


async def test_a_pause_lasts_as_long_as_it_was_asked_to() -> None:
    began = time.monotonic()
    await Signal().pause(0.05)
    assert time.monotonic() - began >= 0.05


async def test_a_callback_ends_the_pause_that_goes_on_and_no_other() -> None:
    signal = Signal()
    pause = asyncio.create_task(signal.pause(LONG_S))
    await asyncio.sleep(0)
    signal.wake()
    signal.wake()
    await pause
    assert not signal.changed


async def test_a_callback_before_a_pause_lets_it_be_skipped_once() -> None:
    signal = Signal()
    signal.wake()
    await signal.pause(LONG_S)
    began = time.monotonic()
    await signal.pause(0.02)
    assert time.monotonic() - began >= 0.02


async def test_all_who_pause_are_woken() -> None:
    signal = Signal()
    pauses = [asyncio.create_task(signal.pause(LONG_S)) for _ in range(3)]
    await asyncio.sleep(0)
    signal.wake()
    await asyncio.gather(*pauses)


@pytest.mark.parametrize("seconds", [LONG_S, None])
async def test_an_interruption_ends_what_goes_on(seconds: float | None) -> None:
    signal = Signal()
    steps = [asyncio.create_task(signal.pause(LONG_S)), asyncio.create_task(signal.ask(never, seconds))]
    await asyncio.sleep(0)
    signal.interrupt(Interruption.RELEASED)
    signal.interrupt(Interruption.CANCELED)
    for step in steps:
        with pytest.raises(Stopped) as stopped:
            await step
        assert stopped.value.why is Interruption.RELEASED
    with pytest.raises(Stopped):
        await signal.pause(LONG_S)
    with pytest.raises(Stopped):
        await signal.ask(never, None)


async def test_a_request_without_an_answer_times_out() -> None:
    signal = Signal()
    with pytest.raises(TimeoutError):
        await signal.ask(never, 0.02)
    signal.check()


async def test_a_request_that_times_out_by_itself_is_no_interruption() -> None:
    async def late() -> None:
        raise TimeoutError("of its own")

    with pytest.raises(TimeoutError, match="of its own"):
        await Signal().ask(late, LONG_S)


async def test_an_interruption_may_come_while_a_request_times_out() -> None:
    """The request is being cancelled, and takes a moment for it."""
    signal, told = Signal(), asyncio.Event()

    async def slow_to_stop() -> None:
        try:
            await never()
        finally:
            told.set()
            await asyncio.sleep(0.01)

    asking = asyncio.create_task(signal.ask(slow_to_stop, 0.02))
    await told.wait()
    signal.interrupt(Interruption.CANCELED)
    with pytest.raises(Stopped):
        await asking


async def test_a_cancelled_run_is_not_taken_for_a_timeout() -> None:
    signal = Signal()
    steps = [asyncio.create_task(signal.pause(LONG_S)), asyncio.create_task(signal.ask(never, LONG_S))]
    await asyncio.sleep(0)
    signal.is_abandoned = True
    for step in steps:
        step.cancel()
        with pytest.raises(asyncio.CancelledError):
            await step


@pytest.mark.parametrize("how", ["in the same moment", "a moment later"])
async def test_whoever_ends_a_process_may_say_so_when_all_is_cancelled(how: str) -> None:
    signal = Signal()
    asking = asyncio.create_task(signal.ask(never, LONG_S))
    await asyncio.sleep(0)
    asking.cancel()
    if how == "a moment later":
        await asyncio.sleep(0)
    signal.abandon()
    with pytest.raises(asyncio.CancelledError):
        await asking


async def test_a_request_that_ends_as_cancelled_by_itself_is_an_error() -> None:
    async def cancelled() -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        future.cancel()
        await future

    with pytest.raises(RuntimeError, match="nobody had cancelled it"):
        await Signal().ask(cancelled, LONG_S)


async def careless() -> None:
    """Tries two things at once, of which one fails, and hangs."""
    await two_at_once()
    await never()


async def test_a_time_out_is_one_although_a_group_has_failed_meanwhile() -> None:
    signal = Signal()
    with pytest.raises(TimeoutError):
        await signal.ask(careless, 0.1)
    with pytest.raises(TimeoutError):
        await signal.ask(never, 0.02)


async def test_an_interruption_is_one_although_a_group_has_failed_meanwhile() -> None:
    signal = Signal()
    asking = asyncio.create_task(signal.ask(careless, None))
    await asyncio.sleep(0.1)
    signal.interrupt(Interruption.CANCELED)
    with pytest.raises(Stopped):
        await asking


async def test_an_interruption_counts_after_a_time_out_that_got_lost() -> None:
    signal, goes_on = Signal(ContainedTasks(again_s=0.1)), asyncio.Event()

    async def deaf() -> None:
        with suppress(asyncio.CancelledError):
            await never()
        goes_on.set()
        await never()

    asking = asyncio.create_task(signal.ask(deaf, 0.02))
    await goes_on.wait()
    assert signal.is_cut_off
    signal.interrupt(Interruption.DEADLINE)
    with pytest.raises(Stopped):
        await asking
    assert not signal.is_cut_off
    assert asking.cancelling() == 0


async def test_a_request_that_takes_its_cancellation_for_a_timeout_was_interrupted() -> None:
    signal = Signal()

    async def confused() -> None:
        try:
            await never()
        except asyncio.CancelledError:
            raise TimeoutError from None

    asking = asyncio.create_task(signal.ask(confused, LONG_S))
    await asyncio.sleep(0)
    signal.interrupt(Interruption.RELEASED)
    with pytest.raises(Stopped):
        await asking


async def test_an_answer_that_comes_with_the_interruption_is_taken() -> None:
    signal = Signal()
    answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def given() -> str:
        return await answer

    asking = asyncio.create_task(signal.ask(given, LONG_S))
    await asyncio.sleep(0)
    answer.set_result("paid for")
    signal.interrupt(Interruption.CANCELED)
    assert await asking == "paid for"


async def test_whoever_interrupts_himself_is_not_cancelled_after_his_answer() -> None:
    signal = Signal()

    async def interrupts() -> str:
        signal.interrupt(Interruption.CANCELED)
        return "done"

    assert await signal.ask(interrupts, LONG_S) == "done"
    await asyncio.sleep(0)
    await asyncio.sleep(0)
