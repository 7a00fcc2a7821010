"""Tasks: submitting them, looking at them, changing their course."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import Path
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from genpulse.api.auth.key_filter import keys_shown
from genpulse.api.context import Context, caller_of, context_in, links_for, task_for
from genpulse.api.requests import headers as request_headers
from genpulse.api.requests import json_body
from genpulse.api.responses import encoded
from genpulse.api.responses.deprecation import DEPRECATION_HEADERS, deprecation_headers
from genpulse.api.schemas.tasks.documents import TaskDocument
from genpulse.api.schemas.tasks.new_task import new_task_json
from genpulse.api.schemas.tasks.submission import IDEMPOTENCY_KEY, OrderDocument, RetryDocument
from genpulse.background.cancel_handles import unless_stopping
from genpulse.domain.errors import Unavailable, UnknownTask
from genpulse.domain.task import Submitted, Task
from genpulse.lifecycle import cancel as cancelling
from genpulse.lifecycle import retry as retrying
from genpulse.lifecycle.submission import submit as submitting
from genpulse.lifecycle.watch import wait

TASKS_PATH = "/v1/tasks"
TASK_PATH = "/v1/tasks/{task_id}"
BATCH = "batch"
ACTIONS = "actions"
_WRITTEN_OUT = frozenset({BATCH, ACTIONS})
"""What stands in the place of an id, and takes another method."""

routes = encoded.router("tasks")
TaskId = Annotated[UUID, Path(description="The `id` of a task")]

_LOCATION = ("Location", "Address of the task")
COST_HEADER = "X-GenPulse-Cost-USD"
_COST = (COST_HEADER, "What a task that has ended has cost, in US dollars; not there where nobody knows")
_TASK_HEADERS = (_COST, *DEPRECATION_HEADERS)
_SUBMIT_HEADERS = (
    _LOCATION,
    ("Idempotent-Replayed", "`true` when the key was known and this is the earlier task"),
    ("Preference-Applied", "`wait=N`, the seconds for which the end was waited for at most"),
    *DEPRECATION_HEADERS,
    _COST,
)
_SUBMIT_PARAMETERS = [
    {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "The same key and body give the same task, however often they are sent.",
        "schema": {"type": "string", "maxLength": 255, "pattern": IDEMPOTENCY_KEY},
    },
    {
        "name": "Prefer",
        "in": "header",
        "description": (
            "`wait=N` waits up to N seconds (1 to 60) for the end of the task, and no longer than this"
            " installation lets anybody wait (25 s, unless it is configured otherwise); `Preference-Applied` says"
            " how long that was."
        ),
        "schema": {"type": "string"},
        "example": "wait=10",
    },
]


@routes.post(
    TASKS_PATH,
    status_code=202,
    summary="Submit a task",
    responses=encoded.described(202, "The task is queued, and committed", TaskDocument, _SUBMIT_HEADERS)
    | encoded.described(200, "The task has ended while the call waited", TaskDocument, _SUBMIT_HEADERS)
    | encoded.refusals(400, 402, 409, 413, 415, 422),
    openapi_extra={"parameters": _SUBMIT_PARAMETERS, "requestBody": encoded.taken(OrderDocument)},
)
async def submit_task(request: Request) -> Response:
    """Queue one task. With `Prefer: wait=N` the answer comes when it has ended, or after N seconds."""
    context = context_in(request.scope)
    key = request_headers.idempotency_key(request.headers)
    wait_s = request_headers.wait_s(request.headers, context.options.longest_wait_s)
    caller = caller_of(request)
    order = (await json_body.read(request, OrderDocument)).order(caller.usual_priority)
    submitted = await submitting.submit(context.services, order, idempotency_key=key, caller=caller)
    context.metrics.submitted(submitted)
    task = submitted.task if wait_s is None else await _task_at_end(context, submitted.task, wait_s)
    return _submit_response(request, submitted, task, wait_s)


def _submit_response(request: Request, submitted: Submitted, task: Task, wait_s: int | None) -> Response:
    links = links_for(request)
    headers = {"Location": links.task(task.id), **_headers_of(request, task)}
    if wait_s is None and not submitted.replayed:
        return encoded.JsonResponse(new_task_json(task, links), 202, headers)
    document = TaskDocument.of(task, links)
    if submitted.replayed:
        headers["Idempotent-Replayed"] = "true"
    if wait_s is not None:
        headers["Preference-Applied"] = f"wait={wait_s}"
    ended = wait_s is not None and task.status.ended
    return encoded.json(document, 200 if ended else 202, headers | _cost_of(document))


def _cost_of(document: TaskDocument) -> dict[str, str]:
    return {COST_HEADER: f"{document.cost.amount_usd:f}"} if document.cost and document.status.ended else {}


async def _task_at_end(context: Context, task: Task, wait_s: int) -> Task:
    """The task at its end, or as it stands. It is committed: nothing that happens now is an error."""
    try:
        waited = await unless_stopping(context.stopping, wait(context.services, task.id, wait_s))
    except (Unavailable, UnknownTask):
        return task  # it is away, or the task was deleted meanwhile
    return waited or task


@routes.get(
    TASK_PATH,
    summary="Look at a task",
    responses=encoded.described(200, "The task as it stands", TaskDocument, _TASK_HEADERS) | encoded.refusals(404),
    openapi_extra={"parameters": [encoded.path_parameter("task_id", "The `id` of a task")]},
)
async def show_task(request: Request) -> Response:
    """The task as it stands now."""
    return await _task_response(request, await task_for(request, task_id_in(request)))


def task_id_in(request: Request) -> UUID:
    """The id in the path. Raises `UnknownTask` for what cannot be one."""
    word = request.path_params["task_id"]
    try:
        return UUID(word)
    except ValueError:
        if word in _WRITTEN_OUT:
            raise HTTPException(HTTPStatus.METHOD_NOT_ALLOWED) from None
        raise UnknownTask(repr(word[:100])) from None


@routes.post(
    f"{TASK_PATH}/cancel",
    summary="Cancel a task",
    responses=encoded.described(200, "The task as it stands", TaskDocument, _TASK_HEADERS) | encoded.refusals(404),
)
async def cancel_task(request: Request, task_id: TaskId) -> Response:
    """Ask that a task stops. The answer is the task as it stands; `cancel_requested_at` says that it was asked.

    - A queued task that has nothing open at its provider is `canceled` at once.
    - A running one is as soon as its worker can stop it.
    - An order that was sent is awaited, since nobody knows a job before the provider has named it; then the job is
      stopped at the provider.
    - A request that is answered with the output itself cannot be stopped: the task may still end as `succeeded`,
      with what was paid for.
    - A queued task that has an order open, such as one between two attempts, stays `queued` until a worker has
      stopped that at the provider.
    - A task that has ended is returned unchanged.
    """
    await task_for(request, task_id)
    return await _task_response(request, await cancelling.cancel(context_in(request.scope).services, task_id))


@routes.post(
    f"{TASK_PATH}/retry",
    status_code=202,
    summary="Run a failed task again",
    responses=encoded.described(202, "The task is queued again", TaskDocument, (_LOCATION, *DEPRECATION_HEADERS))
    | encoded.refusals(400, 402, 404, 409, 413, 415, 422),
    openapi_extra={"requestBody": encoded.taken(RetryDocument, required=False)},
)
async def retry_task(request: Request, task_id: TaskId) -> Response:
    """Queue a failed task again, with a new count of failures.

    An order whose end is not known, as after `unknown_outcome`, is taken up and not made anew where the provider
    can be asked about it: where the job's id is known, or where it can be found by our reference. Elsewhere it
    would be ordered again, and perhaps paid for twice: that is refused with 409 `may_be_charged`, which says what
    may still run there. Look into the provider's own list of jobs, and then send `{"even_if_charged": true}`:
    whatever is open there is forgotten, and the task is ordered anew.
    """
    await task_for(request, task_id)
    body = await json_body.read_if_any(request, RetryDocument)
    services = context_in(request.scope).services
    caller = caller_of(request)
    task = await retrying.retry(services, task_id, caller=caller, even_if_charged=body.even_if_charged)
    document = TaskDocument.of(task, links_for(request))
    return encoded.json(document, 202, {"Location": document.urls.self, **_headers_of(request, task)})


async def _task_response(request: Request, task: Task) -> Response:
    keys = await keys_shown(context_in(request.scope).services.keys, caller_of(request), [task])
    document = TaskDocument.of(task, links_for(request), keys.get(task.owner))
    return encoded.json(document, headers=_headers_of(request, task) | _cost_of(document))


def _headers_of(request: Request, task: Task) -> dict[str, str]:
    """What is to be said of the task's model."""
    lifetime = context_in(request.scope).services.catalogue.lifetime(task.model)
    return deprecation_headers(lifetime, links_for(request).base) if lifetime.is_limited else {}
