"""The status of a request, as fal tells it."""

from collections.abc import Mapping
from dataclasses import dataclass

from genpulse.dialects.fal.refusals import error_type_of, words_of
from genpulse.dialects.standing import Standing
from genpulse.domain.failure import Failure
from genpulse.domain.json.value import JsonObject, JsonValue
from genpulse.domain.task import TaskStatus

_WORDS: Mapping[TaskStatus, str] = {
    TaskStatus.QUEUED: "IN_QUEUE",
    TaskStatus.RUNNING: "IN_PROGRESS",
    TaskStatus.SUCCEEDED: "COMPLETED",
    TaskStatus.FAILED: "COMPLETED",
    TaskStatus.CANCELED: "COMPLETED",
}
"""A request that failed is COMPLETED: its failure is where its result would be."""


@dataclass(frozen=True, slots=True)
class RequestUrls:
    """The addresses of a request. `base` is that of its app in the queue, without a slash at its end."""

    base: str
    request_id: str

    def document(self) -> JsonObject:
        """As documents carry them."""
        url = f"{self.base}/requests/{self.request_id}"
        return {"response_url": url, "status_url": f"{url}/status", "cancel_url": f"{url}/cancel"}


def status_code(standing: Standing) -> int:
    """The HTTP status that goes with it."""
    return 200 if standing.status.ended else 202


def status_document(standing: Standing, urls: RequestUrls, position: int, *, with_logs: bool) -> JsonObject:
    """The document. `position` is how many wait before it at most."""
    word = _WORDS[standing.status]
    common: dict[str, JsonValue] = {"status": word, "request_id": str(standing.id), **urls.document()}
    if standing.status is TaskStatus.QUEUED:
        return common | {"queue_position": position}
    logs = _logs(standing) if with_logs else None
    if not standing.status.ended:
        return common | {"logs": logs}
    return common | {"logs": logs, "metrics": _metrics(standing), **_error(standing.status, standing.error)}


def _metrics(standing: Standing) -> JsonObject:
    began, ended = standing.started_at, standing.finished_at
    return {"inference_time": (ended - began).total_seconds()} if began and ended else {}


def _error(status: TaskStatus, failure: Failure | None) -> JsonObject:
    if status is TaskStatus.SUCCEEDED:
        return {"error": None, "error_type": None}
    return {"error": words_of(failure), "error_type": error_type_of(failure)}


def _logs(standing: Standing) -> JsonValue:
    """What the engine said while somebody asked."""
    return [
        {"message": line.message, "level": "INFO", "source": "USER", "timestamp": line.at.isoformat()}
        for line in standing.lines
    ]
