"""Predictions: creating them, looking at them, listing and cancelling them."""

import time
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from pydantic import SkipValidation
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response

from genpulse.api.auth.key_filter import owners_meant
from genpulse.api.context import caller_of, context_in, links_for, task_for
from genpulse.api.errors import ModelNotFound
from genpulse.api.requests import headers as request_headers
from genpulse.api.requests import json_body
from genpulse.api.requests.page_cursor import decode, encode
from genpulse.api.responses import encoded
from genpulse.api.schemas.document import Document
from genpulse.api.schemas.moment import moment_of
from genpulse.dialects.held_calls import task_at_end
from genpulse.dialects.model_names import ModelNames
from genpulse.dialects.repeated_calls import RepeatedCalls
from genpulse.dialects.replicate.files.input_files import taken_input
from genpulse.dialects.replicate.links import ReplicateLinks
from genpulse.dialects.replicate.models.versions import Versions
from genpulse.dialects.replicate.predictions.documents import STARTING, PredictionDocument, PredictionView
from genpulse.dialects.replicate.predictions.request import PredictionRequest, cancel_after_s, wait_s
from genpulse.dialects.replicate.webhook_form import choice_of
from genpulse.dialects.submission import submit
from genpulse.domain.errors import BadInput, Problem, UnknownModel, UnknownTask
from genpulse.domain.search.task_query import TaskFilter, TaskQuery
from genpulse.domain.submission.order import Order
from genpulse.domain.task import Task
from genpulse.lifecycle.cancel import cancel

PAGE = 100
SPARE_SHARE, MOST_SPARE_S = 0.1, 1.0
"""Of the time that a call may be held, so much is left for the answer. Replicate's client for Python 1.0 gives a
prediction up half a second after the time that it asked for (`_create_prediction_timeout`)."""
_RETRIES = "x-stainless-retry-count"
_REPEATS_BY_ITSELF = "replicate-javascript/"


class PredictionPage(Document):
    """A page of predictions, newest first."""

    previous: str | None
    next: str | None
    results: SkipValidation[list[PredictionDocument]]


@dataclass(frozen=True, slots=True)
class Predictions:
    """The calls about predictions. A call is held for `longest_wait_s` seconds at most."""

    names: ModelNames
    versions: Versions
    longest_wait_s: int
    repeated: RepeatedCalls

    async def create(self, request: Request) -> Response:
        """By the version that the body names."""
        prediction = await json_body.read(request, PredictionRequest)
        if prediction.version is None:
            message = (
                "it is missing; name a version, or owner/name, here, or ask at /v1/models/owner/name/predictions"
            )
            raise BadInput("The body names no version.", [Problem("/version", message)])
        model_id = self.versions.model_of(context_in(request.scope).services, prediction.version)
        return await self._create(request, prediction, model_id)

    async def create_of_model(self, request: Request) -> Response:
        """By the model that the path names."""
        wanted = await json_body.read(request, PredictionRequest)
        return await self._create(request, wanted, self._model_id(request))

    async def create_of_deployment(self, request: Request) -> Response:
        """By a deployment, which is a route of ours, or a model."""
        prediction = await json_body.read(request, PredictionRequest)
        services, name = context_in(request.scope).services, str(request.path_params["name"])
        model_id = name if services.routes.get(name) is not None else self._model_id(request)
        return await self._create(request, prediction, model_id)

    async def show(self, request: Request) -> Response:
        """The prediction as it stands."""
        return encoded.json(self.view(request).document(await task_for(request, task_id_in(request))))

    async def cancel(self, request: Request) -> Response:
        """Ask that it stops; the answer is the prediction as it stands."""
        task = await task_for(request, task_id_in(request))
        return encoded.json(self.view(request).document(await cancel(context_in(request.scope).services, task.id)))

    async def list(self, request: Request) -> Response:
        """The predictions of the caller, newest first, whichever API they came by."""
        services, caller = context_in(request.scope).services, caller_of(request)
        owners = await owners_meant(services.keys, caller, ())
        task_filter = TaskFilter(
            owners=owners,
            created_after=_moment(request, "created_after"),
            created_before=_moment(request, "created_before"),
        )
        query, cursor = TaskQuery(PAGE, filter=task_filter), request.query_params.get("cursor")
        asked = replace(query, limit=PAGE + 1, before=decode(cursor, query) if cursor else None)
        tasks, view = await services.store.find(asked), self.view(request)
        results = [view.document(task) for task in tasks[:PAGE]]
        following = None
        if len(tasks) > PAGE:
            address = request.url.include_query_params(cursor=encode(tasks[PAGE - 1].id, query))
            following = f"{view.links.api}/predictions?{address.query}"
        return encoded.json(PredictionPage(previous=None, next=following, results=results))

    def view(self, request: Request) -> PredictionView:
        """How this caller sees tasks."""
        return PredictionView(context_in(request.scope).services, self.names, ReplicateLinks(links_for(request)))

    def _model_id(self, request: Request) -> str:
        """Raises `ModelNotFound`."""
        name = f"{request.path_params['owner']}/{request.path_params['name']}"
        try:
            return self.names.id_of(context_in(request.scope).services, name)
        except UnknownModel as error:
            raise ModelNotFound(str(error)) from error

    async def _create(self, request: Request, prediction: PredictionRequest, model_id: str) -> Response:
        came_at = time.monotonic()
        hold_s, view = wait_s(request.headers, self.longest_wait_s), self.view(request)
        order = _order(request, prediction, model_id, view.links)

        async def made(key: str | None) -> Response:
            submitted = await submit(request, order, key)
            if hold_s is None:
                return _created(view, submitted.task, held=False)
            left_s = came_at + hold_s - min(hold_s * SPARE_SHARE, MOST_SPARE_S) - time.monotonic()
            return _created(view, await task_at_end(request, submitted.task, left_s), held=True)

        if hold_s is None and not _may_repeat(request.headers):
            return await made(request_headers.idempotency_key(request.headers))
        retries = request.headers.get(_RETRIES) or "0"
        body = prediction.model_dump_json().encode()
        return await self.repeated.answer(request, body, made, says_repeated=retries != "0")


def _may_repeat(headers: Headers) -> bool:
    """Whether the client sends a POST again by itself when a connection breaks: Python's 2 and JavaScript's do."""
    return _RETRIES in headers or (headers.get("user-agent") or "").startswith(_REPEATS_BY_ITSELF)


def task_id_in(request: Request) -> UUID:
    """The id in the path. Raises `UnknownTask` for what cannot be one."""
    word = str(request.path_params["prediction_id"])
    try:
        return UUID(word)
    except ValueError:
        raise UnknownTask(repr(word[:100])) from None


def _order(request: Request, prediction: PredictionRequest, model_id: str, links: ReplicateLinks) -> Order:
    webhook_url, choice = prediction.webhook or prediction.webhook_completed, None
    if webhook_url is not None:
        choice = choice_of(prediction.webhook_events_filter, only_completed=prediction.webhook is None)
    return Order(
        model=model_id,
        input=taken_input(prediction.input, links),
        priority=caller_of(request).usual_priority,
        webhook_url=webhook_url,
        deadline_s=cancel_after_s(request.headers),
        webhook_choice=choice,
    )


def _created(view: PredictionView, task: Task, *, held: bool) -> Response:
    """A call that was held says `starting` until the end: clients take any other word for the end itself."""
    status = STARTING if held and not task.status.ended else None
    document = view.document(task, status)
    return encoded.json(document, 201, {"Location": document.urls.get})


def _moment(request: Request, name: str) -> datetime | None:
    """Raises `BadInput`."""
    word = request.query_params.get(name)
    try:
        return None if word is None else moment_of(word)
    except ValueError as error:
        raise BadInput(f"The query does not fit: {name}: {error}.", [Problem(f"/{name}", str(error))]) from error
