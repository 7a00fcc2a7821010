"""Doing something until it works, because giving up would lose what cannot be had again."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar
from uuid import UUID

from genpulse.domain.errors import Unavailable

T = TypeVar("T")

_log = logging.getLogger(__name__)
_FIRST_S, _LONGEST_S = 0.2, 5.0


async def patiently(
    what: str, task_id: UUID, act: Callable[[], Awaitable[T]], *, random: Callable[[], float]
) -> T:
    """The result of `act`, tried again with growing pauses for as long as a service is away.

    `what` holds `%s` for the task's id. Cancelling ends it. Errors that do not mean "away" pass through.
    """
    pause_s = _FIRST_S
    while True:
        try:
            return await act()
        except Unavailable as error:
            _log.warning(f"{what} has to wait: %s", task_id, error)
        await asyncio.sleep(pause_s * (0.5 + random() / 2))
        pause_s = min(pause_s * 2, _LONGEST_S)
