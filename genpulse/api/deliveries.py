"""What was told about a task by webhook."""

from pydantic import ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from genpulse.api import answers
from genpulse.api.context import context_in
from genpulse.api.documents import Document, Time
from genpulse.api.tasks import TASK_PATH, TaskId

routes = answers.router("tasks")


class DeliveryDocument(Document):
    """A webhook message and what became of it."""

    model_config = ConfigDict(title="Delivery")

    id: str
    """The message's id; it stays the same over all tries."""
    type: str = Field(examples=["task.succeeded"])
    attempts: int
    """How often it was sent."""
    status_code: int | None
    """The last answer; null when there was none."""
    delivered_at: Time | None
    next_try_at: Time | None


class DeliveryPage(Document):
    """The webhook deliveries of a task, oldest first."""

    data: list[DeliveryDocument]


@routes.get(
    f"{TASK_PATH}/deliveries",
    summary="List a task's webhook deliveries",
    responses=answers.described(200, "The deliveries, oldest first", DeliveryPage) | answers.refusals(404),
)
async def list_deliveries(request: Request, task_id: TaskId) -> Response:
    """The webhook deliveries of a task."""
    await context_in(request.scope).services.store.get(task_id)
    return answers.json(DeliveryPage(data=[]))
