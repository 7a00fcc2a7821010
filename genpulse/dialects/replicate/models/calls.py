"""Models, their versions, and searching them."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic_core import from_json
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from genpulse.api.context import context_in, links_for
from genpulse.api.errors import ModelNotFound
from genpulse.api.responses import encoded
from genpulse.api.schemas.document import Document
from genpulse.dialects.model_names import ModelNames
from genpulse.dialects.replicate.links import ReplicateLinks
from genpulse.dialects.replicate.models.documents import ModelDocument, ModelPage, VersionDocument, VersionPage
from genpulse.dialects.replicate.models.schema import searched_text
from genpulse.dialects.replicate.models.versions import UnknownVersion, Versions, shown
from genpulse.domain.errors import BadInput, InvalidCursor, Problem, UnknownModel
from genpulse.provider import AnyModel

PAGE = 25
FOUND = 50
_LONGEST_QUERY = 1000


class SearchMetadata(Document):
    """What is said of a model that was found."""

    tags: list[str]


class FoundModel(Document):
    """A model that was found."""

    metadata: SearchMetadata
    model: ModelDocument


class SearchDocument(Document):
    """What was found."""

    query: str
    models: list[FoundModel]
    collections: list[str]
    pages: list[str]


@dataclass(frozen=True, slots=True)
class Models:
    """The calls about models."""

    names: ModelNames
    versions: Versions

    async def list(self, request: Request) -> Response:
        """All models of all enabled providers, a page at a time."""
        models = context_in(request.scope).services.catalogue.models()
        begin = _begin(request.query_params.get("cursor"), len(models))
        end, links = begin + PAGE, _links(request)
        following = f"{links.api}/models?cursor={end}" if end < len(models) else None
        previous = f"{links.api}/models?cursor={max(begin - PAGE, 0)}" if begin else None
        results = self._documents(models[begin:end], links)
        return encoded.json(ModelPage(previous=previous, next=following, results=results))

    async def show(self, request: Request) -> Response:
        """One model."""
        model_id, model = self._model(request)
        return encoded.json(ModelDocument.of(model_id, model, self.names, _links(request)))

    async def list_versions(self, request: Request) -> Response:
        """The one version of a model."""
        model_id, model = self._model(request)
        version = VersionDocument.of(shown(self.names, model_id).version, model)
        return encoded.json(VersionPage(results=[version]))

    async def show_version(self, request: Request) -> Response:
        """A version of a model. Raises `ModelNotFound`."""
        services, version = context_in(request.scope).services, str(request.path_params["version"])
        try:
            model_id = self.versions.of_model(services, _name(request), version)
        except UnknownVersion as error:
            raise ModelNotFound(str(error)) from error
        return encoded.json(VersionDocument.of(version, _of_route(request, model_id)[1]))

    async def show_readme(self, request: Request) -> Response:
        """What is said of a model, as text."""
        model_id, model = self._model(request)
        return PlainTextResponse(f"# {shown(self.names, model_id).name}\n\n{model.description or model.title}\n")

    async def show_examples(self, request: Request) -> Response:
        """No examples are kept of a model."""
        self._model(request)
        return encoded.json(ModelPage(results=[]))

    async def search(self, request: Request) -> Response:
        """Models by words, which are the body of a QUERY."""
        words = _plain((await request.body()).decode("utf-8", "replace"))
        return encoded.json(ModelPage(results=[model for model, _ in self._found(request, words)]))

    async def search_all(self, request: Request) -> Response:
        """The same by `?query=`, as the newer call of clients asks."""
        words = request.query_params.get("query", "")
        documents = [
            FoundModel(metadata=SearchMetadata(tags=[*source.kinds]), model=model)
            for model, source in self._found(request, words)
        ]
        return encoded.json(SearchDocument(query=words, models=documents, collections=[], pages=[]))

    def _found(self, request: Request, words: str) -> Sequence[tuple[ModelDocument, AnyModel]]:
        """Models in which all words stand. Raises `BadInput`."""
        if len(words) > _LONGEST_QUERY:
            said = f"it has {len(words):,} characters and may have {_LONGEST_QUERY:,}"
            raise BadInput(f"The query is too long: {said}.", [Problem("/query", said)])
        query_words, links = words.lower().split(), _links(request)
        matches = [
            (model_id, model)
            for model_id, model in context_in(request.scope).services.catalogue.models()
            if all(
                word in searched_text(f"{self.names.shown_as(model_id)} {model_id}", model) for word in query_words
            )
        ]
        return [(ModelDocument.of(name, model, self.names, links), model) for name, model in matches[:FOUND]]

    def _documents(self, models: Sequence[tuple[str, AnyModel]], links: ReplicateLinks) -> Sequence[ModelDocument]:
        return [ModelDocument.of(model_id, model, self.names, links) for model_id, model in models]

    def _model(self, request: Request) -> tuple[str, AnyModel]:
        """Raises `ModelNotFound`."""
        try:
            return _of_route(request, self.names.id_of(context_in(request.scope).services, _name(request)))
        except UnknownModel as error:
            raise ModelNotFound(str(error)) from error


def _of_route(request: Request, model_id: str) -> tuple[str, AnyModel]:
    """The model; of a route, whose name it keeps, the one that is tried first."""
    services = context_in(request.scope).services
    route = services.routes.get(model_id)
    return model_id, services.catalogue.model(route.steps[0].model if route else model_id)


def _name(request: Request) -> str:
    return f"{request.path_params['owner']}/{request.path_params['name']}"[:200]


def _plain(words: str) -> str:
    """Some clients send the words as JSON, whatever they say of the body's type."""
    try:
        text = from_json(words)
    except ValueError:
        return words
    return text if isinstance(text, str) else words


def _links(request: Request) -> ReplicateLinks:
    return ReplicateLinks(links_for(request))


def _begin(cursor: str | None, count: int) -> int:
    """Raises `InvalidCursor`."""
    if cursor is None:
        return 0
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 10 and int(cursor) < max(count, 1)):
        raise InvalidCursor
    return int(cursor)
