"""Deployments: the routes of an installation, each of which runs one of several models."""

from dataclasses import dataclass

from pydantic import ConfigDict
from starlette.requests import Request
from starlette.responses import Response

from genpulse.api.context import context_in
from genpulse.api.errors import ModelNotFound
from genpulse.api.responses import encoded
from genpulse.api.schemas.document import Document, Time
from genpulse.dialects.model_names import ModelNames
from genpulse.dialects.replicate.account import AccountDocument
from genpulse.dialects.replicate.models.documents import ALWAYS
from genpulse.dialects.replicate.models.versions import shown, version_of
from genpulse.domain.keys.caller import WITHOUT_KEY
from genpulse.domain.routing.route import Route


class ConfigurationDocument(Document):
    """Where it runs is each provider's own matter."""

    hardware: str = "chosen by the provider"
    min_instances: int = 0
    max_instances: int = 0


class ReleaseDocument(Document):
    """What it runs: the model of the route that is written first."""

    number: int = 1
    model: str
    version: str
    created_at: Time
    created_by: AccountDocument
    configuration: ConfigurationDocument


class DeploymentDocument(Document):
    """A route."""

    model_config = ConfigDict(title="Deployment")

    owner: str
    name: str
    current_release: ReleaseDocument


class DeploymentPage(Document):
    """All of them."""

    previous: None = None
    next: None = None
    results: list[DeploymentDocument]


@dataclass(frozen=True, slots=True)
class Deployments:
    """The calls about deployments. Their owner is the environment, and any other word is taken for it."""

    names: ModelNames

    async def list(self, request: Request) -> Response:
        """All routes."""
        routes = context_in(request.scope).services.routes.by_name
        return encoded.json(DeploymentPage(results=[self._document(request, route) for route in routes.values()]))

    async def show(self, request: Request) -> Response:
        """A route. Raises `ModelNotFound`."""
        name = str(request.path_params["name"])
        route = context_in(request.scope).services.routes.get(name)
        if route is None:
            raise ModelNotFound(f"There is no deployment {name[:100]!r}. GET /v1/deployments lists all of them.")
        return encoded.json(self._document(request, route))

    def _document(self, request: Request, route: Route) -> DeploymentDocument:
        environment = context_in(request.scope).services.environment.name
        release = ReleaseDocument(
            model=shown(self.names, route.steps[0].model).name,
            version=version_of(route.name),
            created_at=ALWAYS,
            created_by=AccountDocument.of(WITHOUT_KEY, environment),
            configuration=ConfigurationDocument(),
        )
        return DeploymentDocument(owner=environment, name=route.name, current_release=release)
