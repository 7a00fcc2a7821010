"""Units by which vendors charge."""

from enum import StrEnum


class Unit(StrEnum):
    """What one price is for. How many seconds of a GPU or tokens it takes, the vendor alone can tell."""

    CALL = "call"
    IMAGE = "image"
    SECOND = "second"
    CHARACTER = "character"
    TOKEN = "token"  # noqa: S105 - a piece of a text
    GPU_SECOND = "gpu_second"

    @property
    def is_reported(self) -> bool:
        """Whether the order does not say how many of them it takes."""
        return self in {Unit.TOKEN, Unit.GPU_SECOND}
