"""The routes of webhook deliveries."""

from typing import Annotated
from uuid import UUID

from fastapi import Path
from pydantic import ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from genpulse.api.context import context_in, task_for
from genpulse.api.responses import encoded
from genpulse.api.routes.tasks.tasks import TASK_PATH, TaskId
from genpulse.api.schemas.document import Document, Time
from genpulse.domain.webhook_delivery import Delivery, DeliveryState

routes = encoded.router("tasks")
DeliveryId = Annotated[UUID, Path(description="The `id` of a delivery")]


class DeliveryDocument(Document):
    """A webhook message and what became of it."""

    model_config = ConfigDict(title="Delivery")

    id: UUID
    message_id: str = Field(examples=["msg_0198c0ffee"])
    """The receiver sees it as `webhook-id`; it stays the same over all tries."""
    type: str = Field(examples=["task.succeeded"])
    form: str = Field(examples=["", "replicate"])
    """In whose words it is told; empty for our own."""
    url: str
    state: DeliveryState
    """`given_up` after a day of tries, or when the receiver said 410; sent again by hand it gets another day."""
    attempts: int
    """How often it was sent."""
    status_code: int | None
    """The last answer; null when there was none."""
    error: str | None
    """Why the last try was none."""
    created_at: Time
    delivered_at: Time | None
    next_try_at: Time | None

    @classmethod
    def of(cls, delivery: Delivery) -> "DeliveryDocument":
        """From the domain's value."""
        return cls(
            id=delivery.id,
            message_id=delivery.message_id,
            type=delivery.type,
            form=delivery.form,
            url=delivery.url,
            state=delivery.state,
            attempts=delivery.tries,
            status_code=delivery.status_code,
            error=delivery.error or None,
            created_at=delivery.created_at,
            delivered_at=delivery.delivered_at,
            next_try_at=delivery.next_try_at,
        )


class DeliveryPage(Document):
    """The webhook deliveries of a task, oldest first."""

    data: list[DeliveryDocument]


@routes.get(
    f"{TASK_PATH}/deliveries",
    summary="List a task's webhook deliveries",
    responses=encoded.described(200, "The deliveries, oldest first", DeliveryPage) | encoded.refusals(404),
)
async def list_deliveries(request: Request, task_id: TaskId) -> Response:
    """The webhook deliveries of a task."""
    services = context_in(request.scope).services
    await task_for(request, task_id)
    deliveries = await services.deliveries.of_task(task_id)
    return encoded.json(DeliveryPage(data=[DeliveryDocument.of(delivery) for delivery in deliveries]))


@routes.post(
    f"{TASK_PATH}/deliveries/{{delivery_id}}/retry",
    status_code=202,
    summary="Send a webhook delivery again",
    responses=encoded.described(202, "It is sent as soon as possible", DeliveryDocument)
    | encoded.refusals(404, 422),
)
async def send_again(request: Request, task_id: TaskId, delivery_id: DeliveryId) -> Response:
    """Send it again, under the same id, also when it was received or given up."""
    services = context_in(request.scope).services
    await task_for(request, task_id)
    delivery = await services.deliveries.again(task_id, delivery_id)
    return encoded.json(DeliveryDocument.of(delivery), 202)
