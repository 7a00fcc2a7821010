"""What each task meets. Drawn from the seed and the task's number, so that a run can be replayed.

With a negative seed vendors are well: no order meets anything.
"""

import random
from enum import StrEnum

from tests.chaos.odd import ODD, Odd
from tests.chaos.shape import Shape

CALM = 1_000_000
"""Tasks from this number on meet nothing: they are submitted when the storm is over."""
UNTIL_STOPPED_S = 3600.0
CALM_S = 0.5


class Fault(StrEnum):
    """What the vendor does to a task's order."""

    NONE = "nothing"
    LOST = "takes the order, drops the connection"
    HANG = "takes the order, never answers"
    BROKEN = "takes the order, answers 500"
    GARBLED = "takes the order, answers JSON that is cut off"
    CUT = "takes the order, closes in the middle of the answer"
    FULL = "refuses: 503, not accepted"
    BUSY = "refuses: 429 with Retry-After"
    ODD_BUSY = "refuses: 503, not accepted, in bytes that are no text"
    ODD_REFUSED = "refuses for good: 400 in bytes that are no text"
    SLOW = "answers a piece at a time"
    POLL_DROPPED = "drops two polls"
    POLL_GARBLED = "answers two polls with a page of HTML"
    POLL_BROKEN = "answers two polls with 500 in bytes that are no text"
    POLL_BUSY = "answers a poll with 429 and Retry-After"
    OUTPUT_DROPPED = "breaks the first download off"
    FAILED = "the job fails"
    ODD_FAILED = "the job fails, for a reason that is no text"


TAKES_AND_IS_SILENT = frozenset({Fault.LOST, Fault.HANG, Fault.BROKEN, Fault.GARBLED, Fault.CUT})
"""Faults after which nobody but the vendor knows that there is an order."""
REFUSES_ONCE = frozenset({Fault.FULL, Fault.BUSY, Fault.ODD_BUSY})
FAILS = frozenset({Fault.FAILED, Fault.ODD_FAILED})

_WEIGHTS = {
    Fault.NONE: 60,
    Fault.LOST: 4,
    Fault.HANG: 1,
    Fault.BROKEN: 3,
    Fault.GARBLED: 2,
    Fault.CUT: 2,
    Fault.FULL: 4,
    Fault.BUSY: 3,
    Fault.ODD_BUSY: 2,
    Fault.ODD_REFUSED: 2,
    Fault.SLOW: 3,
    Fault.POLL_DROPPED: 3,
    Fault.POLL_GARBLED: 3,
    Fault.POLL_BROKEN: 2,
    Fault.POLL_BUSY: 2,
    Fault.OUTPUT_DROPPED: 4,
    Fault.FAILED: 3,
    Fault.ODD_FAILED: 2,
}
_ODD_SHARE = {Shape.IMMEDIATE: 0.3, Shape.LOCAL: 0.0}
"""So that a third of all tasks meets an odd answer, together with those of other shapes."""
_ODD = 0.4
_SHAPES = {Shape.FINDABLE: 40, Shape.BLIND: 25, Shape.IMMEDIATE: 20, Shape.NARROW: 5, Shape.LOCAL: 10}


def _draw(seed: int, number: int, what: str) -> random.Random:
    return random.Random(f"{seed}:{number}:{what}")


def shape_of(seed: int, number: int) -> Shape:
    """The model of this task."""
    if number >= CALM:
        return Shape.NARROW if number % 2 else Shape.LOCAL
    return _draw(seed, number, "shape").choices(list(_SHAPES), list(_SHAPES.values()))[0]


def odd_of(seed: int, number: int) -> Odd | None:
    """The answer of vendors in the world that this task meets: a third of the tasks meets one."""
    shape, draw = shape_of(seed, number), _draw(seed, number, "odd")
    if number >= CALM or seed < 0 or draw.random() >= _ODD_SHARE.get(shape, _ODD):
        return None
    return draw.choice([odd for odd in ODD.values() if odd.suits(shape)])


def fault_of(seed: int, number: int) -> Fault:
    """What goes wrong with this task's order; nothing where it meets an odd answer."""
    if number >= CALM or seed < 0 or not shape_of(seed, number).is_paid or odd_of(seed, number) is not None:
        return Fault.NONE
    return _draw(seed, number, "fault").choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]


def lasts_s(seed: int, number: int) -> float:
    """How long its job takes, in seconds: most end at once, some late, and some only when they are stopped."""
    shape, draw = shape_of(seed, number), _draw(seed, number, "time")
    if number >= CALM:
        return CALM_S if shape.is_paid else 0.0
    if shape is Shape.NARROW:
        return draw.choice((0.1, 0.3, 0.5))
    if shape.is_polled and canceled_after_s(seed, number) is not None and draw.random() < 0.5:
        return UNTIL_STOPPED_S
    return draw.choice((0.0, 0.0, 0.5, 1.0, 2.0, 6.0) if shape.is_polled else (0.0, 0.2, 1.0, 3.0))


def canceled_after_s(seed: int, number: int) -> float | None:
    """Seconds from acceptance to the moment when the caller no longer wants it; None for nine of ten tasks."""
    draw = _draw(seed, number, "cancel")
    if number >= CALM or draw.random() >= 0.1:
        return None
    return draw.choice((0.0, 0.05, 0.2, 0.5, 1.0, 2.0, 6.0))


def met(seed: int, number: int) -> str:
    """What this task meets, for reports."""
    odd = odd_of(seed, number)
    return str(fault_of(seed, number)) if odd is None else str(odd.oddity)


def is_taken_in_silence(seed: int, number: int) -> bool:
    """Whether the vendor takes its order, and nobody but the vendor knows."""
    odd = odd_of(seed, number)
    return fault_of(seed, number) in TAKES_AND_IS_SILENT if odd is None else odd.hides_order


def expected_end(seed: int, number: int) -> str:
    """How the task ends when nothing else comes between: `succeeded`, or the code of its failure."""
    shape, fault, odd = shape_of(seed, number), fault_of(seed, number), odd_of(seed, number)
    if is_taken_in_silence(seed, number) and not shape.can_find:
        return "unknown_outcome"
    if odd is not None and odd.code is not None:
        return odd.code
    if fault is Fault.ODD_REFUSED:
        return "invalid_input"
    if fault in FAILS:
        return "provider_rejected" if shape.is_polled else "invalid_input"
    return "succeeded"
