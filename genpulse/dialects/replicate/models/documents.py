"""A model of ours as one of Replicate's."""

from datetime import UTC, datetime
from typing import Any

from pydantic import ConfigDict, SkipValidation

from genpulse.api.schemas.document import Document, Time
from genpulse.dialects.model_names import ModelNames
from genpulse.dialects.replicate.links import ReplicateLinks
from genpulse.dialects.replicate.models.schema import COG_VERSION, openapi_of
from genpulse.dialects.replicate.models.versions import shown
from genpulse.provider import AnyModel

ALWAYS = datetime(2026, 1, 1, tzinfo=UTC)
"""When a version was made: nobody notes it, and clients must have a time."""


class VersionDocument(Document):
    """The one version of a model."""

    model_config = ConfigDict(title="Version")

    id: str
    created_at: Time
    cog_version: str
    openapi_schema: SkipValidation[dict[str, Any]]

    @classmethod
    def of(cls, version: str, model: AnyModel) -> "VersionDocument":
        """From the catalogue's value."""
        return cls(id=version, created_at=ALWAYS, cog_version=COG_VERSION, openapi_schema=openapi_of(model))


class ModelDocument(Document):
    """A model. Nobody counts its runs here, and it has no pages of its own."""

    model_config = ConfigDict(title="Model")

    url: str
    owner: str
    name: str
    description: str
    visibility: str = "public"
    is_official: bool = False
    github_url: None = None
    paper_url: None = None
    license_url: None = None
    run_count: int = 0
    cover_image_url: None = None
    default_example: None = None
    latest_version: VersionDocument

    @classmethod
    def of(cls, model_id: str, model: AnyModel, names: ModelNames, links: ReplicateLinks) -> "ModelDocument":
        """From the catalogue's value."""
        public_name = shown(names, model_id)
        owner, _, name = public_name.name.partition("/")
        return cls(
            url=links.model(public_name.name),
            owner=owner,
            name=name,
            description=model.description or model.title,
            latest_version=VersionDocument.of(public_name.version, model),
        )


class ModelPage(Document):
    """A page of models."""

    previous: str | None = None
    next: str | None = None
    results: list[ModelDocument]


class VersionPage(Document):
    """A page of versions."""

    previous: str | None = None
    next: str | None = None
    results: list[VersionDocument]
