"""Why a running task is asked to stop."""

import asyncio
from dataclasses import dataclass, field
from enum import Enum, auto


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


@dataclass(slots=True)
class Signal:
    """Carries the first interruption to whoever looks; may be read from any thread.

    `changed` is set when the provider has told that something has happened.
    """

    why: Interruption | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def pause(self, seconds: float) -> None:
        """Wait, but no longer than until the provider tells something."""
        try:
            async with asyncio.timeout(seconds):
                await self.changed.wait()
                self.changed.clear()
        except TimeoutError:
            return

    def give(self, why: Interruption) -> None:
        """Only the first one counts."""
        self.why = self.why or why

    @property
    def given(self) -> bool:
        """Whether the work is to stop."""
        return self.why is not None
