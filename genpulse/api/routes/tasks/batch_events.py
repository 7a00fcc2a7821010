"""Watching a batch through Server-Sent Events."""

from functools import partial
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response
from typing_extensions import TypeAliasType

from genpulse.api.context import batch_for, context_in, links_for
from genpulse.api.requests import headers
from genpulse.api.responses import encoded
from genpulse.api.responses.streams import KEEP_ALIVE, EventStream, event_bytes
from genpulse.api.routes.tasks.batches import BATCH_PATH, BatchId
from genpulse.api.schemas.document import Document
from genpulse.api.schemas.links import Links
from genpulse.api.schemas.tasks.batches import BatchStandingDocument
from genpulse.api.schemas.tasks.documents import TaskDocument
from genpulse.lifecycle.watch_batch import BatchUpdate, is_told, watch_batch

BatchEventName = TypeAliasType("BatchEventName", Literal["batch", "end", "done"])
_DATA: dict[str, Any] = {"anyOf": [encoded.reference(BatchStandingDocument), encoded.reference(TaskDocument)]}


class BatchEventDocument(Document):
    """One event of a batch's stream."""

    model_config = ConfigDict(title="BatchEvent")

    id: str = Field(pattern=r"^[0-9]{1,18}$", examples=["42"])
    """Grows; give the last one as `Last-Event-ID` to resume."""
    event: BatchEventName
    data: str = Field(json_schema_extra={"contentMediaType": "application/json", "contentSchema": _DATA})
    """A `BatchStanding` as JSON; in `end` events the `Task` that has ended."""


_MEANING = (
    "First a `batch` event, which says how the batch stands; then an `end` event with each task that has ended,"
    " and a `batch` event after each change of the counts. After `done`, which carries the batch at its end, the"
    " stream"
    " ends. With `Last-Event-ID` the ends come that were not told by then; one may come twice, as a task that ends"
    " twice when it runs again does."
)
_STREAM = encoded.event_stream(BatchEventDocument)

routes = encoded.router("tasks")


@routes.get(
    f"{BATCH_PATH}/events",
    summary="Watch a batch",
    response_class=Response,
    responses=encoded.described(200, _MEANING, _STREAM)
    | encoded.described(204, "The client has the last event already")
    | encoded.refusals(400, 404),
    openapi_extra={"parameters": [encoded.LAST_EVENT_ID]},
)
async def watch_a_batch(request: Request, batch_id: BatchId) -> Response:
    """How the batch stands, then each end of a task, as Server-Sent Events."""
    context = context_in(request.scope)
    after = headers.last_event_id(request.headers)
    batch = await batch_for(request, batch_id)
    if after is not None and is_told(batch, after):
        return Response(status_code=204)
    updates = watch_batch(context.services, batch_id, after=after, idle_s=context.options.keep_alive_s)
    return EventStream(
        updates, partial(_frame, links_for(request)), context.cancel_handles, context.metrics.watchers
    )


def _frame(links: Links, update: BatchUpdate | None) -> bytes:
    if update is None:
        return KEEP_ALIVE
    data: BaseModel
    if update.task is not None:
        name, data = "end", TaskDocument.of(update.task, links)
    elif update.batch is not None:
        name, data = "done" if update.is_last else "batch", BatchStandingDocument.of(update.batch, links)
    else:
        return KEEP_ALIVE
    return event_bytes(update.number, name, data)
