"""What happens to a task while it is watched."""

import json
from dataclasses import dataclass

from genpulse_client.errors import UnexpectedAnswer
from genpulse_client.results.task import Task, task_of
from genpulse_client.sse import ServerEvent


@dataclass(frozen=True, slots=True)
class Event:
    """The task as it stands, or how far it has come: `progress` is 0.0 to 1.0, `message` words for people."""

    id: str
    task: Task | None
    progress: float | None
    message: str | None


def event_of(event: ServerEvent) -> Event | None:
    """An event of the stream; None for one that this client does not know. Raises `UnexpectedAnswer`."""
    if event.name not in {"task", "progress", "done"}:
        return None
    try:
        data = json.loads(event.data)
    except ValueError as error:
        raise UnexpectedAnswer(f"An event of the stream is no JSON: {event.data[:200]!r}") from error
    if event.name != "progress":
        return Event(event.id, task_of(data), None, None)
    if not isinstance(data, dict):
        raise UnexpectedAnswer(f"An event of the stream says no progress: {event.data[:200]!r}")
    return Event(event.id, None, data.get("progress"), data.get("message"))
