"""Cancellations whose place an error has taken."""

import asyncio


def end_if_cancelled() -> None:
    """Raises `CancelledError` where somebody wants this task to end. For whoever goes on after an error.

    What a cancelled task cleans up on its way out may fail. Then its error is raised in place of the cancellation,
    which asyncio does not repeat: whoever takes it for an error like any other goes on for ever.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
