"""Batches: submitting tasks together, and seeing and changing them as one thing."""

from typing import Annotated
from uuid import UUID

from fastapi import Path, Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from starlette.requests import Request
from starlette.responses import Response

from genpulse.api.context import batch_for, caller_of, context_in, links_for
from genpulse.api.requests import headers as request_headers
from genpulse.api.requests import json_body
from genpulse.api.requests.page_cursor import decode_bound, encode_bound
from genpulse.api.requests.query_parameters import refuse_doubled
from genpulse.api.responses import encoded
from genpulse.api.routes.tasks.tasks import BATCH, TASKS_PATH
from genpulse.api.schemas.tasks.batches import BatchActionOutcome, BatchPage, BatchStandingDocument
from genpulse.api.schemas.tasks.documents import TaskBatch, TaskDocument, unshown_results
from genpulse.api.schemas.tasks.submission import IDEMPOTENCY_KEY, BatchDocument
from genpulse.domain.keys.caller import Caller
from genpulse.domain.search.task_query import TaskFilter
from genpulse.domain.task_batch import BatchQuery, SubmittedBatch
from genpulse.lifecycle import bulk_actions
from genpulse.lifecycle.bulk_actions import BulkAction, Selection
from genpulse.lifecycle.submission import submit_batch as submitting
from genpulse.lifecycle.submission.submit_batch import OrderKeys

BATCHES_PATH = "/v1/batches"
BATCH_PATH = f"{BATCHES_PATH}/{{batch_id}}"

routes = encoded.router("tasks")
BatchId = Annotated[UUID, Path(description="The `id` of a batch")]

_HEADERS = (
    ("Location", "Address of the batch, where there is one"),
    (
        "Idempotent-Replayed",
        "`true` when nothing was queued: every key was known, and these are the earlier tasks",
    ),
)
_PARAMETERS = [
    {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "Stands for the whole batch: the same key and body give the same batch and its tasks.",
        "schema": {"type": "string", "maxLength": 255, "pattern": IDEMPOTENCY_KEY},
    }
]


class BatchListParameters(BaseModel):
    """Which page. Parameters that are not listed are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    limit: Annotated[int, Field(ge=1, le=100)] = 20
    cursor: Annotated[str, StringConstraints(max_length=200)] | None = Field(
        None, description="The `next_cursor` of the page before; empty: the first page"
    )


@routes.post(
    f"{TASKS_PATH}/{BATCH}",
    status_code=202,
    summary="Submit several tasks",
    responses=encoded.described(202, "All tasks are queued, and committed", TaskBatch, _HEADERS)
    | encoded.described(200, "All would be taken; with `dry_run` nothing is queued", TaskBatch)
    | encoded.refusals(400, 402, 409, 413, 415, 422),
    openapi_extra={"parameters": _PARAMETERS, "requestBody": encoded.taken(BatchDocument)},
)
async def submit_batch(request: Request) -> Response:
    """Queue 1 to 1000 tasks: all of them, or none.

    So that a batch that is sent again is not paid for again, give it an Idempotency-Key, or each order a key of
    its own. With a key for each, those that are known give their earlier task, and the others are queued as a new
    batch. `replayed` says which were known.
    """
    context, caller = context_in(request.scope), caller_of(request)
    whole = request_headers.idempotency_key(request.headers)
    batch = await json_body.read(request, BatchDocument, most_values=json_body.BATCH_VALUES)
    if whole is not None:
        batch.refuse_keys()
    orders = [order.order(caller.usual_priority) for order in batch.tasks]
    if batch.dry_run:
        await submitting.check_batch(context.services, orders, caller=caller)
        return encoded.json(TaskBatch(id=None, data=[], replayed=[]), 200)
    keys = OrderKeys(whole, batch.keys)
    submitted = await submitting.submit_batch(context.services, orders, keys=keys, caller=caller)
    for task in submitted.tasks:
        context.metrics.submitted(task)
    return _submitted_response(request, submitted)


def _submitted_response(request: Request, submitted: SubmittedBatch) -> Response:
    links, headers = links_for(request), {}
    if submitted.id is not None:
        headers["Location"] = links.batch(submitted.id)
    if submitted.replayed:
        headers["Idempotent-Replayed"] = "true"
    document = TaskBatch(
        id=submitted.id,
        data=[TaskDocument.of(task.task, links) for task in submitted.tasks],
        replayed=[place for place, task in enumerate(submitted.tasks) if task.replayed],
    )
    return encoded.json(document, 202, headers, leaving_out=unshown_results(task.task for task in submitted.tasks))


@routes.get(
    BATCHES_PATH,
    summary="List batches",
    responses=encoded.described(200, "A page of batches, newest first", BatchPage) | encoded.refusals(400, 422),
)
async def list_batches(request: Request, parameters: Annotated[BatchListParameters, Query()]) -> Response:
    """Batches, newest first. Follow `next_cursor` until it is null."""
    refuse_doubled(request.query_params)
    limit, words = parameters.limit, _words(caller_of(request))
    before = decode_bound(parameters.cursor, words) if parameters.cursor else None
    services = context_in(request.scope).services
    batches = await services.batches.find(BatchQuery(limit + 1, before, caller_of(request).sees_owner))
    page, links = batches[:limit], links_for(request)
    cursor = encode_bound(page[-1].id, words) if len(batches) > limit else None
    return encoded.json(
        BatchPage(data=[BatchStandingDocument.of(batch, links) for batch in page], next_cursor=cursor)
    )


def _words(caller: Caller) -> list[str]:
    return ["batches", caller.sees_owner or ""]


@routes.get(
    BATCH_PATH,
    summary="Look at a batch",
    responses=encoded.described(200, "The batch as it stands", BatchStandingDocument) | encoded.refusals(404),
)
async def show_batch(request: Request, batch_id: BatchId) -> Response:
    """How many tasks stand how, and what they have cost."""
    return encoded.json(BatchStandingDocument.of(await batch_for(request, batch_id), links_for(request)))


@routes.post(
    f"{BATCH_PATH}/cancel",
    summary="Cancel a batch",
    responses=encoded.described(200, "The batch as it stands", BatchActionOutcome) | encoded.refusals(404),
)
async def cancel_batch(request: Request, batch_id: BatchId) -> Response:
    """Ask that every task stops that has not ended, as `POST /v1/tasks/{id}/cancel` does."""
    return await _act(request, batch_id, BulkAction.CANCEL)


@routes.post(
    f"{BATCH_PATH}/retry",
    summary="Run failed tasks of a batch again",
    responses=encoded.described(200, "The batch as it stands", BatchActionOutcome) | encoded.refusals(404),
)
async def retry_batch(request: Request, batch_id: BatchId) -> Response:
    """Queue those failed tasks again that can succeed, as `POST /v1/tasks/{id}/retry` does.

    Tasks that would fail in the same way are left out, and so are those that would be ordered anew while their
    first order may run, or be paid for; `left_out` counts them.
    """
    return await _act(request, batch_id, BulkAction.RETRY)


async def _act(request: Request, batch_id: UUID, action: BulkAction) -> Response:
    services, batch = context_in(request.scope).services, await batch_for(request, batch_id)
    selection = Selection(action, TaskFilter(batch=batch.id), await services.store.now())
    caller = caller_of(request)
    progress = await bulk_actions.act(services, selection, None, caller=caller, goes_on=lambda: True)
    document = BatchActionOutcome.after(await services.batches.get(batch.id), progress, links_for(request))
    return encoded.json(document)
