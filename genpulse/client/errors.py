"""Errors of the client."""

from genpulse.client.views import TaskView


class ClientError(Exception):
    """Base of the errors of this module."""


class ApiUnreachable(ClientError):
    """Nothing answers at the address."""

    def __init__(self, url: str, why: str) -> None:
        super().__init__(
            f"Nothing answers at {url} ({why}). Start it with `genpulse dev`, or name another address with --api."
        )


class NoId(ClientError, ValueError):
    """A text that no path can name anything by."""

    def __init__(self, text: str) -> None:
        super().__init__(f"{text!r} is no id: it has to be something, and no step to another path.")


class ApiRefused(ClientError):
    """The API said no. `problems` are the places that do not fit, as (place, what is wrong)."""

    def __init__(self, status: int, code: str, detail: str, problems: tuple[tuple[str, str], ...] = ()) -> None:
        places = "".join(f"\n  {place}: {what}" for place, what in problems if what not in detail)
        super().__init__(f"{detail}{places}")
        self.status = status
        self.code = code
        self.problems = problems


class TaskFailed(ClientError):
    """A task ended without success."""

    def __init__(self, task: "TaskView") -> None:
        error = task.error or {}
        why = f"{error.get('code')}: {error.get('message')}" if error else task.status
        super().__init__(f"Task {task.id} ended: {why}")
        self.task = task


class DownloadBroken(ClientError):
    """The bytes that came are not those of the asset."""
