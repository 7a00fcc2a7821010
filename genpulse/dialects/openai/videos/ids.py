"""Ids of videos: `video_` and the id of the task in hexadecimal digits."""

from uuid import UUID

from genpulse.domain.errors import UnknownTask

_PREFIX = "video_"


def video_id(task_id: UUID) -> str:
    """The id under which a task is a video."""
    return f"{_PREFIX}{task_id.hex}"


def task_id_of(word: str) -> UUID:
    """The task that is meant, also by its own id. Raises `UnknownTask`."""
    try:
        return UUID(word.removeprefix(_PREFIX))
    except ValueError:
        raise UnknownTask(repr(word[:100])) from None
