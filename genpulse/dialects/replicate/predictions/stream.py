"""A prediction as Server-Sent Events: `output`, `logs`, `error`, `done`."""

import re
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from genpulse.api.auth.authorization import authorize
from genpulse.api.context import CALLER, SIGNED, Context, context_in, task_for
from genpulse.api.errors import InvalidLastEventId
from genpulse.api.responses.streams import EventStream
from genpulse.dialects.replicate.predictions.calls import Predictions, task_id_in
from genpulse.dialects.replicate.predictions.documents import PredictionView, error_of, status_of
from genpulse.dialects.replicate.predictions.progress_line import logs_of, progress_line
from genpulse.domain.keys.caller import WITHOUT_KEY
from genpulse.domain.task import Task, TaskStatus
from genpulse.lifecycle.watch import Update, watch

KEEP_ALIVE = b": keep-alive\n\n"
_LAST = re.compile(r"([0-9]{1,18}):([0-9]{1,4})", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class EventId:
    """The id of an event, `seq:place`: the change of the task that it tells of, and its place among those."""

    seq: int
    place: int

    @classmethod
    def read(cls, word: str | None) -> "EventId | None":
        """The `Last-Event-ID` of a client, None where it has none. Raises `InvalidLastEventId`."""
        if not word:
            return None
        match = _LAST.fullmatch(word)
        if match is None:
            raise InvalidLastEventId
        return cls(int(match[1]), int(match[2]))


@dataclass(frozen=True, slots=True)
class PredictionStream:
    """The call that follows a prediction. It takes a key, or the signature of the address in the document."""

    predictions: Predictions

    async def __call__(self, request: Request) -> Response:
        """Events from now on, or after `Last-Event-ID`, until `done`."""
        context, task_id = context_in(request.scope), task_id_in(request)
        await self._admit(context, request)
        last = EventId.read(request.headers.get("last-event-id"))
        task = await task_for(request, task_id)
        view = self.predictions.view(request)
        if last is not None and task.status.ended and last >= _last_of(task, view):
            return Response(status_code=204)
        after = None if last is None else last.seq - 1
        updates = watch(context.services, task.id, after=after, idle_s=context.options.keep_alive_s)
        frames = _frames(updates, view, last)
        return EventStream(frames, bytes, context.cancel_handles, context.metrics.watchers)

    async def _admit(self, context: Context, request: Request) -> None:
        """Raises as `authorize` does."""
        query = request.query_params
        if "signature" not in query:
            request.scope[CALLER] = await authorize(request)
            return
        options = context.options
        signer = await context.signing.fill(context.services, options.asset_url_s, options.events_url_s)
        now_s = context.services.now().timestamp()
        signer.check_events(task_id_in(request), query.get("expires", ""), query["signature"], now_s)
        request.scope[CALLER] = WITHOUT_KEY
        request.scope[SIGNED] = True


async def _frames(
    updates: AsyncGenerator[Update | None, None], view: PredictionView, last: EventId | None
) -> AsyncGenerator[bytes, None]:
    try:
        async for update in updates:
            if update is None:
                yield KEEP_ALIVE
                continue
            for place, (name, data) in enumerate(_events(update, view)):
                event_id = EventId(update.seq, place)
                if last is None or event_id > last:
                    yield _frame(event_id, name, data)
    finally:
        await updates.aclose()


def _events(update: Update, view: PredictionView) -> Iterator[tuple[str, str]]:
    """The events of one change, each with its name and its data."""
    task = update.task
    if task is None:
        if update.progress is not None:
            yield "logs", progress_line(update.progress)
    elif task.status.ended:
        yield from _end(task, view)
    elif logs := logs_of(task):
        yield "logs", logs


def _end(task: Task, view: PredictionView) -> Iterator[tuple[str, str]]:
    if task.status is TaskStatus.SUCCEEDED:
        output = view.document(task).output
        for made in output if isinstance(output, list) else [output]:
            if made is not None:
                yield "output", made if isinstance(made, str) else to_json(made).decode()
        yield "done", "{}"
    elif status_of(task) == "canceled":
        yield "done", '{"reason":"canceled"}'
    else:
        yield "error", error_of(task) or "It failed."
        yield "done", '{"reason":"error"}'


def _last_of(task: Task, view: PredictionView) -> EventId:
    return EventId(task.seq, sum(1 for _ in _end(task, view)) - 1)


def _frame(event_id: EventId, name: str, data: str) -> bytes:
    lines = "\n".join(f"data: {line}" for line in data.splitlines() or [""])
    return f"id: {event_id.seq}:{event_id.place}\nevent: {name}\n{lines}\n\n".encode()
