"""A task that is followed from a command line."""

import asyncio

import pytest

from genpulse.cli.generate.command import _Order, _submitted
from genpulse_client import Task


class Endless:
    """An API whose task goes on."""

    def __init__(self):
        self.watched = asyncio.Event()

    async def submit(self, model, body, *, kind, run_at, metadata):
        return Task({"id": "0193a1b2-c3d4-7e5f-8a9b-000000000001", "model": model, "status": "running"})

    async def watch(self, task_id):
        self.watched.set()
        await asyncio.Event().wait()
        yield


async def test_whoever_presses_ctrl_c_is_told_where_the_task_is(capsys):
    api = Endless()
    order = _Order("art/easel", "text-to-image", "a fox", (), None, {})
    running = asyncio.create_task(_submitted(api, order, {}, "text-to-image"))
    async with asyncio.timeout(60):
        await api.watched.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    task = "0193a1b2-c3d4-7e5f-8a9b-000000000001"
    assert capsys.readouterr().err == f"Task {task} goes on. Its outputs: genpulse tasks save {task} -o PLACE\n"
