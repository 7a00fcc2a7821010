"""Reasons to interrupt a running task, and the signal that carries them.

A run is a loop over steps. Between steps, and while it sleeps or asks, it looks at the signal; a step that holds
money does not, and is never cut off.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TypeVar

T = TypeVar("T")


class Interruption(Enum):
    """Somebody does not want the task any more, it took too long, or this worker goes away."""

    CANCELED = auto()
    DEADLINE = auto()
    RELEASED = auto()
    LEASE_LOST = auto()

    @property
    def for_good(self) -> bool:
        """Nobody will want the result: a job at a vendor may be stopped too."""
        return self in {Interruption.CANCELED, Interruption.DEADLINE}


class Stopped(Exception):
    """A step ended early, or was not begun, since the run is to stop."""

    def __init__(self, why: Interruption) -> None:
        super().__init__(why.name)
        self.why = why


@dataclass(slots=True)
class Signal:
    """Carries the first interruption to whoever looks; `why` may be read from any thread.

    `changed` is set when there is something to look at: an interruption, or news of the provider.
    """

    why: Interruption | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    _asking: asyncio.Timeout | None = None

    def give(self, why: Interruption) -> None:
        """Only the first one counts."""
        if self.why is not None:
            return
        self.why = why
        self.changed.set()
        if self._asking is not None:
            self._asking.reschedule(asyncio.get_running_loop().time())

    @property
    def given(self) -> bool:
        """Whether the work is to stop."""
        return self.why is not None

    def check(self) -> None:
        """Raises `Stopped` when the work is to stop."""
        if self.why is not None:
            raise Stopped(self.why)

    async def ask(self, request: Callable[[], Awaitable[T]], seconds: float | None) -> T:
        """The answer to something that may be given up at any moment.

        Raises `Stopped` when the work is to stop before it comes, `TimeoutError` after `seconds`.
        """
        self.check()
        scope = asyncio.timeout(seconds)
        try:
            async with scope:
                self._asking = scope
                return await request()
        except TimeoutError:
            if scope.expired():
                self.check()
            raise
        finally:
            self._asking = None

    async def pause(self, seconds: float) -> None:
        """Wait, but no longer than until the provider tells something. Raises `Stopped`."""
        self.check()
        try:
            async with asyncio.timeout(seconds):
                await self.changed.wait()
        except TimeoutError:
            return
        self.changed.clear()
        self.check()
