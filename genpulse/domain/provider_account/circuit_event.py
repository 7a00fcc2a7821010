"""What happened to the circuit of an account, for people who wonder why nothing was sent."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from genpulse.domain.provider_account.gate import Gate

KEPT = 50
"""So many of an account are kept, the newest."""


class CircuitChange(StrEnum):
    """OPENED: it is left alone. CLOSED: it answers again. HELD: it asked for a pause. LOWERED: it bears less."""

    OPENED = "opened"
    CLOSED = "closed"
    HELD = "held"
    LOWERED = "lowered"


@dataclass(frozen=True, slots=True)
class CircuitEvent:
    """A change and its reason, as `reason_of` tells it. `concurrency`: what it bears at once where LOWERED."""

    at: datetime
    change: CircuitChange
    reason: str = ""
    concurrency: int | None = None


def events_of(trips_before: int, after: Gate, moment: float, at: datetime) -> Iterator[CircuitEvent]:
    """What an operation has changed at a moment of the gate's clock, which is `at` for everybody else."""
    if after.trips > trips_before:
        yield CircuitEvent(at, CircuitChange.OPENED, after.reason)
    elif trips_before and not after.trips:
        yield CircuitEvent(at, CircuitChange.CLOSED)
    if after.held_by and after.held_since == moment:
        yield CircuitEvent(at, CircuitChange.HELD, after.held_by)
    if after.learned.most and after.learned.lowered_at == moment:
        yield CircuitEvent(at, CircuitChange.LOWERED, concurrency=after.learned.most)
