"""Two things at once, of which one fails: Python 3.11 and 3.12 leave the task counted as being cancelled."""

import asyncio


async def failing_group() -> None:
    """Raises an `ExceptionGroup`."""
    async with asyncio.TaskGroup() as group:
        group.create_task(asyncio.sleep(60))
        group.create_task(_failing())


async def _failing() -> None:
    await asyncio.sleep(0.01)
    raise ConnectionResetError("the line broke")
