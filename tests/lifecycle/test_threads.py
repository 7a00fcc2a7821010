"""Local work in threads, and what else needs a thread."""

import threading

from genpulse.domain.task import TaskStatus
from genpulse.provider import Output, Result


async def test_a_stream_is_stored_while_painters_hold_their_threads(world):
    """It waited until they were done: 39 s for 30 tasks of 8 s on two processors."""
    began, free = threading.Semaphore(0), threading.Event()

    def paint():
        began.release()
        free.wait()
        return b"painted"

    async def run(call, report):
        return Result((Output(await call.in_thread(paint)),))

    world.painter.run = run
    async with world.worker():
        painted = [await world.submit("art/painter") for _ in range(30)]
        try:
            await world.ended(await world.submit("art/shop", kind="text-to-image"))
            began.acquire()
            ended = await world.ended(await world.submit("art/studio"))
            assert ended.status is TaskStatus.SUCCEEDED
            assert await world.content(ended.outputs[0]) == b"made by job-1"
            assert {(await world.services.store.get(task.id)).status for task in painted} == {TaskStatus.RUNNING}
        finally:
            free.set()
        for task in painted:
            assert await world.content((await world.ended(task)).outputs[0]) == b"painted"
