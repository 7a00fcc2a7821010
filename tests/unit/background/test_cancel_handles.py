"""Work that ends early, and nothing of it outside."""

import asyncio

import pytest

from genpulse.background.cancel_handles import CancelHandle
from tests.failing_group import failing_group


async def soon(handle):
    asyncio.get_running_loop().call_later(0.01, handle)


async def test_a_body_that_is_cut_off_leaves_nothing_behind():
    handle = CancelHandle()
    await soon(handle)
    came_through = False
    with handle:
        await asyncio.sleep(60)
        came_through = True
    assert not came_through
    assert asyncio.current_task().cancelling() == 0


async def test_a_call_after_the_body_cuts_nothing_off():
    handle = CancelHandle()
    with handle:
        pass
    handle()
    await asyncio.sleep(0)
    assert asyncio.current_task().cancelling() == 0


async def clumsy():
    try:
        await asyncio.sleep(60)
    finally:
        raise RuntimeError


async def test_what_the_body_raises_on_its_way_out_passes():
    handle = CancelHandle()
    await soon(handle)
    with pytest.raises(RuntimeError), handle:
        await clumsy()


async def test_it_holds_in_a_task_that_is_counted_as_being_cancelled():
    """As Python 3.11 and 3.12 leave one in which a group has failed."""
    with pytest.raises(ExceptionGroup):
        await failing_group()
    handle = CancelHandle()
    await soon(handle)
    came_through = False
    with handle:
        await asyncio.sleep(60)
        came_through = True
    assert not came_through


async def test_a_cancellation_by_others_is_theirs():
    handle = CancelHandle()

    async def work():
        with handle:
            await asyncio.sleep(60)

    task = asyncio.create_task(work())
    await asyncio.sleep(0.01)
    handle()
    task.cancel()
    await asyncio.wait({task}, timeout=5)
    assert task.cancelled()
