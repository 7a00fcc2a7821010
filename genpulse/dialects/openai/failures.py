"""What a task that did not succeed is in OpenAI's words."""

from collections.abc import Mapping

from genpulse.dialects.openai.refusals import INVALID, SERVER, CallRefused
from genpulse.dialects.openai.videos.ids import video_id
from genpulse.domain.failure import Actor, Failure, FailureCode
from genpulse.domain.task import Task, TaskStatus

CANCELED = "canceled"
"""The dialect has no word for it but the code of an error."""

_STATUS: Mapping[FailureCode, int] = {
    FailureCode.INVALID_INPUT: 400,
    FailureCode.MODERATION_BLOCKED: 400,
    FailureCode.RATE_LIMITED: 429,
    FailureCode.QUOTA_EXHAUSTED: 429,
    FailureCode.BUDGET_EXCEEDED: 429,
    FailureCode.PROVIDER_UNAVAILABLE: 503,
    FailureCode.TIMEOUT: 504,
    FailureCode.DEADLINE_EXCEEDED: 504,
}
_BAD_GATEWAY = 502
_BAD_REQUEST, _SERVER_ERRORS = 400, 500


def refusal_of(task: Task) -> CallRefused:
    """The error with which a held call ends whose task has ended without success.

    Whatever was asked of a provider is not asked again: no client repeats it.
    """
    about = f"It was the task {task.id}."
    if task.status is TaskStatus.CANCELED:
        return CallRefused(f"The task was canceled. {about}", CANCELED)
    failure = task.error
    if failure is None:
        return CallRefused(f"The task failed. {about}", "internal", status=500, kind=SERVER)
    status = _status_of(failure)
    kind = SERVER if status >= _SERVER_ERRORS else _kind_of(task, failure)
    return CallRefused(f"{failure.message} {about}", failure.code.value, status=status, kind=kind)


def still_running(task: Task, wait_s: float) -> CallRefused:
    """The error of a call that was held as long as it may be, while its task goes on."""
    return CallRefused(
        f"The task {task.id} goes on, and this call waits for no more than {wait_s:g} s. Do not order it again:"
        f" look at it under /v1/tasks/{task.id}, or as the video {video_id(task.id)}.",
        "still_running",
        status=504,
        kind=SERVER,
    )


def video_error(task: Task) -> dict[str, str] | None:
    """The `error` of a video."""
    match task.status:
        case TaskStatus.CANCELED:
            return {"code": CANCELED, "message": "The video was canceled."}
        case TaskStatus.FAILED if task.error is not None:
            return {"code": task.error.code.value, "message": task.error.message}
        case TaskStatus.FAILED:
            return {"code": "internal", "message": "The video failed."}
        case _:
            return None


def _status_of(failure: Failure) -> int:
    known = _STATUS.get(failure.code)
    if known is not None:
        return known
    return _BAD_REQUEST if failure.who_must_act is Actor.CALLER else _BAD_GATEWAY


def _kind_of(task: Task, failure: Failure) -> str:
    if failure.code is FailureCode.MODERATION_BLOCKED and task.kind.endswith("-to-image"):
        return "image_generation_user_error"
    if failure.code in {FailureCode.QUOTA_EXHAUSTED, FailureCode.BUDGET_EXCEEDED}:
        return "insufficient_quota"
    return "requests" if failure.code is FailureCode.RATE_LIMITED else INVALID
