"""The routes that an order may name in place of a model."""

from pydantic import ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from genpulse.api.context import context_in
from genpulse.api.responses import encoded
from genpulse.api.schemas.document import Document
from genpulse.domain.failure import FailureCode
from genpulse.domain.routing.route import Route, RouteOrder
from genpulse.lifecycle.routing.availability import is_offered
from genpulse.ports import Services

routes = encoded.router("catalogue")


class RouteStepDocument(Document):
    """A model of a route."""

    model_config = ConfigDict(title="RouteStep")

    model: str = Field(examples=["sandbox/image"])
    offered: bool
    """False where its provider lacks a key or may not cost money here, or where it is shut down: it is left out
    then."""
    weight: int
    """How often it is drawn, where the order is `weight`."""


class ModelRouteDocument(Document):
    """Several models of one kind, of which the next one is tried where the one before refuses."""

    model_config = ConfigDict(title="ModelRoute")

    name: str = Field(examples=["portrait"])
    """What a task's `model` has to say."""
    kind: str | None = Field(examples=["text-to-image"])
    usual: bool
    """Whether an order of this kind that names no model takes it."""
    order: RouteOrder
    """In which order its models are tried."""
    on: list[FailureCode]
    """The failures after which the next one is tried."""
    drop: list[str]
    """Fields of an input that are left out where a model has no place for them."""
    models: list[RouteStepDocument]

    @classmethod
    def of(cls, services: Services, route: Route) -> "ModelRouteDocument":
        """From the domain's value, as it is in this environment."""
        return cls(
            name=route.name,
            kind=route.kind,
            usual=services.routes.usual.get(route.kind or "") == route.name,
            order=route.order,
            on=sorted(route.on),
            drop=sorted(route.drop),
            models=[
                RouteStepDocument(model=step.model, offered=is_offered(services, step.model), weight=step.weight)
                for step in route.steps
            ],
        )


class ModelRouteList(Document):
    """All routes, sorted by name."""

    data: list[ModelRouteDocument]


@routes.get(
    "/v1/routes",
    summary="List routes",
    responses=encoded.described(200, "All routes", ModelRouteList) | encoded.refusals(),
)
async def list_routes(request: Request) -> Response:
    """The routes of this installation, each with the models that it tries."""
    services = context_in(request.scope).services
    named = sorted(services.routes.by_name.items())
    return encoded.json(ModelRouteList(data=[ModelRouteDocument.of(services, route) for _, route in named]))
