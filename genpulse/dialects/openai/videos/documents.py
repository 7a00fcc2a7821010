"""A task as a video."""

from collections.abc import Mapping
from dataclasses import dataclass

from genpulse.dialects.openai.failures import video_error
from genpulse.dialects.openai.videos.ids import video_id
from genpulse.domain.json.value import JsonObject, JsonValue
from genpulse.domain.routing.adaptation import SAME_MEANING
from genpulse.domain.routing.picture_size import size_of
from genpulse.domain.task import Task, TaskStatus

STATUS: Mapping[TaskStatus, str] = {
    TaskStatus.QUEUED: "queued",
    TaskStatus.RUNNING: "in_progress",
    TaskStatus.SUCCEEDED: "completed",
    TaskStatus.FAILED: "failed",
    TaskStatus.CANCELED: "failed",
}
"""The dialect has no word for a canceled video: its `error.code` says it."""
_LENGTHS = next(group for group in SAME_MEANING if "duration_s" in group)
_PROMPTS = next(group for group in SAME_MEANING if "prompt" in group)
_ALMOST = 99


@dataclass(frozen=True, slots=True)
class VideoDocument:
    """A video as OpenAI's clients know it. `model` is the name under which they find its model."""

    task: Task
    model: str

    def document(self) -> JsonObject:
        """The JSON object."""
        task = self.task
        finished_at, retain_s = task.finished_at, task.retain_s
        ended_at = int(finished_at.timestamp()) if finished_at else None
        return {
            "id": video_id(task.id),
            "object": "video",
            "model": self.model,
            "status": STATUS[task.status],
            "progress": _progress(task),
            "created_at": int(task.created_at.timestamp()),
            "completed_at": ended_at if task.status is TaskStatus.SUCCEEDED else None,
            "expires_at": None if ended_at is None or retain_s is None else ended_at + retain_s,
            "prompt": _text(task, _PROMPTS),
            "seconds": _seconds(task),
            "size": _size(task),
            "remixed_from_video_id": None,
            "error": video_error(task),
        }


def _progress(task: Task) -> int:
    """In whole percent: clients do not know of fractions."""
    if task.status is TaskStatus.SUCCEEDED:
        return 100
    return min(_ALMOST, int((task.progress or 0.0) * 100))


def _text(task: Task, names: tuple[str, ...]) -> str | None:
    return next((value for name in names if isinstance(value := task.input.get(name), str)), None)


def _seconds(task: Task) -> str:
    value: JsonValue = next((task.input[name] for name in _LENGTHS if task.input.get(name) is not None), None)
    if value is None and task.outputs:
        value = task.outputs[0].content.duration_s
    if isinstance(value, int | float):
        return f"{round(value, 2):g}"
    return value if isinstance(value, str) else ""


def _size(task: Task) -> str:
    size = size_of(task.input)
    if size is not None and size.is_exact:
        return f"{size.width}x{size.height}"
    content = task.outputs[0].content if task.outputs else None
    return f"{content.width}x{content.height}" if content and content.width and content.height else ""
