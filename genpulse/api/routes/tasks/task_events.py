"""Watching a task through Server-Sent Events."""

from functools import partial
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response
from typing_extensions import TypeAliasType

from genpulse.api.context import context_in, links_for, task_for
from genpulse.api.requests import headers
from genpulse.api.responses import encoded
from genpulse.api.responses.streams import KEEP_ALIVE, EventStream, event_bytes
from genpulse.api.routes.tasks.tasks import TASK_PATH, task_id_in
from genpulse.api.schemas.document import Document
from genpulse.api.schemas.links import Links
from genpulse.api.schemas.tasks.documents import ProgressDocument, TaskDocument
from genpulse.lifecycle.watch import Update, watch

EVENTS_PATH = f"{TASK_PATH}/events"

EventName = TypeAliasType("EventName", Literal["task", "progress", "done"])
_DATA: dict[str, Any] = {"anyOf": [encoded.reference(TaskDocument), encoded.reference(ProgressDocument)]}


class EventDocument(Document):
    """One event of a task's stream."""

    model_config = ConfigDict(title="Event")

    id: str = Field(pattern=r"^[0-9]{1,18}$", examples=["42"])
    """Grows; give the last one as `Last-Event-ID` to resume."""
    event: EventName
    data: str = Field(json_schema_extra={"contentMediaType": "application/json", "contentSchema": _DATA})
    """A `Task` as JSON; in `progress` events a `Progress`."""


_MEANING = (
    "`task` events carry the task, and tell each change of its status and of what it waits for, and that somebody"
    " wants it to stop; `progress` events only say how far it has come. After `done`, which carries the task at"
    " its end, the stream ends. Ids grow over all attempts of a task."
)
_STREAM = encoded.event_stream(EventDocument)

routes = encoded.router("tasks")


@routes.get(
    EVENTS_PATH,
    summary="Watch a task",
    response_class=Response,
    responses=encoded.described(200, _MEANING, _STREAM)
    | encoded.described(204, "The client has the last event already")
    | encoded.refusals(400, 404),
    openapi_extra={
        "parameters": [
            encoded.path_parameter("task_id", "The `id` of a task"),
            encoded.LAST_EVENT_ID,
            encoded.EXPIRES,
        ]
    },
)
async def watch_task(request: Request) -> Response:
    """The task as it is, then each change, as Server-Sent Events.

    `urls.events` of a task is signed, so that an `EventSource` needs no header. It shows the task with its input,
    for an hour.
    """
    context = context_in(request.scope)
    after = headers.last_event_id(request.headers)
    task_id = task_id_in(request)
    task = await task_for(request, task_id)
    if after is not None and task.status.ended and task.seq <= after:
        return Response(status_code=204)
    updates = watch(context.services, task_id, after=after, idle_s=context.options.keep_alive_s)
    frame = partial(_frame, task_id, links_for(request))
    return EventStream(updates, frame, context.cancel_handles, context.metrics.watchers)


def _frame(task_id: UUID, links: Links, update: Update | None) -> bytes:
    if update is None:
        return KEEP_ALIVE
    data: BaseModel
    if update.task is not None:
        name = "done" if update.task.status.ended else "task"
        data = TaskDocument.of(update.task, links)
    else:
        name = "progress"
        data = ProgressDocument(task_id=task_id, progress=update.progress, message=update.message)
    return event_bytes(update.seq, name, data)
