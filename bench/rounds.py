"""Rounds of things that take turns, and the ratios of their medians."""

import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

Measure = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Series:
    """One figure, once a round."""

    name: str
    unit: str
    figures: tuple[float, ...]

    @property
    def median(self) -> float:
        """Of all rounds."""
        return statistics.median(self.figures)


@dataclass(frozen=True, slots=True)
class Goal:
    """What a ratio or a figure has to reach: at least `bound`, or at most."""

    what: str
    value: float
    bound: float | None
    at_least: bool = True
    unit: str = "×"

    @property
    def is_met(self) -> bool | None:
        """None where nothing has to be reached."""
        if self.bound is None:
            return None
        return self.value >= self.bound if self.at_least else self.value <= self.bound


@dataclass(frozen=True, slots=True)
class Curve:
    """A figure that changes, as points; `x_unit` and `y_unit` are theirs."""

    name: str
    x_unit: str
    y_unit: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Result:
    """A row of the bench. `costs` are measured constants that `bench.sim` computes with.

    Where there are curves, they are drawn in place of the series.
    """

    title: str
    series: tuple[Series, ...]
    goals: tuple[Goal, ...]
    note: str = ""
    costs: Mapping[str, float] = field(default_factory=dict)
    curves: tuple[Curve, ...] = ()


def taking_turns(measures: Mapping[str, Measure], rounds: int, unit: str = "/s") -> tuple[Series, ...]:
    """Warm all up, then measure A B C A B C …; a single round is not about figures, and goes without."""
    if rounds > 1:
        for measure in measures.values():
            measure()
    found: dict[str, list[float]] = {name: [] for name in measures}
    for _ in range(rounds):
        for name, measure in measures.items():
            found[name].append(measure())
    return tuple(Series(name, unit, tuple(figures)) for name, figures in found.items())


def ratio(ours: Series, theirs: Series) -> float:
    """Ours over theirs, by medians."""
    return ours.median / theirs.median
