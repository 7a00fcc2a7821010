"""Loops that go on."""

import asyncio
import logging

import pytest

from genpulse.background.loops import FAILING_S, Loops
from tests.failing_group import failing_group


async def run_for(loops: Loops, turn, seconds: float = 0.5, **options) -> None:
    task = asyncio.create_task(loops.forever("the test", turn, **options))
    await asyncio.sleep(seconds)
    assert not task.done()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_loop_goes_on_after_whatever_was_raised_and_counts_it(caplog):
    turns = 0

    async def turn():
        nonlocal turns
        turns += 1
        if turns <= 2:
            raise RuntimeError("a bug")

    loops = Loops()
    await run_for(loops, turn, 1.0, pause_s=0.01)
    assert turns > 3
    assert loops.failures == {"the test": 2}
    assert loops.failing == ("the test",)
    assert "a bug" in caplog.text
    assert "Traceback" in caplog.text


async def test_a_service_that_is_away_is_told_and_not_counted(caplog):
    async def turn():
        raise ConnectionError("nobody there")

    loops = Loops()
    with caplog.at_level(logging.WARNING):
        await run_for(loops, turn, away=(ConnectionError,))
    assert loops.failures == {}
    assert "the test has to wait: nobody there" in caplog.text
    assert "Traceback" not in caplog.text


async def test_pauses_grow_while_turns_fail():
    turns = 0

    async def turn():
        nonlocal turns
        turns += 1
        raise RuntimeError("always")

    await run_for(Loops(), turn, 1.0)
    assert turns in {2, 3}


def test_a_loop_that_failed_long_ago_is_well_again():
    now = 0.0
    loops = Loops(lambda: now)
    try:
        raise RuntimeError("once")
    except RuntimeError:
        loops.failed("the test")
    assert loops.failing == ("the test",)
    now = FAILING_S + 1
    assert loops.failing == ()
    assert loops.failures == {"the test": 1}


async def test_a_cancel_ends_a_loop_whose_turn_fails_on_its_way_out():
    began = asyncio.Event()

    async def turn():
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            raise RuntimeError("the connection was lost while it was given back")

    for away in ((), (RuntimeError,)):
        task = asyncio.create_task(Loops().forever("the test", turn, away=away))
        await began.wait()
        task.cancel()
        await asyncio.wait({task}, timeout=5)
        assert task.cancelled()
        began.clear()


async def test_a_loop_goes_on_after_what_a_turn_has_cancelled_in_itself(caplog):
    turns = 0

    async def turn():
        nonlocal turns
        turns += 1
        match turns:
            case 1:
                await failing_group()
            case 2:
                raise asyncio.CancelledError

    loops = Loops()
    await run_for(loops, turn, 1.0, pause_s=0.01)
    assert turns > 3
    assert loops.failures == {"the test": 2}
    assert "nobody had cancelled it" in caplog.text


async def test_each_cancel_reaches_the_turn_and_the_loop_waits_for_it():
    reached = []

    async def turn():
        for seconds in (60, 60, 0.1):
            try:
                await asyncio.sleep(seconds)
            except asyncio.CancelledError:
                reached.append(seconds)
        reached.append("done")

    task = asyncio.create_task(Loops().forever("the test", turn))
    for _ in range(2):
        await asyncio.sleep(0.01)
        task.cancel()
    await asyncio.wait({task}, timeout=5)
    assert task.cancelled()
    assert reached == [60, 60, "done"]
