"""The models that can be asked for."""

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from genpulse.api.context import context_in
from genpulse.api.door import DoorCall
from genpulse.api.responses.encoded import JsonResponse
from genpulse.dialects.openai.parts import Parts
from genpulse.domain.json.value import JsonObject

VENDOR = "openai"
"""Whose models a client asks for by their bare names."""


class Models:
    """The calls under `/v1/models`."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def calls(self) -> tuple[DoorCall, ...]:
        """All of them."""
        return (DoorCall("GET", "/v1/models", self.list), DoorCall("GET", "/v1/models/{name:path}", self.show))

    async def list(self, request: Request) -> Response:
        """All models, each under its id, and under every alias."""
        services = context_in(request.scope).services
        named = {model_id.removeprefix(f"{VENDOR}/"): model_id for model_id, _ in services.catalogue.models()}
        data = [_document(name, model_id) for name, model_id in {**named, **self._parts.names.aliases}.items()]
        return JsonResponse(to_json({"object": "list", "data": data}), 200, {})

    async def show(self, request: Request) -> Response:
        """One model. Raises `UnknownModel`."""
        name = request.path_params["name"][:200]
        model_id = self._parts.names.id_of(context_in(request.scope).services, name)
        return JsonResponse(to_json(_document(name, model_id)), 200, {})


def _document(name: str, model_id: str) -> JsonObject:
    """When a model was made is nothing that is known here."""
    return {"id": name, "object": "model", "created": 0, "owned_by": model_id.partition("/")[0]}
