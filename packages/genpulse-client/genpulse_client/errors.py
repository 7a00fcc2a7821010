"""Errors of the client. All of them are `GenPulseError`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from genpulse_client.results.task import Task


class GenPulseError(Exception):
    """Base of all errors.

    `code` is a stable word for programs, `status` the HTTP status and `problem` the problem document (RFC 9457)
    of the answer; both are None where there was no answer, or no such document in it.
    """

    def __init__(
        self, message: str, *, code: str, status: int | None = None, problem: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.problem = problem


class ApiRefused(GenPulseError):
    """The API said no.

    `problems` are the places that do not fit, as (place, what is wrong). `retry_after_s` is for how many seconds
    the API asks not to come again; None where it does not say.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str,
        status: int,
        problem: Mapping[str, Any] | None = None,
        problems: tuple[tuple[str, str], ...] = (),
        retry_after_s: float | None = None,
    ) -> None:
        places = "".join(f"\n  {place}: {what}" for place, what in problems if what not in message)
        super().__init__(f"{message}{places}", code=code, status=status, problem=problem)
        self.problems = problems
        self.retry_after_s = retry_after_s


class ApiUnreachable(GenPulseError):
    """Nothing answers at the address, or the connection broke. `sent` is whether the request may have arrived."""

    def __init__(self, url: str, why: str, *, sent: bool, code: str = "unreachable") -> None:
        what = f"The connection to {url} broke" if sent else f"Nothing answers at {url}"
        advice = "" if sent else " Start it with `genpulse dev`, or name another address."
        super().__init__(f"{what} ({why}).{advice}", code=code)
        self.sent = sent


class ApiTimeout(ApiUnreachable):
    """The server was silent for too long."""

    def __init__(self, url: str, why: str, *, sent: bool) -> None:
        super().__init__(url, why, sent=sent, code="timeout")


class UnexpectedAnswer(GenPulseError):
    """What answers is not GenPulse, or a proxy before it: a redirect, a page of HTML, no JSON."""

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message, code="unexpected_answer", status=status)


class TaskFailed(GenPulseError):
    """A task ended without success. `task` is how it ended; `code` is that of its error, or its status."""

    def __init__(self, task: Task) -> None:
        why = f"{task.error.code}: {task.error.message}" if task.error else task.status
        super().__init__(f"Task {task.id} ended: {why}", code=task.error.code if task.error else task.status)
        self.task = task


class TaskNotEnded(GenPulseError):
    """A task had not ended when the time to wait for it was over. It goes on; `task_id` names it."""

    def __init__(self, task_id: str, timeout_s: float) -> None:
        super().__init__(f"Task {task_id} has not ended within {timeout_s:g} s. It goes on.", code="not_ended")
        self.task_id = task_id


class DownloadBroken(GenPulseError):
    """The bytes that came are not those of the asset."""

    def __init__(self, asset_id: str) -> None:
        super().__init__(
            f"The bytes of asset {asset_id} do not have the digest that it should have. Fetch it again.",
            code="download_broken",
        )


class InvalidId(GenPulseError, ValueError):
    """A text that no path can name anything by."""

    def __init__(self, text: str) -> None:
        super().__init__(
            f"{text!r} is no id: it has to be something, and no step to another path.", code="invalid_id"
        )


class InvalidWebhook(GenPulseError):
    """A message that is not from GenPulse, is too old, or cannot be read."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code="invalid_webhook")
