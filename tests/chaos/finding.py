"""What a verdict is made of: a row for each promise."""

from dataclasses import dataclass

_SHOWN = 5


@dataclass(frozen=True)
class Finding:
    """One promise, how often it was looked at, and what breaks it."""

    promise: str
    looked_at: int
    broken: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether nothing breaks it."""
        return not self.broken

    def __str__(self) -> str:
        shown = "" if self.holds else f": {', '.join(self.broken[:_SHOWN])}"
        return f"| {self.promise} | {self.looked_at:,} | {len(self.broken):,}{shown} |"
