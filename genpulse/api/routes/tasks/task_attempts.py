"""The route of a task's attempts."""

from pydantic import ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from genpulse.api.context import caller_of, context_in, task_for
from genpulse.api.responses import encoded
from genpulse.api.routes.tasks.tasks import TASK_PATH, TaskId
from genpulse.api.schemas.document import Document, Time
from genpulse.api.schemas.tasks.documents import FailureDocument
from genpulse.domain.attempt import Attempt, AttemptStatus

routes = encoded.router("tasks")


class AttemptDocument(Document):
    """One try at a task, and what became of it."""

    model_config = ConfigDict(title="Attempt")

    number: int
    """From 1."""
    status: AttemptStatus = Field(examples=["failed"])
    """`released`: its worker gave it back while stopping. `abandoned`: its worker was lost."""
    provider: str = Field(examples=["sandbox"])
    model: str = Field(examples=["sandbox/image"])
    worker: str | None
    """The name of the process that ran it; null unless the caller may see the tasks of every API key."""
    started_at: Time
    finished_at: Time | None
    asked_at: Time | None
    """When the provider was asked for what may cost money; null where it was not, or had been before."""
    job_id: str | None
    """What the provider calls the job."""
    error: FailureDocument | None
    """Why it failed, or was lost."""

    @classmethod
    def of(cls, attempt: Attempt, *, shows_worker: bool) -> "AttemptDocument":
        """From the domain's value."""
        return cls(
            number=attempt.number,
            status=attempt.status,
            provider=attempt.provider,
            model=attempt.model,
            worker=attempt.worker if shows_worker else None,
            started_at=attempt.started_at,
            finished_at=attempt.finished_at,
            asked_at=attempt.submitting_at,
            job_id=attempt.job_id,
            error=FailureDocument.of(attempt.error) if attempt.error else None,
        )


class AttemptPage(Document):
    """All attempts of a task, oldest first."""

    data: list[AttemptDocument]


@routes.get(
    f"{TASK_PATH}/attempts",
    summary="List a task's attempts",
    responses=encoded.described(200, "Its attempts, oldest first", AttemptPage) | encoded.refusals(404),
)
async def list_attempts(request: Request, task_id: TaskId) -> Response:
    """What was tried for a task: when, by whom, how it ended and why. Empty while nothing has begun."""
    await task_for(request, task_id)
    attempts = await context_in(request.scope).services.store.attempts(task_id)
    shows_worker = caller_of(request).sees_all
    data = [AttemptDocument.of(attempt, shows_worker=shows_worker) for attempt in attempts]
    return encoded.json(AttemptPage(data=data))
