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
from genpulse.domain.attempt_times import AttemptTimes

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
    taken_at: Time | None
    """When the provider had taken the order and the id of its job was kept.

    This and the moments below, to the millisecond, are written down when the attempt ends. They are null while it
    runs, when its worker was lost, where it did not come so far, and of attempts from before they were kept.
    """
    first_polled_at: Time | None
    """When the provider first answered what became of the job."""
    last_polled_at: Time | None
    """The same for the last time."""
    polls: int | None = Field(examples=[7])
    """How often it has answered that; null where nobody knows."""
    done_at: Time | None
    """When the work was done, so that its outputs could be had."""
    collected_at: Time | None
    """When all outputs had been received."""
    stored_at: Time | None
    """When they had been stored."""
    job_id: str | None
    """What the provider calls the job."""
    error: FailureDocument | None
    """Why it failed, or was lost."""

    @classmethod
    def of(cls, attempt: Attempt, *, shows_worker: bool) -> "AttemptDocument":
        """From the domain's value."""
        times = attempt.times or AttemptTimes()
        moments = times.moments(attempt.started_at, attempt.submitting_at)
        return cls(
            number=attempt.number,
            status=attempt.status,
            provider=attempt.provider,
            model=attempt.model,
            worker=attempt.worker if shows_worker else None,
            started_at=attempt.started_at,
            finished_at=attempt.finished_at,
            asked_at=attempt.submitting_at,
            taken_at=moments.taken_at,
            first_polled_at=moments.first_polled_at,
            last_polled_at=moments.last_polled_at,
            polls=attempt.times.polls if attempt.times else None,
            done_at=moments.done_at,
            collected_at=moments.collected_at,
            stored_at=moments.stored_at,
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
