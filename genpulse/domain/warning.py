"""Warnings about succeeded tasks."""

from dataclasses import dataclass
from enum import StrEnum

from genpulse.domain.text.storable import storable

MESSAGE_LENGTH = 500


class WarningCode(StrEnum):
    """The closed list of oddities; each is part of the public API.

    OUTPUT_MISSING: one of several outputs is missing, filtered, broken or deleted. FLAGGED: the vendor has marked
    an output, for example as unsafe. UNKNOWN_STATUS: the vendor said a word about its job that nobody knows here.
    COST_NOT_TAKEN: it reported a cost that cannot be true, and the price was taken in its place. TRUNCATED: its
    answer is larger than what is kept of one, or holds what JSON cannot.
    """

    OUTPUT_MISSING = "output_missing"
    FLAGGED = "flagged"
    UNKNOWN_STATUS = "unknown_status"
    COST_NOT_TAKEN = "cost_not_taken"
    TRUNCATED = "truncated"


@dataclass(frozen=True, slots=True)
class TaskWarning:
    """One oddity. `index` is the place among what the vendor was to make, from 0, where it is about one output.

    A message is at most 500 characters long.
    """

    code: WarningCode
    message: str
    index: int | None = None

    def __post_init__(self) -> None:
        """What a vendor says is made fit to be kept."""
        object.__setattr__(self, "message", storable(self.message)[:MESSAGE_LENGTH])
