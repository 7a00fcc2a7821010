"""Errors as fal tells them, and what a failed request answers in place of its result.

Its clients repeat calls by themselves on 408, 409 and 429, and the one for JavaScript on 502 to 504 as well, where
the answer does not say that the user's own time was up. What has ended badly ends as badly each time, and its
answer is none of those.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from starlette.responses import Response
from starlette.types import Scope

from genpulse.api.door import Refusal
from genpulse.api.error_status import headers_of, status_of
from genpulse.api.errors import AuthenticationRequired, Internal
from genpulse.api.responses.encoded import JsonResponse
from genpulse.dialects.fal.errors import RealtimeNotSpoken, UnknownTarget
from genpulse.domain.errors import (
    BadInput,
    BudgetExceeded,
    Problem,
    TaskDeleted,
    Unavailable,
    UnknownModel,
    UploadAddressUsed,
)
from genpulse.domain.failure import Failure, FailureCode
from genpulse.domain.json.value import JsonValue
from genpulse.domain.task import Task, TaskStatus

ERROR_TYPE = "X-Fal-Error-Type"
TIMEOUT_TYPE = {"X-Fal-Request-Timeout-Type": "user"}
"""Says that it was the caller's own time that was up: nothing is tried again."""
CANCELED = "client_cancelled"
_POLICY = "content_policy_violation"
_DOCS = "https://docs.fal.ai/errors"
_SHOWN_AT_MOST = 100


@dataclass(frozen=True, slots=True)
class _Answer:
    """How a failure is told. `is_of_model`: in a list, as apps do it, and else in one text."""

    status: int
    error_type: str
    is_of_model: bool = True
    is_of_user: bool = False


_INTERNAL = _Answer(500, "internal_server_error")
_FAILURES: Mapping[FailureCode, _Answer] = {
    FailureCode.INVALID_INPUT: _Answer(422, "value_error"),
    FailureCode.MODERATION_BLOCKED: _Answer(422, _POLICY),
    FailureCode.PROVIDER_REJECTED: _Answer(400, "downstream_service_error"),
    FailureCode.PROVIDER_UNAVAILABLE: _Answer(500, "downstream_service_unavailable"),
    FailureCode.RATE_LIMITED: _Answer(500, "downstream_service_unavailable"),
    FailureCode.TIMEOUT: _Answer(500, "generation_timeout"),
    FailureCode.DEADLINE_EXCEEDED: _Answer(504, "request_timeout", is_of_model=False, is_of_user=True),
    FailureCode.BUDGET_EXCEEDED: _Answer(403, "budget_exceeded", is_of_model=False),
    FailureCode.PAID_PROVIDER_REFUSED: _Answer(403, "paid_provider_refused", is_of_model=False),
}
_STATUS: Mapping[type[Exception], int] = {
    BudgetExceeded: 403,
    TaskDeleted: 404,
    UploadAddressUsed: 400,
    RealtimeNotSpoken: 400,
    UnknownTarget: 400,
    UnknownModel: 404,
}
"""Where fal answers otherwise than we do: an empty account is 403 there, and 409 would be repeated."""


def refuse(error: Refusal, _scope: Scope) -> Response:
    """The answer to a call that is refused."""
    status = _STATUS.get(type(error)) or status_of(error)
    detail: JsonValue = str(error)
    if isinstance(error, BadInput) and error.problems:
        detail = [_problem(problem) for problem in error.problems[:_SHOWN_AT_MOST]]
    headers = {**headers_of(error), ERROR_TYPE: error.code}
    if isinstance(error, AuthenticationRequired):
        headers["WWW-Authenticate"] = "Key"
    if isinstance(error, Internal | Unavailable):
        headers[ERROR_TYPE] = "internal_error"
    return error_response(status, detail, headers[ERROR_TYPE], headers)


@dataclass(frozen=True, slots=True)
class FailedRequest:
    """A request that has not succeeded. `detail` is what apps answer, `words` the same as one text."""

    status: int
    words: str
    detail: JsonValue
    error_type: str
    headers: Mapping[str, str]

    def response(self) -> Response:
        """The answer where its result is asked for."""
        return error_response(self.status, self.detail, self.error_type, self.headers)


def failed_request(task: Task) -> FailedRequest:
    """How a task is told that has ended and not succeeded."""
    if task.status is TaskStatus.CANCELED:
        return FailedRequest(499, words_of(None), words_of(None), CANCELED, {})
    words, answer = words_of(task.error), _FAILURES.get(task.error.code, _INTERNAL) if task.error else _INTERNAL
    detail: JsonValue = words
    if answer.is_of_model:
        detail = [_told(_place_of(task, answer), words, answer.error_type)]
    headers = TIMEOUT_TYPE if answer.is_of_user else {}
    return FailedRequest(answer.status, words, detail, answer.error_type, headers)


def error_response(
    status: int, detail: JsonValue, error_type: str, headers: Mapping[str, str] | None = None
) -> Response:
    """An error as fal's clients read it."""
    document: dict[str, JsonValue] = {"detail": detail, "error_type": error_type}
    body = json.dumps(document).encode()
    return JsonResponse(body, status, {"cache-control": "no-store", **(headers or {}), ERROR_TYPE: error_type})


def words_of(failure: Failure | None) -> str:
    """What is said of a request that has not succeeded."""
    return failure.message if failure else "The request was cancelled."


def error_type_of(failure: Failure | None) -> str:
    """fal's word for it."""
    return _FAILURES.get(failure.code, _INTERNAL).error_type if failure else CANCELED


def _place_of(task: Task, answer: _Answer) -> Sequence[str]:
    """What is refused for what it says is refused for its prompt, where it has one."""
    return ["body", "prompt"] if answer.error_type == _POLICY and "prompt" in task.input else ["body"]


def _problem(problem: Problem) -> JsonValue:
    names = problem.pointer.split("/")[1:]
    if names == ["webhook_url"]:
        return _told(["query", "fal_webhook"], problem.detail, "value_error")
    place = [_name(name) for name in (names[1:] if names[:1] == ["input"] else names)]
    return _told(["body", *place], problem.detail, "value_error")


def _told(loc: Sequence[str | int], message: str, kind: str) -> JsonValue:
    return {"loc": list(loc), "msg": message, "type": kind, "url": f"{_DOCS}#{kind}", "ctx": {}, "input": None}


def _name(word: str) -> str | int:
    plain = word.replace("~1", "/").replace("~0", "~")
    return int(plain) if plain.isascii() and plain.isdigit() and len(plain) < 10 else plain
