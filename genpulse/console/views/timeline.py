"""The attempts of a task as bars on one line of time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from genpulse.console.views.attempt_bars import stretches_of
from genpulse.domain.attempt import Attempt, AttemptStatus
from genpulse.domain.task import Task

WIDTH = 1000
_LEAST = 3
_SHORTEST = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class TimelineBar:
    """A stretch of time: `x` and `width` are of 1000. `what` is what happened then, for `took_s` seconds."""

    x: int
    width: int
    what: str
    took_s: float


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """An attempt with its bars, one after the other: what it `waited` for before, and its steps."""

    attempt: Attempt
    bars: tuple[TimelineBar, ...]
    took_s: float

    @property
    def polls(self) -> int:
        """How often the provider has answered what became of the job, as far as that is known."""
        return self.attempt.times.polls if self.attempt.times else 0

    @property
    def is_cut(self) -> bool:
        """Whether it ended in the midst of its last step."""
        return self.attempt.finished_at is not None and self.attempt.status is not AttemptStatus.SUCCEEDED


@dataclass(frozen=True, slots=True)
class Timeline:
    """The rows from `begins` to `ends`."""

    begins: datetime
    ends: datetime
    rows: tuple[AttemptRow, ...]
    waits: TimelineBar | None

    @property
    def took_s(self) -> float:
        """All of it, in seconds."""
        return (self.ends - self.begins).total_seconds()


def timeline_of(task: Task, attempts: Sequence[Attempt], now: datetime) -> Timeline:
    """From when the task came to its end, or to now. A task without attempts has one bar in which it waits."""
    moments = [one for attempt in attempts for one in (attempt.started_at, attempt.finished_at) if one]
    begins = min([task.created_at, *moments])
    ends = max([task.finished_at or now, begins + _SHORTEST, *moments])
    befores = [begins, *((before.finished_at or before.started_at) for before, _ in pairwise(attempts))]
    rows = tuple(_row(attempt, before, begins, ends) for attempt, before in zip(attempts, befores, strict=False))
    return Timeline(begins, ends, rows, None if attempts else _bar("waited", begins, ends, begins, ends))


def _row(attempt: Attempt, before: datetime, begins: datetime, ends: datetime) -> AttemptRow:
    stretches = stretches_of(attempt, before, ends)
    bars = tuple(_bar(one.what, one.since, one.until, begins, ends) for one in stretches)
    return AttemptRow(attempt, bars, ((attempt.finished_at or ends) - attempt.started_at).total_seconds())


def _bar(what: str, since: datetime, until: datetime, begins: datetime, ends: datetime) -> TimelineBar:
    whole = ends - begins
    x = round((since - begins) / whole * WIDTH)
    width = max(_LEAST, round((until - since) / whole * WIDTH))
    return TimelineBar(min(x, WIDTH - width), width, what, (until - since).total_seconds())
