"""Encoded JSON responses, and their description in the OpenAPI document."""

from collections.abc import Iterable, Mapping
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel
from pydantic.main import IncEx
from starlette.responses import Response

from genpulse.api import problems
from genpulse.api.problems import ProblemDocument

Described = dict[int | str, dict[str, Any]]

_EVERYWHERE = (401, 403, 429, 500, 503)
_MEANINGS = {
    400: "The request cannot be read",
    401: "An API key is needed",
    402: "It costs more than is left of a budget; try again after `Retry-After` seconds",
    403: "The API key belongs to another environment or may not do or give this, or the provider costs money and"
    " may not be used in this environment",
    404: "There is no such thing",
    408: "The body does not come, or comes too slowly",
    409: "The state does not allow it",
    410: "It was there once and is gone for ever",
    413: "The body is over the limit",
    415: "The body has a type that is not taken",
    416: "The range lies outside of the content",
    422: "The request does not fit",
    429: "The API key or its end customer does more than it may; try again after `Retry-After` seconds",
    500: "Something went wrong here",
    503: "A service that this one stands on is away; try again after `Retry-After` seconds",
}


def router(tag: str) -> APIRouter:
    """Routes under one heading; a call is named after its function."""
    return APIRouter(tags=[tag], generate_unique_id_function=lambda route: route.name)


def json(
    document: BaseModel,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    *,
    leaving_out: IncEx | None = None,
) -> Response:
    """A JSON response. Fields of the document may be left out."""
    return JsonResponse(document.model_dump_json(exclude=leaving_out).encode(), status, headers or {})


class JsonResponse(Response):
    """JSON that is ready to send, with headers that need no further look."""

    background = None

    def __init__(
        self, body: bytes, status: int, headers: Mapping[str, str], media_type: str = "application/json"
    ) -> None:
        self.body = body
        self.status_code = status
        self.raw_headers = [
            (b"content-type", media_type.encode("latin-1")),
            (b"content-length", str(len(body)).encode()),
            *((name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()),
        ]


def reference(model: type[BaseModel]) -> dict[str, str]:
    """A reference to a model in the OpenAPI document, where `openapi.py` puts the model."""
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def header(description: str, schema: str = "string") -> dict[str, Any]:
    """The description of a response header."""
    return {"description": description, "schema": {"type": schema}}


def described(
    status: int,
    meaning: str,
    body: type[BaseModel] | dict[str, Any] | None = None,
    headers: Iterable[tuple[str, str]] = (),
) -> Described:
    """One response, for the OpenAPI document. `shown` is a JSON document, or content by media type."""
    response: dict[str, Any] = {"description": meaning}
    if isinstance(body, dict):
        response["content"] = body
    elif body is not None:
        response["content"] = {"application/json": {"schema": reference(body)}}
    if described_headers := {name: header(text) for name, text in headers}:
        response["headers"] = described_headers
    return {status: response}


def refusals(*statuses: int) -> Described:
    """The problems that a call under `/v1` may answer with, beside those that each of them may."""
    return {status: refusal(status) for status in sorted({*statuses, *_EVERYWHERE})}


def refusal(status: int) -> dict[str, Any]:
    """The description of a problem."""
    content = {problems.MEDIA_TYPE: {"schema": reference(ProblemDocument)}}
    return {"description": _MEANINGS[status], "content": content, "headers": _HEADERS.get(status, {})}


_RETRY_AFTER = {"Retry-After": header("Seconds to wait", "integer")}
_HEADERS: Mapping[int, Mapping[str, Any]] = {
    401: {"WWW-Authenticate": header("`Bearer`")},
    402: _RETRY_AFTER,
    416: {"Content-Range": header("`bytes */N`, where N is the size of the content")},
    429: _RETRY_AFTER,
    503: _RETRY_AFTER,
}
"""Headers of the problems, beside those that every answer has."""


def taken(model: type[BaseModel], *, required: bool = True) -> dict[str, Any]:
    """The description of a JSON body."""
    return {"required": required, "content": {"application/json": {"schema": reference(model)}}}


def path_parameter(name: str, meaning: str) -> dict[str, Any]:
    """The description of an id in a path."""
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": meaning,
        "schema": {"type": "string", "format": "uuid"},
    }


def event_stream(event: type[BaseModel]) -> dict[str, Any]:
    """The description of Server-Sent Events, each of which is such a document."""
    whole = {"type": "string", "description": "The stream as a whole, for programs that do not read it by events"}
    return {"text/event-stream": {"schema": {"anyOf": [whole, reference(event)]}}}


LAST_EVENT_ID: Mapping[str, Any] = {
    "name": "Last-Event-ID",
    "in": "header",
    "description": "Sends only what is newer than this event.",
    "schema": {"type": "string", "pattern": "^[0-9]{1,18}$"},
}
"""The header with which a stream is taken up where it broke off."""
EXPIRES: Mapping[str, Any] = {
    "name": "expires",
    "in": "query",
    "description": "Comes with `signature`: the moment in Unix time until which the address is good.",
    "schema": {"type": "string"},
}
"""The parameter that a signed address has beside its signature."""
