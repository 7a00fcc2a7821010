"""Ids of requests. A request is a task, and has its id."""

import uuid
from uuid import UUID

from starlette.requests import Request
from starlette.types import Scope

from genpulse.domain.errors import UnknownTask

HEADER = "X-Fal-Request-Id"
"""On every answer: clients take one without it for a proxy's, and repeat the call."""
_NOTED = "genpulse.fal.request"


def request_id_in(request: Request) -> UUID:
    """The id in the path. Raises `UnknownTask` for what cannot be one."""
    word = str(request.path_params["request_id"])
    try:
        return UUID(word)
    except ValueError:
        raise UnknownTask(repr(word[:100])) from None


def note(scope: Scope, request_id: UUID) -> None:
    """The answer to this call is about this request."""
    scope[_NOTED] = request_id


def headers(scope: Scope) -> tuple[tuple[str, str], ...]:
    """The header of an answer; where it is about no request, with an id of its own."""
    noted: UUID | None = scope.get(_NOTED)
    return ((HEADER, str(noted or _asked_for(scope) or uuid.uuid4())),)


def _asked_for(scope: Scope) -> UUID | None:
    try:
        return UUID(str(scope.get("path_params", {}).get("request_id")))
    except ValueError:
        return None
