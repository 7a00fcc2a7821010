"""Sections of routes: models of one kind that are tried one after the other."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from genpulse.configuration.settings.values import Section
from genpulse.domain.failure import FailureCode
from genpulse.domain.routing.route import USUAL_CODES, RouteOrder


def _listed(value: object) -> object:
    """A text with commas is a list, as a variable would say it."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


def _step(value: object) -> object:
    return {"model": value} if isinstance(value, str) else value


class RouteStepSection(Section):
    """A model of a route."""

    model: str = Field(description="Its public id, or the name of another route, whose models stand here then.")
    weight: int = Field(1, ge=1, le=1000, description="How often it is drawn, where the order is `weight`.")
    rename: dict[str, str] = Field(
        default_factory=dict, description="For a field of the order what this model calls it."
    )


class RouteSection(Section):
    """A route."""

    kind: str = Field(description="What all its models do, such as text-to-image.")
    steps: Annotated[list[Annotated[RouteStepSection, BeforeValidator(_step)]], BeforeValidator(_listed)] = Field(
        alias="try",
        min_length=1,
        description=(
            "Models in the order in which they are tried: public ids, names of other routes, or `model` with"
            " `weight` and `rename`."
        ),
    )
    on: Annotated[list[FailureCode], BeforeValidator(_listed)] = Field(
        default_factory=lambda: sorted(USUAL_CODES),
        description="Failures after which the next one is tried; an open circuit always is a reason.",
    )
    drop: Annotated[list[str], BeforeValidator(_listed)] = Field(
        default_factory=list,
        description="Fields of an order that are left out where a model has no place for them.",
    )
    order: RouteOrder = Field(
        RouteOrder.WRITTEN, description="Which one is tried first: written, price, latency or weight."
    )
    usual: bool = Field(
        default=False, description="Whether orders of this kind that name no model take this route."
    )
