"""Cancellations that are lost on their way, and tasks that end nevertheless."""

import asyncio

AGAIN_S = 0.02


def cancellations() -> int:
    """How many are counted of this task by now.

    That proves no wish that it ends: `TaskGroup` of Python 3.11 and 3.12 leaves one where a child fails. One that
    is counted while something of ours goes on does prove it.
    """
    task = asyncio.current_task()
    return task.cancelling() if task is not None else 0


def heed_cancellation(before: int) -> None:
    """Raise the cancellation that a client may have lost while it wrote: one more than were counted before."""
    if cancellations() > before:
        raise asyncio.CancelledError


async def end_tasks(*tasks: asyncio.Task[None], again_s: float = AGAIN_S) -> None:
    """Cancel them every `again_s` seconds until they have ended: a cancellation may get lost in what they do.

    They have, too, where whoever ends them is cancelled meanwhile, which is heeded afterwards: one that went on
    would open a connection again that nobody closes.
    """
    cancellation: asyncio.CancelledError | None = None
    while pending := {task for task in tasks if not task.done()}:
        for task in pending:
            task.cancel()
        try:
            await asyncio.wait(pending, timeout=again_s)
        except asyncio.CancelledError as error:
            cancellation = error
    await asyncio.gather(*tasks, return_exceptions=True)
    if cancellation is not None:
        raise cancellation
