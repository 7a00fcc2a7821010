"""The route of a task as callers see it."""

from pydantic import ConfigDict

from genpulse.api.schemas.document import Amount, Document, Time
from genpulse.domain.failure import Charged
from genpulse.domain.routing.task_route import RouteHop, RouteTarget, TaskRoute


class HopDocument(Document):
    """A model that the task has left for the next one."""

    model_config = ConfigDict(title="Hop")

    model: str
    attempt: int
    """After which of its attempts; 0 where it was never asked."""
    code: str
    """The code of the failure after which it was left, or `circuit_open`: its provider was left alone."""
    message: str
    at: Time
    charged: Charged
    """Whether the provider that was left took money."""

    @classmethod
    def of(cls, hop: RouteHop) -> "HopDocument":
        """From the domain's value."""
        return cls(
            model=hop.model,
            attempt=hop.attempt,
            code=hop.code,
            message=hop.message,
            at=hop.at,
            charged=hop.charged,
        )


class TargetDocument(Document):
    """A model that the task may go to."""

    model_config = ConfigDict(title="RouteTarget")

    model: str
    price_usd: Amount | None
    """What it costs there at most; null when nobody knows."""
    dropped: list[str]
    """Fields of the input that this model has no place for, and that the route lets go."""

    @classmethod
    def of(cls, target: RouteTarget) -> "TargetDocument":
        """From the domain's value."""
        return cls(model=target.model, price_usd=target.price_usd, dropped=list(target.dropped))


class RouteDocument(Document):
    """The route of a task: its `model` is the one at which it stands."""

    model_config = ConfigDict(title="Route")

    name: str | None
    """Null where the order listed models."""
    targets: list[TargetDocument]
    """In the order in which they are tried."""
    place: int
    """Which of them it is at, from 0."""
    hops: list[HopDocument]
    """What it has left, and why."""

    @classmethod
    def of(cls, route: TaskRoute) -> "RouteDocument":
        """From the domain's value."""
        return cls(
            name=route.name or None,
            targets=[TargetDocument.of(target) for target in route.targets],
            place=route.place,
            hops=[HopDocument.of(hop) for hop in route.hops],
        )
