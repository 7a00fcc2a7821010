"""Whose turn it is among the owners of what waits."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol, TypeAlias, TypeVar
from uuid import UUID


class _Waits(Protocol):
    """What `QueueTurns` has to know of an entry."""

    task_id: UUID
    provider: str
    priority: int
    owner: str
    due_at: float


E = TypeVar("E", bound=_Waits)
_Ring: TypeAlias = tuple[str, int]
"""What waits of a provider with a priority."""


class QueueTurns:
    """Puts entries in order: by priority, and within it in turns of their owners.

    It remembers whose turn it is in each ring, and how many tasks of that turn were taken.
    """

    def __init__(self) -> None:
        self._weights: dict[str, int] = {}
        self._turns: dict[_Ring, tuple[str, int]] = {}

    def weigh(self, owner: str, weight: int) -> None:
        """From now on so many tasks of this owner are taken in its turn, 1 or more."""
        self._weights[owner] = weight

    def in_order(self, entries: Iterable[E]) -> list[E]:
        """The entries in the order in which they are to be taken."""
        rings = _by_ring(entries)
        order = sorted(rings, key=lambda ring: -ring[1])
        return [entry for ring in order for entry in self._ring_in_order(ring, rings[ring])]

    def _ring_in_order(self, ring: _Ring, owners: Mapping[str, Sequence[E]]) -> Iterable[E]:
        first, _ = self._turns.get(ring, ("", 0))
        places = []
        for position, owner in enumerate(sorted(owners, key=lambda owner: (owner < first, owner))):
            weight = self._weight(owner)
            used = self._used(ring, owner)
            places += [
                ((number // weight, position, number), entry) for number, entry in enumerate(owners[owner], used)
            ]
        return [entry for _, entry in sorted(places, key=lambda place: place[0])]

    def note(self, entries_taken: Iterable[E], waited: Iterable[E]) -> None:
        """So much was taken, in this order, of all that waited. Nobody takes turns with itself."""
        rings = _by_ring(waited)
        for entry in entries_taken:
            ring = (entry.provider, entry.priority)
            if len(rings[ring]) > 1:
                used = self._used(ring, entry.owner)
                self._turns[ring] = (entry.owner, used % self._weight(entry.owner) + 1)

    def _used(self, ring: _Ring, owner: str) -> int:
        turn, taken = self._turns.get(ring, ("", 0))
        return min(taken, self._weight(owner)) if owner == turn else 0

    def _weight(self, owner: str) -> int:
        return self._weights.get(owner, 1)


def _by_ring(entries: Iterable[E]) -> Mapping[_Ring, Mapping[str, Sequence[E]]]:
    rings: dict[_Ring, dict[str, list[E]]] = defaultdict(lambda: defaultdict(list))
    for entry in sorted(entries, key=lambda one: (one.due_at, one.task_id)):
        rings[entry.provider, entry.priority][entry.owner].append(entry)
    return rings
