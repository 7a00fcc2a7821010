"""What a task of the suite is for."""

from enum import StrEnum


class Shape(StrEnum):
    """Which model a task is for, by what the vendor can be asked about its orders."""

    FINDABLE = "chaos/findable"
    BLIND = "chaos/blind"
    IMMEDIATE = "chaos/immediate"
    NARROW = "narrow/findable"
    LOCAL = "chaos/local"

    @property
    def can_find(self) -> bool:
        """Whether an order can be looked up, so that its outcome is never unknown."""
        return self in {Shape.FINDABLE, Shape.NARROW}

    @property
    def is_paid(self) -> bool:
        """Whether a vendor is asked."""
        return self is not Shape.LOCAL

    @property
    def is_polled(self) -> bool:
        """Whether an order is a job that has an id and can be stopped."""
        return self in {Shape.FINDABLE, Shape.NARROW, Shape.BLIND}
