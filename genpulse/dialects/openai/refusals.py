"""Errors in OpenAI's shape, so that its client raises the exception that it knows for each."""

from collections.abc import Mapping

from pydantic_core import to_json
from starlette.responses import Response
from starlette.types import Scope

from genpulse.api.door import Refusal
from genpulse.api.error_status import headers_of, status_of
from genpulse.api.errors import AuthenticationRequired, Internal, TooManyRequests, UnknownCall
from genpulse.api.responses.encoded import JsonResponse
from genpulse.domain.errors import (
    BadInput,
    BudgetExceeded,
    GenPulseError,
    KeyLimitExceeded,
    ModelShutDown,
    Refused,
    Unavailable,
    UnknownModel,
    UnknownRoute,
)

INVALID = "invalid_request_error"
SERVER = "server_error"
NEVER_AGAIN = {"x-should-retry": "false"}
"""Steers the clients, which else send 408, 409, 429 and 5xx again by themselves."""

_PLAIN_STATUS = frozenset({400, 401, 403, 404, 405, 408, 413, 415, 416, 429, 500, 503})
"""Others of ours have no exception of their own at the clients, or make these send the call again."""
_MENDED_BY_WAITING = frozenset({408, 429, 500, 503})
_WORTH_WAITING_S = 60
"""A client in JavaScript waits for whatever `Retry-After` says, also until tomorrow."""
_WORDS: Mapping[type[GenPulseError], tuple[int, str, str]] = {
    AuthenticationRequired: (401, INVALID, "invalid_api_key"),
    UnknownModel: (404, INVALID, "model_not_found"),
    UnknownRoute: (400, INVALID, "missing_required_parameter"),
    ModelShutDown: (404, INVALID, "model_not_found"),
    UnknownCall: (404, INVALID, "unknown_url"),
    BudgetExceeded: (429, "insufficient_quota", "insufficient_quota"),
    KeyLimitExceeded: (429, "insufficient_quota", "insufficient_quota"),
    TooManyRequests: (429, "requests", "rate_limit_exceeded"),
}
"""Status, type and code where they are not ours."""
_ABOUT_MODEL = (UnknownModel, UnknownRoute, ModelShutDown)


class CallRefused(Refused):
    """What this door alone refuses, in its own words. `field` is the one that is meant.

    `headers` go with the answer. No client sends such a call again by itself.
    """

    def __init__(
        self,
        message: str,
        word: str,
        *,
        field: str | None = None,
        status: int = 400,
        kind: str = INVALID,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.word = word
        self.field = field
        self.status = status
        self.kind = kind
        self.headers = {**NEVER_AGAIN, **(headers or {})}


def refuse(error: Refusal, scope: Scope) -> Response:
    """The answer to an error."""
    del scope
    if isinstance(error, CallRefused):
        return _answer(error.status, str(error), error.kind, error.field, error.word, error.headers)
    status, kind, word = _words_of(error)
    retry = {} if is_sent_again(error) else NEVER_AGAIN
    return _answer(status, str(error), kind, _field_of(error), word, {**headers_of(error), **retry})


def is_sent_again(error: Refusal) -> bool:
    """Whether clients send a call that got this answer again by themselves."""
    if isinstance(error, CallRefused):
        return False
    status, _, _ = _words_of(error)
    return status in _MENDED_BY_WAITING and _wait_s(error) <= _WORTH_WAITING_S


def error_document(message: str, kind: str, field: str | None, word: str | None) -> dict[str, object]:
    """The body of an error."""
    return {"error": {"message": message, "type": kind, "param": field, "code": word}}


def _answer(
    status: int, message: str, kind: str, field: str | None, word: str, headers: Mapping[str, str]
) -> Response:
    body = to_json(error_document(message, kind, field, word))
    return JsonResponse(body, status, {"Cache-Control": "no-store", **headers})


def _wait_s(error: Refusal) -> float:
    """Seconds after which it is worth asking again."""
    limits = BudgetExceeded | KeyLimitExceeded | TooManyRequests
    return error.retry_after_s if isinstance(error, limits) else 0.0


def _words_of(error: Refusal) -> tuple[int, str, str]:
    if isinstance(error, KeyLimitExceeded) and _wait_s(error) <= _WORTH_WAITING_S:
        return _WORDS[TooManyRequests]
    for kind in type(error).__mro__:
        if kind in _WORDS:
            return _WORDS[kind]
    status = status_of(error)
    if isinstance(error, Unavailable | Internal):
        return status, SERVER, error.code
    return status if status in _PLAIN_STATUS else 400, INVALID, error.code


def _field_of(error: Refusal) -> str | None:
    if isinstance(error, _ABOUT_MODEL):
        return "model"
    if not isinstance(error, BadInput) or not error.problems:
        return None
    return error.problems[0].pointer.removeprefix("/").removeprefix("input/").replace("/", ".") or None
