"""When an attempt came how far."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from genpulse.domain.value import value


@dataclass(frozen=True, slots=True)
class AttemptMoments:
    """The same as `AttemptTimes` as moments, none before the one above it. None: it did not come so far."""

    taken_at: datetime | None
    first_polled_at: datetime | None
    last_polled_at: datetime | None
    done_at: datetime | None
    collected_at: datetime | None
    stored_at: datetime | None


@value
class AttemptTimes:
    """How far an attempt came, in milliseconds after it began. None: not so far, or an earlier attempt did that.

    `taken_ms`: the provider has taken the order, and its job's id is kept. First and last polled: it has answered
    what became of the job, `polls` times. `done_ms`: the work is done, so that outputs can be had. `collected_ms`:
    they were received. `stored_ms`: they are stored. Its worker writes them down when the attempt ends: of a
    worker that was lost nobody knows them.
    """

    taken_ms: int | None = None
    first_polled_ms: int | None = None
    last_polled_ms: int | None = None
    done_ms: int | None = None
    collected_ms: int | None = None
    stored_ms: int | None = None
    polls: int = 0

    def moments(self, began_at: datetime, asked_at: datetime | None) -> AttemptMoments:
        """As moments of an attempt that `began_at`, and has ordered something at `asked_at`.

        The database says when it has; the worker's own clock begins some milliseconds later.
        """
        newest = began_at if asked_at is None else max(asked_at, began_at)
        moments: list[datetime | None] = []
        for after_ms in (
            self.taken_ms,
            self.first_polled_ms,
            self.last_polled_ms,
            self.done_ms,
            self.collected_ms,
            self.stored_ms,
        ):
            if after_ms is None:
                moments.append(None)
                continue
            newest = max(newest, began_at + timedelta(milliseconds=after_ms))
            moments.append(newest)
        return AttemptMoments(*moments)
