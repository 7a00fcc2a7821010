"""How long a vendor offers a model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Lifetime:
    """Days in UTC: from `deprecated` on the vendor advises against it, from `sunset` on it is gone.

    `successor` is the public id of the model that takes its place. Raises `ValueError` for a sunset before that.
    """

    deprecated: date | None = None
    sunset: date | None = None
    successor: str | None = None

    def __post_init__(self) -> None:
        if self.deprecated and self.sunset and self.sunset < self.deprecated:
            raise ValueError(f"sunset {self.sunset} is before deprecated {self.deprecated}")

    @property
    def is_limited(self) -> bool:
        """Whether the vendor has said anything of an end."""
        return self.deprecated is not None or self.sunset is not None

    def is_over(self, today: date) -> bool:
        """Whether the vendor has shut it down."""
        return self.sunset is not None and today >= self.sunset


FOR_EVER = Lifetime()


def circle_of(successors: Mapping[str, str]) -> Sequence[str]:
    """The ids of models that succeed each other in a circle, the first one again at the end; empty for none."""
    cleared: set[str] = set()
    for start in successors:
        way: dict[str, None] = {}
        id_ = start
        while id_ in successors and id_ not in cleared:
            if id_ in way:
                ids = list(way)
                return [*ids[ids.index(id_) :], id_]
            way[id_] = None
            id_ = successors[id_]
        cleared.update(way)
    return ()
