"""How the vendor treats each job. Drawn from the seed and the task's number, so that a run can be replayed."""

import random
from enum import StrEnum


class Fault(StrEnum):
    """What goes wrong with a job, once."""

    NONE = "nothing"
    LOST = "takes the job, drops the connection"
    HANG = "takes the job, never answers"
    BROKEN = "takes the job, answers 500"
    GARBLED = "takes the job, answers JSON that is cut off"
    FULL = "refuses: 503, not accepted"
    BUSY = "refuses: 429 with Retry-After"
    POLL_DROPPED = "drops two polls"
    POLL_GARBLED = "answers two polls with a page of HTML"
    OUTPUT_DROPPED = "breaks the first download off"
    FAILED = "the job fails"


TAKES_AND_IS_SILENT = frozenset({Fault.LOST, Fault.HANG, Fault.BROKEN, Fault.GARBLED})
"""Faults after which nobody but the vendor knows that there is a job."""

_WEIGHTS = {
    Fault.NONE: 60,
    Fault.LOST: 5,
    Fault.HANG: 1,
    Fault.BROKEN: 3,
    Fault.GARBLED: 3,
    Fault.FULL: 6,
    Fault.BUSY: 4,
    Fault.POLL_DROPPED: 5,
    Fault.POLL_GARBLED: 4,
    Fault.OUTPUT_DROPPED: 5,
    Fault.FAILED: 4,
}


def fault_of(seed: int, number: int) -> Fault:
    """What goes wrong with this task."""
    draw = random.Random(f"{seed}:{number}:fault")
    return draw.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]


def lasts_s(seed: int, number: int) -> float:
    """How long its job takes, in seconds: most end at once, some late."""
    draw = random.Random(f"{seed}:{number}:time")
    return draw.choice((0.0, 0.0, 0.5, 1.0, 2.0, 6.0))
