"""What goes wrong, and where."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum

from tests.crash_points.messages import writes
from tests.crash_points.proxy import Fate, Point, Statement
from tests.crash_points.stage import LEASE_S, Process

FROZEN_S = 2.2 * LEASE_S
READ_ONLY_S = 0.3
_CANCEL_S = 0.3


class Fault(StrEnum):
    """What happens at a point, before its statement reaches PostgreSQL or after PostgreSQL has done it."""

    BREAK_BEFORE = "break before"
    BREAK_AFTER = "break after"
    KILL_BEFORE = "kill before"
    KILL_AFTER = "kill after"
    STOP = "stop"
    FREEZE = "freeze"
    READ_ONLY = "read-only"
    CANCEL = "cancel"

    @property
    def loses_the_lease(self) -> bool:
        """Whether the work goes to another worker against this one's will."""
        return self in {Fault.KILL_BEFORE, Fault.KILL_AFTER, Fault.FREEZE}


@dataclass(frozen=True, slots=True)
class Injection:
    """One fault at one point."""

    point: Point
    fault: Fault

    def __str__(self) -> str:
        return f"{self.fault} @ {self.point}"


@dataclass
class Injector:
    """Watches one process's statements and does what was planned for it.

    `struck` is awaited after each fault, `cancel` cancels what was submitted.
    """

    injections: tuple[Injection, ...]
    struck: Callable[[Injection], Awaitable[None]]
    cancel: Callable[[], Awaitable[None]]
    process: Process | None = None
    fired: list[Injection] = field(default_factory=list)
    commits: list[Point] = field(default_factory=list)
    _read_only_until: float = 0.0

    async def before(self, statement: Statement) -> Fate:
        """Something may happen to it now."""
        fate = Fate.PASS
        for injection in self.injections:
            if injection.point == statement.point and injection not in self.fired:
                self.fired.append(injection)
                fate = await self._strike(injection)
        read_only = asyncio.get_running_loop().time() < self._read_only_until
        if fate is Fate.PASS and read_only and writes(statement.text):
            return Fate.READ_ONLY
        return fate

    async def _strike(self, injection: Injection) -> Fate:
        assert self.process is not None
        assert self.process.proxy is not None
        fate = Fate.PASS
        match injection.fault:
            case Fault.BREAK_BEFORE:
                fate = Fate.BREAK
            case Fault.BREAK_AFTER:
                fate = Fate.SWALLOW
            case Fault.KILL_BEFORE:
                self.process.kill()
                fate = Fate.BREAK
            case Fault.KILL_AFTER:
                return Fate.SWALLOW
            case Fault.STOP:
                self.process.stop.set()
            case Fault.FREEZE:
                self.process.proxy.freeze(FROZEN_S)
            case Fault.READ_ONLY:
                self._read_only_until = asyncio.get_running_loop().time() + READ_ONLY_S
            case Fault.CANCEL:
                canceling = asyncio.ensure_future(self.cancel())
                await asyncio.wait({canceling}, timeout=_CANCEL_S)
        await self.struck(injection)
        return fate

    async def after(self, statement: Statement) -> None:
        """A worker that dies here has done the statement and does not know it."""
        if statement.status == "I":
            self.commits.append(statement.point)
        for injection in self.fired:
            if injection.point == statement.point and injection.fault is Fault.KILL_AFTER:
                assert self.process is not None
                self.process.kill()
                await self.struck(injection)
