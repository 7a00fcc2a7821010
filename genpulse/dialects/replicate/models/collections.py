"""Collections: the models of one kind."""

from dataclasses import dataclass

from pydantic import ConfigDict
from starlette.requests import Request
from starlette.responses import Response

from genpulse.api.context import context_in, links_for
from genpulse.api.errors import ModelNotFound
from genpulse.api.responses import encoded
from genpulse.api.schemas.document import Document
from genpulse.dialects.model_names import ModelNames
from genpulse.dialects.replicate.links import ReplicateLinks
from genpulse.dialects.replicate.models.documents import ModelDocument


class CollectionDocument(Document):
    """A kind of work; its models stand in the document of one alone."""

    model_config = ConfigDict(title="Collection")

    name: str
    slug: str
    description: str
    models: list[ModelDocument] | None = None

    @classmethod
    def of(cls, kind: str, models: list[ModelDocument] | None = None) -> "CollectionDocument":
        """From the word of a kind, such as `text-to-image`."""
        name = kind.replace("-", " ").capitalize()
        return cls(name=name, slug=kind, description=f"Models that do {kind}.", models=models)


class CollectionPage(Document):
    """All of them."""

    previous: None = None
    next: None = None
    results: list[CollectionDocument]


@dataclass(frozen=True, slots=True)
class Collections:
    """The calls about collections."""

    names: ModelNames

    async def list(self, request: Request) -> Response:
        """A collection for each kind that a model does."""
        models = context_in(request.scope).services.catalogue.models()
        kinds = sorted({kind for _, model in models for kind in model.kinds})
        return encoded.json(CollectionPage(results=[CollectionDocument.of(kind) for kind in kinds]))

    async def show(self, request: Request) -> Response:
        """The models of a kind. Raises `ModelNotFound` for a kind that no model does."""
        kind, links = str(request.path_params["slug"]), ReplicateLinks(links_for(request))
        models = context_in(request.scope).services.catalogue.models()
        matches = [entry for entry in models if kind in entry[1].kinds]
        if not matches:
            raise ModelNotFound(f"There is no collection {kind[:100]!r}. GET /v1/collections lists all of them.")
        documents = [ModelDocument.of(model_id, model, self.names, links) for model_id, model in matches]
        return encoded.json(CollectionDocument.of(kind, documents))
