"""Shapes that calls of a plug-in may have: groups, time-outs of its own, cancellations that get lost in them.

Each is drawn, and says in words what it does.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeVar

from genpulse.background.cancellations import end_tasks
from genpulse.background.contained_tasks import CUTS
from genpulse.domain.errors import ProviderRejected, ProviderUnavailable, StorageUnavailable, UnknownOutcome
from tests.lifecycle.conftest import two_at_once

T = TypeVar("T")

SHORT_S = 0.02


class Panic(BaseException):
    """As bindings to Rust raise it: no `Exception`."""


class Habit(Enum):
    """What a call does before it comes to its point."""

    GROUP = "two things at once, of which one fails"
    OWN_TIMEOUT = "a time-out of its own"
    CANCELS_ITSELF = "a cancellation of itself that it drops"
    STRAY = "a cancellation of itself that comes later"
    THREAD = "a thread"
    PAUSE = "a pause"


class Within(Enum):
    """Inside of what it comes to its point."""

    NOTHING = "nothing"
    GROUP = "a group of tasks"
    TIMEOUT = "a long time-out"
    WAIT_FOR = "wait_for"
    TASK = "a task of its own"
    SHIELD = "a shield"


class End(Enum):
    """How it ends."""

    RETURNS = "returns"
    UNAVAILABLE = "ProviderUnavailable"
    REJECTED = "ProviderRejected"
    UNKNOWN = "UnknownOutcome"
    STORAGE = "StorageUnavailable"
    CLOSED = "ConnectionResetError"
    MISTAKE = "ValueError"
    TIMEOUT = "TimeoutError"
    CANCELLED = "CancelledError"
    SEVERAL = "ExceptionGroup"
    PANIC = "Panic"
    EXIT = "SystemExit"


_ERRORS: dict[End, Callable[[], BaseException]] = {
    End.UNAVAILABLE: lambda: ProviderUnavailable("away"),
    End.REJECTED: lambda: ProviderRejected("no"),
    End.UNKNOWN: lambda: UnknownOutcome("who knows"),
    End.STORAGE: lambda: StorageUnavailable("away"),
    End.CLOSED: lambda: ConnectionResetError("closed"),
    End.MISTAKE: lambda: ValueError("a mistake"),
    End.TIMEOUT: lambda: TimeoutError("late"),
    End.CANCELLED: asyncio.CancelledError,
    End.SEVERAL: lambda: ExceptionGroup("several", [ConnectionResetError("closed"), ValueError("a mistake")]),
    End.PANIC: lambda: Panic("at the lock"),
    End.EXIT: lambda: SystemExit(2),
}


def error_of(end: End) -> BaseException:
    """What it is that a call ends by."""
    return _ERRORS[end]()


@dataclass(frozen=True)
class Hang:
    """It waits: for ever, or so many seconds. It loses so many cancellations, and then ends in its own way.

    `then` None: by the cancellation.
    """

    lasts_s: float | None = None
    loses: int = 0
    then: End | None = None

    def __str__(self) -> str:
        lasts = "for ever" if self.lasts_s is None else f"for {self.lasts_s} s"
        then = f", and when it is cancelled {self.then.value}" if self.then else ""
        return f"hangs {lasts}{f', loses {self.loses} cancellations' if self.loses else ''}{then}"


@dataclass(frozen=True)
class Shape:
    """What one call does."""

    habits: tuple[Habit, ...] = ()
    within: Within = Within.NOTHING
    hang: Hang | None = None
    end: End = End.RETURNS

    def __str__(self) -> str:
        parts = [habit.value for habit in self.habits]
        if self.within is not Within.NOTHING:
            parts.append(f"within {self.within.value}")
        if self.hang:
            parts.append(str(self.hang))
        return "; ".join((*parts, self.end.value))

    @property
    def hangs_for_ever(self) -> bool:
        return self.hang is not None and self.hang.lasts_s is None

    @property
    def may_be_deaf(self) -> bool:
        """Groups pass no second cancellation on to those in them that lost the first; habits lose one each."""
        loses = self.hang.loses if self.hang else 0
        return (self.within is Within.GROUP and loses > 0) or loses + len(self.habits) >= CUTS

    async def perform(self, answer: Callable[[], T]) -> T:
        """The answer, if it comes to that."""
        for habit in self.habits:
            await _HABITS[habit]()
        return await _WITHIN[self.within](lambda: self._point(answer))

    async def _point(self, answer: Callable[[], T]) -> T:
        if self.hang and (then := await _hung(self.hang)) not in {None, End.RETURNS}:
            raise error_of(then) from None
        if self.end is End.RETURNS or (self.hang and then is End.RETURNS):
            return answer()
        raise error_of(self.end)


PLAIN = Shape()


async def _hung(hang: Hang) -> End | None:
    """How the cancellation lets it end, None where it has waited to the end."""
    ends_at = float("inf") if hang.lasts_s is None else time.monotonic() + hang.lasts_s
    left = hang.loses
    while (left_s := ends_at - time.monotonic()) > 0:
        try:
            await asyncio.sleep(min(left_s, 3600))
        except asyncio.CancelledError:
            if left:
                left -= 1
                continue
            if hang.then is None:
                raise
            return hang.then
    return None


async def _own_timeout() -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(SHORT_S):
            await asyncio.sleep(3600)


async def _cancels_itself() -> None:
    task = asyncio.current_task()
    assert task is not None
    task.cancel()
    with suppress(asyncio.CancelledError):
        await asyncio.sleep(0)


async def _leaves_a_stray() -> None:
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().call_later(SHORT_S * 2, task.cancel)


_HABITS: dict[Habit, Callable[[], Awaitable[None]]] = {
    Habit.GROUP: two_at_once,
    Habit.OWN_TIMEOUT: _own_timeout,
    Habit.CANCELS_ITSELF: _cancels_itself,
    Habit.STRAY: _leaves_a_stray,
    Habit.THREAD: lambda: asyncio.to_thread(time.sleep, SHORT_S),
    Habit.PAUSE: lambda: asyncio.sleep(SHORT_S),
}


_begun: set[asyncio.Task[Any]] = set()


def _begin(point: Callable[[], Awaitable[T]], begin: Any = asyncio.create_task) -> "asyncio.Task[T]":
    task: asyncio.Task[T] = begin(point())
    _begun.add(task)
    return task


_left: list[Collection[asyncio.Task[Any]]] = []


def keep(left: Collection[asyncio.Task[Any]]) -> None:
    """What is left behind in a case is not to be collected as garbage while it goes on."""
    _left.append(left)


async def end_what_goes_on() -> None:
    """A shield lets it, and so does a group in which a cancellation was lost."""
    await end_tasks(*_begun)
    await end_tasks(*(task for left in _left for task in left))
    _begun.clear()
    _left.clear()


async def _in_group(point: Callable[[], Awaitable[T]]) -> T:
    async with asyncio.TaskGroup() as group:
        task = _begin(point, group.create_task)
    return task.result()


async def _in_timeout(point: Callable[[], Awaitable[T]]) -> T:
    async with asyncio.timeout(3600):
        return await point()


_WITHIN: dict[Within, Callable[[Any], Awaitable[Any]]] = {
    Within.NOTHING: lambda point: point(),
    Within.GROUP: _in_group,
    Within.TIMEOUT: _in_timeout,
    Within.WAIT_FOR: lambda point: asyncio.wait_for(_begin(point), 3600),
    Within.TASK: _begin,
    Within.SHIELD: lambda point: asyncio.shield(_begin(point)),
}

_WITHOUT_A_TASK = frozenset({Within.NOTHING, Within.TIMEOUT})
"""In a task that a plug-in begins itself, `SystemExit` ends the event loop and its worker: asyncio wants it so."""


def drawn(chance: random.Random) -> Shape:
    """Any shape, of which a third is plain."""
    if chance.random() < 1 / 3:
        return PLAIN
    habits = tuple(chance.sample(list(Habit), chance.choice((0, 0, 1, 1, 2))))
    within = chance.choice(list(Within))
    ends = [end for end in End if end is not End.EXIT or within in _WITHOUT_A_TASK]
    hang = None
    if chance.random() < 0.5:
        lasts_s = chance.choice((None, None, SHORT_S, 0.3))
        hang = Hang(lasts_s, chance.choice((0, 0, 1, 2)), chance.choice((None, *ends)))
    end = End.RETURNS if chance.random() < 0.5 else chance.choice(ends)
    return Shape(habits, within, hang, end)
