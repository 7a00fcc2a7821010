"""Which environment this is."""

from pydantic import ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from genpulse.api import answers
from genpulse.api.context import context_in
from genpulse.api.documents import Document

routes = answers.router("service")


class EnvironmentDocument(Document):
    """The environment that this service belongs to."""

    model_config = ConfigDict(title="Environment")

    name: str = Field(examples=["dev"])
    dynaconf: str = Field(examples=["development"])
    branch: str = Field(examples=["dev"])
    key_prefix: str = Field(examples=["dev:"])
    """Every key and channel in Redis begins with it."""
    db_mode: str = Field(examples=["local"])
    services: str = Field(examples=["auto-spawn"])
    target: str = Field(examples=["Development / Sandbox"])
    api_key_prefix: str = Field(examples=["gp_dev_"])
    """Every API key of this environment begins with it."""
    version: str = Field(examples=["1.0.0"])
    """Of GenPulse."""


@routes.get(
    "/v1/environment",
    summary="Show the environment",
    responses=answers.described(200, "The environment", EnvironmentDocument) | answers.refusals(),
)
async def show_environment(request: Request) -> Response:
    """Which environment this is, with nothing secret in it."""
    context = context_in(request.scope)
    facts = context.services.environment
    return answers.json(
        EnvironmentDocument(
            name=facts.name,
            dynaconf=facts.dynaconf,
            branch=facts.branch,
            key_prefix=facts.key_prefix,
            db_mode=facts.db_mode,
            services=facts.services,
            target=facts.target,
            api_key_prefix=facts.api_key_prefix,
            version=context.options.version,
        )
    )
