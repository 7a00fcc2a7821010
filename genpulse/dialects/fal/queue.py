"""The queue: submit, status, result, cancel."""

import json
import time
from collections.abc import Mapping
from contextlib import suppress

from starlette.requests import Request
from starlette.responses import Response

from genpulse.api.context import context_in, links_for, task_for
from genpulse.api.responses.encoded import JsonResponse
from genpulse.dialects.fal.apps import app_id, queue_path
from genpulse.dialects.fal.arguments import Asked, asked, order_of
from genpulse.dialects.fal.output_document import output_document
from genpulse.dialects.fal.refusals import error_response, failed_request
from genpulse.dialects.fal.request_id import note, request_id_in
from genpulse.dialects.fal.status_document import RequestUrls, status_code, status_document
from genpulse.dialects.model_names import ModelNames
from genpulse.dialects.polled_tasks import PolledTasks
from genpulse.dialects.repeated_calls import RepeatedCalls
from genpulse.dialects.standing import Standing
from genpulse.dialects.submission import submit
from genpulse.domain.errors import DatabaseUnavailable, UnknownTask
from genpulse.domain.json.value import JsonValue
from genpulse.domain.search.backlog import Backlog
from genpulse.domain.task import Task, TaskStatus
from genpulse.lifecycle.cancel import cancel
from genpulse.ports import Services

PREFIX = "/fal"
BACKLOG_S = 1.0
"""Seconds for which it is known how much waits."""


class Queue:
    """The calls of fal's queue. It is shared by all that ask where a request stands."""

    def __init__(self, names: ModelNames, repeated: RepeatedCalls, polled: PolledTasks) -> None:
        self._names = names
        self._repeated = repeated
        self._polled = polled
        self._backlogs: Mapping[str, Backlog] = {}
        self._looked_at_s = float("-inf")

    async def submit(self, request: Request) -> Response:
        """Queue a request. Raises what submitting raises."""
        call = await asked(request, self._names)

        async def answer(key: str) -> Response:
            task = (await submit(request, await order_of(request, call, key), key)).task
            note(request.scope, task.id)
            return await self._queued(request, call, task)

        return await self._repeated.answer(request, call.canonical, answer)

    async def _queued(self, request: Request, call: Asked, task: Task) -> Response:
        position = await self._position(context_in(request.scope).services, task.provider)
        urls = _urls(request, call.app, str(task.id))
        return answer_json(
            {
                "status": "IN_QUEUE",
                "request_id": str(task.id),
                "gateway_request_id": str(task.id),
                **urls.document(),
                "queue_position": position,
            }
        )

    async def status(self, request: Request) -> Response:
        """Where a request stands. Raises `UnknownTask`, `DatabaseUnavailable`."""
        standing = await self._polled.standing(request, request_id_in(request))
        return answer_json(await self.document(request, standing), status_code(standing))

    async def document(self, request: Request, standing: Standing) -> Mapping[str, JsonValue]:
        """The status of a request as this call asks for it."""
        position = 0
        if standing.status is TaskStatus.QUEUED:
            position = await self._position(context_in(request.scope).services, standing.provider)
        urls = _urls(request, app_id(str(request.path_params["app"])), str(standing.id))
        return status_document(standing, urls, position, with_logs=_wants_logs(request))

    async def result(self, request: Request) -> Response:
        """The output of a request, or its failure. Raises `UnknownTask`, `DatabaseUnavailable`."""
        return ended(request, await task_for(request, request_id_in(request)))

    async def cancel(self, request: Request) -> Response:
        """Ask that a request stops. Raises `DatabaseUnavailable`."""
        try:
            task = await task_for(request, request_id_in(request))
        except UnknownTask as error:
            return answer_json({"status": "NOT_FOUND", "detail": str(error)}, 404)
        if not task.status.ended:
            task = await cancel(context_in(request.scope).services, task.id)
        if task.status.ended and task.status is not TaskStatus.CANCELED:
            return answer_json({"status": "ALREADY_COMPLETED", "detail": "The request has ended already."}, 400)
        return answer_json({"status": "CANCELLATION_REQUESTED"}, 202)

    async def _position(self, services: Services, provider: str) -> int:
        """How many wait at a provider beside this one: its place in the queue at the most."""
        now_s = time.monotonic()
        if now_s - self._looked_at_s >= BACKLOG_S:
            self._looked_at_s = now_s
            with suppress(DatabaseUnavailable):
                self._backlogs = await services.queue.backlogs()
        backlog = self._backlogs.get(provider)
        return max(backlog.count - 1, 0) if backlog else 0


def ended(request: Request, task: Task) -> Response:
    """The answer where the output of a task is asked for."""
    note(request.scope, task.id)
    if task.status is TaskStatus.SUCCEEDED:
        return answer_json(output_document(task, links_for(request)))
    if task.status.ended:
        return failed_request(task).response()
    return error_response(400, "Request is still in progress", "bad_request")


def answer_json(
    document: Mapping[str, JsonValue], status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """A JSON response."""
    return JsonResponse(json.dumps(document).encode(), status, headers or {})


def _urls(request: Request, app: str, request_id: str) -> RequestUrls:
    return RequestUrls(f"{links_for(request).base}{PREFIX}/queue/{queue_path(app)}", request_id)


def _wants_logs(request: Request) -> bool:
    return request.query_params.get("logs", "").lower() in {"1", "true"}
