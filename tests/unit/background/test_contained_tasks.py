"""Work that may do anything, and of which only its answer or its error comes out."""

import asyncio
import logging
from contextlib import suppress

import pytest

from genpulse.background.cancellations import end_tasks
from genpulse.background.contained_tasks import CUTS, NOBODY, ContainedTasks
from tests.failing_group import failing_group

SOON_S = 0.02


class Panic(BaseException):
    """As bindings to Rust raise it."""


async def never():
    await asyncio.Event().wait()


async def losing(count, then=never):
    """Loses so many cancellations."""
    for _ in range(count):
        with suppress(asyncio.CancelledError):
            await never()
    return await then()


async def fails(error):
    raise error


async def answers():
    return 7


def begun(work, *, again_s=SOON_S):
    tasks = ContainedTasks(again_s=again_s)
    return tasks, tasks.begin(work)


async def cut_off(work, **how):
    tasks, task = begun(work, **how)
    asyncio.get_running_loop().call_later(SOON_S, task.expire)
    return tasks, task


async def test_its_answer_comes_out_and_so_does_its_error():
    _, task = begun(answers)
    assert await task.answer() == 7
    assert not task.is_cut_off
    _, task = begun(lambda: fails(ValueError("no")))
    with pytest.raises(ValueError, match="no"):
        await task.answer()


async def test_work_that_raises_before_it_waits_is_no_exception():
    def mistaken():
        raise ValueError("at once")

    _, task = begun(mistaken)
    with pytest.raises(ValueError, match="at once"):
        await task.answer()


async def test_a_panic_is_an_error_with_the_lines_that_led_to_it():
    _, task = begun(lambda: fails(Panic("at the lock")))
    with pytest.raises(RuntimeError, match="Panic: at the lock") as raised:
        await task.answer()
    assert "fails" in [line.name for line in raised.traceback]
    assert isinstance(raised.value.__cause__, Panic) or raised.value.__traceback__ is not None


def exits():
    raise SystemExit(2)


@pytest.mark.parametrize(
    "work", [lambda: fails(SystemExit(2)), exits, lambda: asyncio.to_thread(exits), lambda: fails(GeneratorExit())]
)
async def test_what_would_end_the_process_or_the_coroutine_is_an_error(work):
    _, task = begun(work)
    with pytest.raises(RuntimeError, match=r"SystemExit: 2|GeneratorExit"):
        await task.answer()


async def test_no_cancellation_of_its_own_making_comes_out():
    async def cancels_itself():
        asyncio.current_task().cancel()
        await never()

    for work in (cancels_itself, lambda: fails(asyncio.CancelledError())):
        _, task = begun(work)
        with pytest.raises(RuntimeError, match=NOBODY):
            await task.answer()
    assert asyncio.current_task().cancelling() == 0


async def test_what_it_counts_stays_inside():
    async def careless():
        with suppress(ExceptionGroup):
            await failing_group()
        return "done"

    _, task = begun(careless)
    assert await task.answer() == "done"
    assert asyncio.current_task().cancelling() == 0


@pytest.mark.parametrize(
    "error",
    [ValueError("closed"), asyncio.CancelledError(), Panic("at the lock"), SystemExit(2), GeneratorExit()],
)
async def test_what_is_cut_off_has_come_too_late_whatever_it_raises(error):
    async def clumsy():
        try:
            await never()
        except asyncio.CancelledError:
            raise error from None

    tasks, task = await cut_off(clumsy)
    with pytest.raises(TimeoutError, match="did not end in time"):
        await task.answer()
    assert task.is_cut_off
    assert not tasks.left


async def test_an_answer_that_is_there_when_it_is_cut_off_is_taken():
    answer = asyncio.get_running_loop().create_future()

    async def given():
        return await answer

    _, task = begun(given)
    await asyncio.sleep(0)
    answer.set_result("paid for")
    task.expire()
    assert await task.answer() == "paid for"


@pytest.mark.parametrize("lost", range(CUTS))
async def test_what_loses_a_cancellation_is_cut_off_again(lost):
    tasks, task = await cut_off(lambda: losing(lost))
    with pytest.raises(TimeoutError):
        await task.answer()
    assert not tasks.left


async def test_an_answer_that_comes_after_it_was_cut_off_is_taken():
    _, task = await cut_off(lambda: losing(1, answers))
    assert await task.answer() == 7


async def test_what_goes_on_nevertheless_is_left_behind_and_told_of_when_it_ends(caplog):
    caplog.set_level(logging.INFO)
    tasks, task = await cut_off(lambda: losing(CUTS + 1, answers))
    with pytest.raises(TimeoutError, match="is left behind"):
        await task.answer()
    assert len(tasks.left) == 1
    await end_tasks(*tasks.left)
    await asyncio.sleep(0)
    assert not tasks.left
    assert "answered, too late for its attempt" in caplog.text


async def test_a_group_in_which_a_cancellation_was_lost_is_left_behind():
    inside = []

    async def deaf():
        async with asyncio.TaskGroup() as group:
            inside.append(group.create_task(losing(1)))

    tasks, task = await cut_off(deaf)
    with pytest.raises(TimeoutError, match="is left behind"):
        await task.answer()
    await end_tasks(*inside)
    await asyncio.sleep(SOON_S)
    assert not tasks.left


async def cancelled(task, times):
    """Whoever waits for it is cancelled so often."""
    waiting = asyncio.create_task(task.answer())
    for _ in range(times):
        await asyncio.sleep(0.01)
        waiting.cancel()
    await asyncio.wait({waiting}, timeout=10)
    assert waiting.cancelled()


async def test_where_whoever_waits_is_cancelled_the_work_has_ended_before():
    ended = asyncio.Event()

    async def tidy():
        try:
            await never()
        finally:
            await asyncio.sleep(SOON_S)
            ended.set()

    _, task = begun(tidy, again_s=60)
    await cancelled(task, 1)
    assert ended.is_set()


async def test_each_cancellation_of_whoever_waits_reaches_the_work():
    tasks, task = begun(lambda: losing(3), again_s=60)
    await cancelled(task, 4)
    assert not tasks.left


async def test_a_cancellation_of_whoever_waits_reaches_what_was_cut_off_before():
    tasks, task = begun(lambda: losing(1), again_s=60)
    await asyncio.sleep(0)
    task.cut_off()
    await asyncio.sleep(0)
    await cancelled(task, 1)
    assert not tasks.left


async def test_whoever_is_cancelled_again_and_again_leaves_it_behind():
    tasks, task = begun(lambda: losing(20), again_s=60)
    await cancelled(task, 11)
    assert len(tasks.left) == 1
    await end_tasks(*tasks.left)


async def test_an_error_of_work_for_which_nobody_waits_any_more_is_not_called_forgotten(caplog):
    async def clumsy():
        try:
            await never()
        except asyncio.CancelledError:
            raise ValueError("closed") from None

    _, task = begun(clumsy)
    await cancelled(task, 1)
    del task
    await asyncio.sleep(0)
    assert "never retrieved" not in caplog.text
