"""Retrying a write until the store is available, where giving up would lose it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar
from uuid import UUID

from genpulse.domain.errors import GenPulseError, Unavailable
from genpulse.ports import Services

T = TypeVar("T")
Wait = Callable[[float], Awaitable[None]]
"""Waits so many seconds before the next try. What it raises ends the tries."""

_FIRST_S, _LONGEST_S = 0.2, 5.0
_LONGEST_AFTER_MISTAKE_S = 60.0


async def until_available(
    services: Services,
    what: str,
    task_id: UUID,
    act: Callable[[], Awaitable[T]],
    *,
    wait: Wait = asyncio.sleep,
) -> T:
    """The result of `act`, tried again with growing pauses until there is one.

    A service that is away is waited for. A mistake of ours, which is any error that is not one of the domain, is
    logged with its trace, counted in `services.loops`, and tried again more and more seldom, since what it
    concerns may be paid for. `what` ends in `%s` for the task's id. Refusals of the domain pass through.
    """
    part, pause_s, loops = "", _FIRST_S, services.loops
    try:
        while True:
            try:
                return await act()
            except Unavailable as error:
                part, longest_s = what % task_id, _LONGEST_S
                loops.outages.report(part, error)
            except GenPulseError:
                raise
            except Exception:  # noqa: BLE001 - whatever it is, what is paid for is not given up for it
                longest_s = _LONGEST_AFTER_MISTAKE_S
                loops.failed(what.removesuffix(" %s"))
            await wait(min(pause_s, longest_s) * (0.5 + services.random() / 2))
            pause_s = min(pause_s * 2, _LONGEST_AFTER_MISTAKE_S)
    finally:
        if part:
            loops.outages.end(part)
