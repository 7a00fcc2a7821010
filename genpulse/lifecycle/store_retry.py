"""Retrying a write until the store is available, where giving up would lose it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar
from uuid import UUID

from genpulse.background.loops import Loops
from genpulse.domain.errors import GenPulseError, Unavailable

T = TypeVar("T")
Wait = Callable[[float, str], Awaitable[None]]
"""Waits so many seconds, and is told why. What it raises ends the patience."""

_FIRST_S, _LONGEST_S = 0.2, 5.0
_LONGEST_AFTER_MISTAKE_S = 60.0


async def until_available(
    what: str,
    task_id: UUID,
    act: Callable[[], Awaitable[T]],
    *,
    random: Callable[[], float],
    loops: Loops,
    wait: Wait | None = None,
) -> T:
    """The result of `act`, tried again with growing pauses until there is one.

    A service that is away is waited for; a mistake of ours, which is any error that is not one of the domain, is
    told with its trace, counted in `loops`, and tried again more and more seldom, since what it concerns may be
    paid for. `what` ends in `%s` for the task's id. Refusals of the domain pass through.
    """
    part, pause_s = what % task_id, _FIRST_S
    try:
        while True:
            try:
                return await act()
            except Unavailable as error:
                why, longest_s = str(error), _LONGEST_S
                loops.outages.notice(part, error)
            except GenPulseError:
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, what is paid for is not given up for it
                why, longest_s = type(error).__name__, _LONGEST_AFTER_MISTAKE_S
                loops.failed(what.removesuffix(" %s"))
            seconds = min(pause_s, longest_s) * (0.5 + random() / 2)
            await (wait or _sleep)(seconds, why)
            pause_s = min(pause_s * 2, _LONGEST_AFTER_MISTAKE_S)
    finally:
        loops.outages.end(part)


async def _sleep(seconds: float, _why: str) -> None:
    await asyncio.sleep(seconds)
