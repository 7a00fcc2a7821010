"""What an attempt did when, as stretches of time."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from genpulse.domain.attempt import Attempt
from genpulse.domain.attempt_times import AttemptTimes


@dataclass(frozen=True, slots=True)
class Stretch:
    """What happened from one moment to another."""

    what: str
    since: datetime
    until: datetime


def stretches_of(attempt: Attempt, before: datetime, ends: datetime) -> Iterator[Stretch]:
    """What happened since `before`, when the attempt could have begun at the earliest, one after the other.

    The last stretch goes on until the attempt ended, or until `ends` where it runs.
    """
    started, finished = attempt.started_at, attempt.finished_at or ends
    newest = before
    for what, until in (("waited", started), *_steps(attempt, finished)):
        until = min(until, finished) if what != "waited" else until
        if until > newest:
            yield Stretch(what, newest, until)
            newest = until


def _steps(attempt: Attempt, finished: datetime) -> Iterator[tuple[str, datetime]]:
    """Steps with their ends, in their order. What was not done, or earlier, is left out."""
    asked = attempt.submitting_at
    if asked is not None:
        yield "prepared", asked
    if attempt.finished_at is None:
        yield "running", finished
    elif attempt.times is None:
        yield "unknown", finished
    else:
        yield from _timed(attempt, attempt.times, finished)


def _timed(attempt: Attempt, times: AttemptTimes, finished: datetime) -> Iterator[tuple[str, datetime]]:
    """Each step that was done, and the one in which the attempt has ended."""
    moments = times.moments(attempt.started_at, attempt.submitting_at)
    steps = (
        ("submitted", moments.taken_at),
        (_work(attempt, times), moments.done_at),
        ("collected", moments.collected_at),
        ("stored", moments.stored_at),
    )
    reached = [place for place, (_, at) in enumerate(steps) if at is not None]
    last = min(reached[-1] + 1, len(steps) - 1) if reached else 1
    yield from ((what, at) for what, at in steps[:last] if at is not None)
    yield steps[last][0], finished


def _work(attempt: Attempt, times: AttemptTimes) -> str:
    """How the work was waited for: a job is asked about, else there is one answer, or it was done here."""
    if attempt.job_id is not None or times.polls:
        return "polled"
    return "submitted" if attempt.submitting_at else "ran"
