"""What ended in the last hour, minute by minute."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from genpulse.domain.task import TaskStatus
from genpulse.ports import EndedWork

MINUTES = 60
_MINUTE = timedelta(minutes=1)
_AT_ONCE = 20_000
_LOOK_S = 0.15
"""So long one look counts at most; what is left is counted by the next ones, the newest first."""


@dataclass(frozen=True, slots=True)
class Minute:
    """What ended in the minute that began at `start`. Not all of it is counted while it is not `whole`."""

    start: datetime
    succeeded: int
    failed: int
    canceled: int
    whole: bool

    @property
    def total(self) -> int:
        """All that ended."""
        return self.succeeded + self.failed + self.canceled

    @property
    def failure_rate(self) -> float:
        """The share that failed of what succeeded or failed, from 0 to 1."""
        tried = self.succeeded + self.failed
        return self.failed / tried if tried else 0.0


@dataclass(slots=True)
class _Counted:
    until: datetime
    counts: Counter[TaskStatus] = field(default_factory=Counter)


class Throughput:
    """Counts each minute once: what has ended and is settled never changes. `clock` counts seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._minutes: dict[datetime, _Counted] = {}
        self._looks = asyncio.Lock()

    async def look(self, ended: EndedWork) -> tuple[Minute, ...]:
        """The last sixty minutes, oldest first, as far as they are counted. Raises `DatabaseUnavailable`."""
        async with self._looks:
            settled = await ended.settled_until()
            newest = settled.replace(second=0, microsecond=0)
            starts = [newest - place * _MINUTE for place in range(MINUTES)]
            self._minutes = {start: self._minutes.get(start) or _Counted(start - _MICROSECOND) for start in starts}
            stop_at = self._clock() + _LOOK_S
            for start in starts:
                if not await self._count(ended, start, settled, stop_at):
                    break
            return tuple(self._minute(start) for start in reversed(starts))

    async def _count(self, ended: EndedWork, start: datetime, settled: datetime, stop_at: float) -> bool:
        """Count the rest of a minute; False where the time is over."""
        counted = self._minutes[start]
        end = min(start + _MINUTE - _MICROSECOND, settled)
        while counted.until < end:
            if self._clock() > stop_at:
                return False
            found = await ended.tasks(counted.until, end, _AT_ONCE)
            counted.until = found.until
            for row in found.rows:
                counted.counts[row.status] += row.count
        return True

    def _minute(self, start: datetime) -> Minute:
        counted = self._minutes[start]
        counts = counted.counts
        return Minute(
            start,
            counts[TaskStatus.SUCCEEDED],
            counts[TaskStatus.FAILED],
            counts[TaskStatus.CANCELED],
            whole=counted.until >= start + _MINUTE - _MICROSECOND,
        )


_MICROSECOND = timedelta(microseconds=1)
