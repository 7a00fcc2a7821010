"""The route of the environment."""

from pydantic import ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from genpulse.api.context import context_in
from genpulse.api.responses import encoded
from genpulse.api.schemas.document import Document
from genpulse.environment.build_info import Build

routes = encoded.router("service")


class BuildDocument(Document):
    """What was built, as git knew it."""

    model_config = ConfigDict(title="Build")

    tag: str = Field(examples=["v1.0.0"])
    """Empty where no tag counts."""
    version: str = Field(examples=["1.0.0"])
    commit: str = Field(examples=["3f2a91c04d1b7e6a5f8c9d0e1f2a3b4c5d6e7f80"])
    repository: str = Field(examples=["https://github.com/acme/shop.git"])
    """Whose tag and commit they are, by the address of its remote; empty without one."""
    dirty: bool = Field(examples=[False])
    """Whether files were changed besides."""


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
    build: BuildDocument | None
    """The stamp of what runs here; null where nothing was built."""


@routes.get(
    "/v1/environment",
    summary="Show the environment",
    responses=encoded.described(200, "The environment", EnvironmentDocument) | encoded.refusals(),
)
async def show_environment(request: Request) -> Response:
    """Which environment this is, with nothing secret in it."""
    context = context_in(request.scope)
    facts = context.services.environment
    return encoded.json(
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
            build=_build(facts.build) if facts.build else None,
        )
    )


def _build(build: Build) -> BuildDocument:
    return BuildDocument(
        tag=build.tag,
        version=build.version,
        commit=build.commit,
        repository=build.repository,
        dirty=build.dirty,
    )
