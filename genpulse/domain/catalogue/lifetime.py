"""How long a vendor offers a model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Lifetime:
    """Days in UTC: from `deprecated` on the vendor advises against it, from `sunset` on it is gone.

    `successor` is the public id of the model that takes its place.
    """

    deprecated: date | None = None
    sunset: date | None = None
    successor: str | None = None

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
    for start in successors:
        way = [start]
        while (following := successors.get(way[-1])) is not None:
            way.append(following)
            if following in way[:-1]:
                return way[way.index(following) :]
    return ()
