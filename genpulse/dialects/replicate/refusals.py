"""Errors in Replicate's words (RFC 7807)."""

from collections.abc import Mapping
from http import HTTPStatus

from pydantic import Field
from starlette.responses import Response
from starlette.types import Scope

from genpulse.api.door import Refusal
from genpulse.api.error_status import headers_of, status_of
from genpulse.api.errors import AuthenticationRequired
from genpulse.api.problems import MEDIA_TYPE
from genpulse.api.requests.json_checks import SHOWN_AT_MOST
from genpulse.api.schemas.document import Document
from genpulse.domain.errors import BadInput, BudgetExceeded, KeyLimitExceeded, Problem
from genpulse.domain.money.allowance import Measure

_TITLES: Mapping[int, str] = {
    400: "Bad request",
    401: "Unauthenticated",
    402: "Insufficient credit",
    403: "Forbidden",
    404: "Not found",
    422: "Input validation failed",
    429: "Too many requests",
    503: "Service unavailable",
}
_OWN_TITLES: Mapping[str, str] = {
    "unknown_version": "Invalid version or not permitted",
    "training_not_served": "Trainings are not served",
}
_CALLERS = HTTPStatus.UNPROCESSABLE_ENTITY
_FIELDS: Mapping[str, str] = {"webhook_url": "webhook", "deadline_s": "cancel_after"}
"""What is called otherwise at this door."""


class InvalidField(Document):
    """One place in the body that does not fit."""

    type: str
    field: str = Field(examples=["input.width"])
    description: str

    @classmethod
    def of(cls, problem: Problem, code: str) -> "InvalidField":
        """From the domain's value; `/input/width` is written `input.width`."""
        parts = [part.replace("~1", "/").replace("~0", "~") for part in problem.pointer.lstrip("/").split("/")]
        field = ".".join(_FIELDS.get(part, part) if place == 0 else part for place, part in enumerate(parts))
        return cls(type=code, field=field, description=problem.detail)


class RefusalDocument(Document):
    """What went wrong. `detail` is what clients show; `code` is ours, and stable."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    invalid_fields: list[InvalidField] | None = None


def refuse(error: Refusal, scope: Scope) -> Response:
    """The response to an error of ours."""
    status = refused_status(error)
    fields = _invalid_fields(error)
    document = RefusalDocument(
        type=f"urn:genpulse:problem:{error.code}",
        title=_title(error, status),
        status=status,
        detail=_detail(error, status, fields),
        instance=scope["path"][:200],
        code=error.code,
        invalid_fields=fields or None,
    )
    headers = {"Cache-Control": "no-store", **headers_of(error)}
    return Response(document.model_dump_json(exclude_none=True), status, headers, MEDIA_TYPE)


def _title(error: Refusal, status: int) -> str:
    if error.code in _OWN_TITLES:
        return _OWN_TITLES[error.code]
    if status == _CALLERS and not isinstance(error, BadInput):
        return error.code.replace("_", " ").capitalize()
    return _TITLES.get(status) or HTTPStatus(status).phrase


def refused_status(error: Refusal) -> int:
    """The status here: no 409, which clients would repeat, and 402 for whatever is about money."""
    if isinstance(error, KeyLimitExceeded) and error.use is not None and error.use.measure is Measure.USD:
        return HTTPStatus.PAYMENT_REQUIRED
    status = status_of(error)
    return _CALLERS if status == HTTPStatus.CONFLICT else status


def _invalid_fields(error: Refusal) -> list[InvalidField]:
    if not isinstance(error, BadInput):
        return []
    return [InvalidField.of(problem, error.code) for problem in error.problems[:SHOWN_AT_MOST]]


def _detail(error: Refusal, status: int, fields: list[InvalidField]) -> str:
    message = str(error)
    match status:
        case HTTPStatus.TOO_MANY_REQUESTS:
            resets_s = getattr(error, "retry_after_s", 1)
            return f"Request was throttled. Your rate limit resets in ~{resets_s}s. {message}"
        case HTTPStatus.PAYMENT_REQUIRED:
            return f"You have insufficient credit to run this model. {message}"
        case HTTPStatus.UNAUTHORIZED if isinstance(error, AuthenticationRequired):
            return f"You did not pass a valid authentication token. {message}"
        case _ if fields and not isinstance(error, BudgetExceeded):
            return "\n".join([message, *(f"- {field.field}: {field.description}" for field in fields)])
        case _:
            return message
