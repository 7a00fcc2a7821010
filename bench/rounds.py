"""Rounds of two things that take turns, and the ratio of their medians."""

import statistics
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """Figures a second, of ours and of the floor, one a round."""

    name: str
    floor: str
    ours: tuple[float, ...]
    theirs: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """Ours over the floor's, by medians."""
        return statistics.median(self.ours) / statistics.median(self.theirs)

    def __str__(self) -> str:
        return (
            f"{self.name}\n"
            f"  ours   {_spread(self.ours)}\n"
            f"  floor  {_spread(self.theirs)}   {self.floor}\n"
            f"  ratio  {self.ratio:.2f}"
        )


def _spread(figures: tuple[float, ...]) -> str:
    return f"median {statistics.median(figures):>9,.0f}/s   min {min(figures):>9,.0f}   max {max(figures):>9,.0f}"


def taking_turns(
    name: str, floor: str, ours: Callable[[], float], theirs: Callable[[], float], rounds: int
) -> Row:
    """Warm both up, then measure A B A B …"""
    ours()
    theirs()
    pairs = [(ours(), theirs()) for _ in range(rounds)]
    return Row(name, floor, tuple(a for a, _ in pairs), tuple(b for _, b in pairs))
