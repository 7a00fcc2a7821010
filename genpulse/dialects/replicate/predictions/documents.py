"""A task as a prediction of Replicate."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pydantic import ConfigDict, SkipValidation

from genpulse.api.schemas.document import Document, Time
from genpulse.dialects.model_names import ModelNames
from genpulse.dialects.replicate.files.input_files import shown_input
from genpulse.dialects.replicate.links import ReplicateLinks
from genpulse.dialects.replicate.models.versions import shown
from genpulse.dialects.replicate.predictions.outputs import output_of
from genpulse.dialects.replicate.predictions.progress_line import logs_of
from genpulse.domain.failure import FailureCode
from genpulse.domain.task import Task, TaskStatus
from genpulse.ports import Services

STARTING = "starting"
_STATUSES: Mapping[TaskStatus, str] = {
    TaskStatus.QUEUED: STARTING,
    TaskStatus.RUNNING: "processing",
    TaskStatus.SUCCEEDED: "succeeded",
    TaskStatus.FAILED: "failed",
    TaskStatus.CANCELED: "canceled",
}


def status_of(task: Task) -> str:
    """Its status in Replicate's words. A missed deadline is `canceled`: old clients wait for ever on `aborted`."""
    if task.error is not None and task.error.code is FailureCode.DEADLINE_EXCEEDED and task.status.ended:
        return _STATUSES[TaskStatus.CANCELED]
    return _STATUSES[task.status]


def error_of(task: Task) -> str | None:
    """Why it failed, with the code of that at its end."""
    return f"{task.error.message} ({task.error.code})" if task.error else None


def metrics_of(task: Task) -> Mapping[str, float]:
    """How long it took, in seconds: the work alone, and all together. What has not ended has none."""
    if task.finished_at is None:
        return {}
    metrics = {"total_time": _seconds(task.created_at, task.finished_at)}
    if task.started_at is not None:
        metrics["predict_time"] = _seconds(task.started_at, task.finished_at)
    return metrics


def _seconds(begin: datetime, end: datetime) -> float:
    return max(0.0, (end - begin).total_seconds())


class PredictionUrls(Document):
    """Where to go from here."""

    get: str
    cancel: str
    stream: str
    web: str


class PredictionDocument(Document):
    """A prediction. Every field is there at all times, since clients of several versions read it."""

    model_config = ConfigDict(title="Prediction")

    id: str
    model: str
    version: str
    input: SkipValidation[Mapping[str, object]]
    output: SkipValidation[object]
    logs: str
    error: str | None
    status: str
    created_at: Time
    started_at: Time | None
    completed_at: Time | None
    deadline: Time | None
    data_removed: bool = False
    source: str = "api"
    metrics: SkipValidation[Mapping[str, float]]
    urls: PredictionUrls


@dataclass(frozen=True, slots=True)
class PredictionView:
    """How tasks are shown to one caller."""

    services: Services
    names: ModelNames
    links: ReplicateLinks

    def document(self, task: Task, status: str | None = None) -> PredictionDocument:
        """The task as a prediction; `status` is said in place of its own."""
        model = shown(self.names, (task.route and task.route.name) or task.model)
        url = self.links.prediction(task.id)
        return PredictionDocument(
            id=str(task.id),
            model=model.name,
            version=model.version,
            input=shown_input(task.input, self.links),
            output=output_of(task, self.services, self.links),
            logs=logs_of(task),
            error=error_of(task),
            status=status or status_of(task),
            created_at=task.created_at,
            started_at=task.started_at,
            completed_at=task.finished_at,
            deadline=task.deadline_at,
            metrics=metrics_of(task),
            urls=PredictionUrls(
                get=url,
                cancel=f"{url}/cancel",
                stream=self.links.stream(task.id),
                web=self.links.ours.task(task.id),
            ),
        )
