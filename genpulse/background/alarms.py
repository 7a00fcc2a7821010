"""Alarms of a process: those of about the same time share one timer of the event loop."""

import asyncio
from collections.abc import Callable
from typing import Any, Generic, TypeVar

S = TypeVar("S")

_FINEST_MS = 1
_COARSEST_MS = 50
_SHARE = 20
"""An alarm is late by a twentieth of its time at most, and by `_COARSEST_MS` at most."""
_LONGEST_S = 366 * 86_400.0


class Alarm(Generic[S]):
    """Calls `act(subject)` once, unless it is cancelled before."""

    __slots__ = ("act", "slot", "subject")

    def __init__(self, act: Callable[[S], object], subject: S, slot: "set[Alarm[Any]]") -> None:
        self.act = act
        self.subject = subject
        self.slot = slot

    def cancel(self) -> None:
        """Do not ring; no matter if it has rung."""
        self.slot.discard(self)


class Alarms:
    """The alarms of one event loop.

    Thousands of jobs that each wait for their next poll need no timer each, and what is due within the same
    twentieth of a second is done together, while its code and its data are still in the processor's caches.
    """

    def __init__(self) -> None:
        self._slots: dict[int, set[Alarm[Any]]] = {}

    def set(self, seconds: float, act: Callable[[S], object], subject: S) -> Alarm[S]:
        """Ring in so many seconds, never earlier. `act` must not raise."""
        loop = asyncio.get_running_loop()
        seconds = min(seconds, _LONGEST_S)
        step_ms = min(max(int(seconds * 1000) // _SHARE, _FINEST_MS), _COARSEST_MS)
        due_ms = (int((loop.time() + seconds) * 1000) // step_ms + 1) * step_ms
        slot = self._slots.get(due_ms)
        if slot is None:
            slot = self._slots[due_ms] = set()
            loop.call_at(due_ms / 1000, self._ring, due_ms)
        alarm = Alarm(act, subject, slot)
        slot.add(alarm)
        return alarm

    def _ring(self, due_ms: int) -> None:
        _ring_all(self._slots.pop(due_ms))


def _ring_all(slot: set[Alarm[Any]]) -> None:
    """One whose `act` raises after all is the event loop's to tell of, and keeps no other from ringing."""
    try:
        while slot:
            alarm = slot.pop()
            alarm.act(alarm.subject)
    finally:
        if slot:
            asyncio.get_running_loop().call_soon(_ring_all, slot)
