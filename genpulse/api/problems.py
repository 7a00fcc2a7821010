"""Errors as RFC 9457 problem documents."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from urllib.parse import quote

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Scope

from genpulse.api.error_status import headers_of, status_of
from genpulse.api.errors import Internal
from genpulse.api.requests.json_checks import SHOWN_AT_MOST
from genpulse.api.requests.query_parameters import parameter_message
from genpulse.api.schemas.budgets import LimitUseDocument
from genpulse.domain.errors import (
    BadInput,
    BudgetExceeded,
    ClientTokenUsedUp,
    KeyLimitExceeded,
    Problem,
    Refused,
    Unavailable,
    UnknownAsset,
    UnknownBatch,
    UnknownClientToken,
    UnknownKey,
    UnknownTask,
)
from genpulse.domain.text.storable import storable_line

MEDIA_TYPE = "application/problem+json"
_LIMITS = BudgetExceeded | KeyLimitExceeded | ClientTokenUsedUp
_NAME_LENGTH = 100
"""Characters of a parameter's name that are shown."""


class ProblemPlace(BaseModel):
    """One place in the request that does not fit."""

    model_config = ConfigDict(frozen=True)

    pointer: str | None = Field(default=None, description="JSON Pointer into the body", examples=["/input/width"])
    parameter: str | None = Field(default=None, description="Name of the query parameter", examples=["status"])
    detail: str = Field(examples=["Input should be less than or equal to 2048"])


class ProblemDocument(BaseModel):
    """What went wrong (RFC 9457). `code` is stable and meant for programs, `detail` for people."""

    model_config = ConfigDict(frozen=True, title="Problem")

    type: str = Field(examples=["urn:genpulse:problem:invalid_input"])
    title: str = Field(examples=["Invalid input"])
    status: int = Field(examples=[422])
    detail: str = Field(examples=["The input does not fit the model 'image'."])
    instance: str = Field(description="Path of the request", examples=["/v1/tasks"])
    code: str = Field(examples=["invalid_input"])
    errors: list[ProblemPlace] | None = Field(default=None, description="The places that do not fit")
    limit: LimitUseDocument | None = Field(default=None, description="The limit that would be passed")


def problem_response(error: Refused | Unavailable | Internal, scope: Scope) -> Response:
    """The response to an error that was raised on purpose."""
    places = [ProblemPlace(pointer=p.pointer, detail=p.detail) for p in _problems(error)]
    limit = LimitUseDocument.of(error.use) if isinstance(error, _LIMITS) and error.use else None
    return _response(status_of(error), error.code, str(error), scope, headers_of(error), places, limit)


def routing_response(error: HTTPException, scope: Scope, allowed: Sequence[str] = ()) -> Response:
    """The response to what the router refuses: an unknown path, or a method that the path does not take."""
    path = scope["path"][:200]
    if error.status_code == HTTPStatus.NOT_FOUND:
        detail = f"There is nothing at {path!r}. GET /openapi.json describes every call."
        return _response(404, "not_found", detail, scope)
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        detail = f"{path!r} does not take {scope['method']}; it takes {', '.join(allowed)}."
        return _response(405, "method_not_allowed", detail, scope, {"Allow": ", ".join(allowed)})
    phrase = HTTPStatus(error.status_code).phrase
    code = phrase.lower().replace(" ", "_").replace("-", "_")
    return _response(error.status_code, code, str(error.detail), scope, error.headers or {})


def parameters_response(error: RequestValidationError, scope: Scope) -> Response:
    """The response to parameters that do not fit: an id that cannot exist, or a query that is not taken."""
    errors = error.errors()[:SHOWN_AT_MOST]
    match errors[0]["loc"]:
        case ("path", "task_id"):
            return problem_response(UnknownTask(_short(errors[0]["input"])), scope)
        case ("path", "batch_id"):
            return problem_response(UnknownBatch(_short(errors[0]["input"])), scope)
        case ("path", "asset_id"):
            return problem_response(UnknownAsset(_short(errors[0]["input"])), scope)
        case ("path", "token_id"):
            return problem_response(UnknownClientToken(_short(errors[0]["input"])), scope)
        case ("path", "key_id"):
            return problem_response(UnknownKey(_short(errors[0]["input"])), scope)
        case _:
            names = (storable_line(str(item["loc"][-1]), _NAME_LENGTH) for item in errors)
            places = [
                ProblemPlace(parameter=name, detail=parameter_message(item, name, scope))
                for name, item in zip(names, errors, strict=True)
            ]
            end = "" if places[0].detail.endswith("?") else "."
            detail = f"The query does not fit: {places[0].parameter}: {places[0].detail}{end}"
            return _response(422, BadInput.code, detail, scope, places=places)


def _short(value: object) -> str:
    return repr(str(value)[:100])


def _problems(error: Refused | Unavailable | Internal) -> Sequence[Problem]:
    return error.problems[:SHOWN_AT_MOST] if isinstance(error, Refused) else ()


def _response(
    status: int,
    code: str,
    detail: str,
    scope: Scope,
    headers: Mapping[str, str] | None = None,
    places: list[ProblemPlace] | None = None,
    limit: LimitUseDocument | None = None,
) -> Response:
    document = ProblemDocument(
        type=f"urn:genpulse:problem:{code}",
        title=code.replace("_", " ").capitalize(),
        status=status,
        detail=detail,
        instance=quote(scope["path"], safe="/:@!$&'()*+,;=~"),
        code=code,
        errors=places or None,
        limit=limit,
    )
    body = document.model_dump_json(exclude_none=True)
    return Response(body, status, {"Cache-Control": "no-store", **(headers or {})}, MEDIA_TYPE)
