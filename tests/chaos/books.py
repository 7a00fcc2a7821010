"""The vendor's books: what was really taken, and what became of it."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar


class Fate(StrEnum):
    """What became of an order at the vendor."""

    NEVER_TAKEN = "never taken"
    FINISHED = "taken and finished"
    FAILED = "taken and failed"
    STOPPED = "taken and stopped"
    RUNNING = "taken and running"


@dataclass
class Order:
    """One order that was taken. Moments are seconds since 1970, by the vendor's clock.

    `answered`: the whole answer was written. `asked` counts polls, downloads and wishes to stop, which only
    somebody makes who knows the job's id.
    """

    job: str
    task: str
    number: int
    shape: str
    reference: str
    taken_at: float
    ends_at: float
    fails: bool = False
    answered: bool = False
    asked: int = 0
    stopped_at: float | None = None

    def fate(self, now: float) -> Fate:
        """What has become of it."""
        if self.stopped_at is not None:
            return Fate.STOPPED
        if now < self.ends_at:
            return Fate.RUNNING
        return Fate.FAILED if self.fails else Fate.FINISHED

    def until(self) -> float:
        """When it was through."""
        return self.ends_at if self.stopped_at is None else self.stopped_at


Taken = TypeVar("Taken", bound=Order)


@dataclass(frozen=True)
class Books(Generic[Taken]):
    """Everything the vendor knows. `refused` counts proved refusals by task, those of shops by shop and status."""

    now: float
    orders: tuple[Taken, ...]
    refused: Mapping[str, int]

    def document(self) -> dict[str, Any]:
        """As it goes over the wire."""
        return {"now": self.now, "orders": [asdict(order) for order in self.orders], "refused": dict(self.refused)}

    @classmethod
    def of(cls, document: Mapping[str, Any], order: Callable[..., Taken]) -> "Books[Taken]":
        """As it came over the wire."""
        orders = tuple(order(**one) for one in document["orders"])
        return cls(document["now"], orders, document["refused"])

    @property
    def running(self) -> int:
        """How many orders are in work."""
        return sum(order.fate(self.now) is Fate.RUNNING for order in self.orders)


def most_at_once(orders: list[Order]) -> int:
    """How many orders were in work together at most."""
    steps = [(order.taken_at, 1) for order in orders] + [(order.until(), -1) for order in orders]
    now = most = 0
    for _, step in sorted(steps):
        now += step
        most = max(most, now)
    return most
