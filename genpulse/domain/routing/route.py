"""A route: models of one kind, and when a task goes from one of them to the next."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from genpulse.domain.failure import FailureCode

USUAL_CODES = frozenset({FailureCode.PROVIDER_UNAVAILABLE, FailureCode.RATE_LIMITED, FailureCode.QUOTA_EXHAUSTED})
"""Failures after which the next model is tried, where a route says nothing else."""

POSSIBLE_CODES = USUAL_CODES | {
    FailureCode.AUTHENTICATION_FAILED,
    FailureCode.BUDGET_EXCEEDED,
    FailureCode.MODERATION_BLOCKED,
    FailureCode.PAID_PROVIDER_REFUSED,
    FailureCode.PROVIDER_REJECTED,
    FailureCode.TIMEOUT,
}
"""Failures that a route may name. After any other one the next vendor might be paid for the same thing again, or
would refuse the same input."""

MOST_MODELS = 16
"""How many models one route may have."""


class RouteOrder(StrEnum):
    """In which order the models of a route are tried.

    WRITTEN: as the route lists them. PRICE: the cheapest for this input first. LATENCY: the one whose attempts
    took the least time lately first. WEIGHT: drawn by lot, each as often as its weight says.
    """

    WRITTEN = "written"
    PRICE = "price"
    LATENCY = "latency"
    WEIGHT = "weight"


@dataclass(frozen=True, slots=True)
class RouteStep:
    """A model of a route: its public id, and how it takes an order that was not written for it.

    `rename` gives the model's field for a field of the order. By `weight` (1 or more) it is drawn.
    """

    model: str
    rename: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    weight: int = 1


def first_of_each(steps: Iterable[RouteStep]) -> tuple[RouteStep, ...]:
    """Each model once, at the place and with the step by which it is named first."""
    first: dict[str, RouteStep] = {}
    for step in steps:
        first.setdefault(step.model, step)
    return tuple(first.values())


@dataclass(frozen=True, slots=True)
class Route:
    """Models of one kind, tried in order.

    The next one is tried after a failure in `on`, which is one of `POSSIBLE_CODES`. Fields of an order in `drop`
    are left out where a model has no place for them. `name` is empty for a list that came with an order, whose
    `kind` is None: it is the one that the order says, or that all models share.
    """

    name: str
    steps: tuple[RouteStep, ...]
    kind: str | None = None
    on: frozenset[FailureCode] = USUAL_CODES
    drop: frozenset[str] = frozenset()
    order: RouteOrder = RouteOrder.WRITTEN


@dataclass(frozen=True, slots=True)
class Routes:
    """The routes of an environment by name, and the one that an order gets that names a kind and no model."""

    by_name: Mapping[str, Route] = field(default_factory=lambda: MappingProxyType({}))
    usual: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def get(self, name: str) -> Route | None:
        """The route of this name. A name of a route has no slash, the id of a model has one."""
        return self.by_name.get(name)

    def of_kind(self, kind: str) -> Route | None:
        """The usual route of a kind."""
        return self.by_name.get(self.usual.get(kind, ""))


NO_ROUTES = Routes()
