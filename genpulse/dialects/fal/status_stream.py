"""The status of a request as Server-Sent Events."""

import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import replace
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from genpulse.api.context import context_in, task_for
from genpulse.api.responses.streams import EventStream
from genpulse.dialects.fal.queue import Queue
from genpulse.dialects.fal.request_id import note, request_id_in
from genpulse.dialects.standing import Line, Standing
from genpulse.domain.json.value import JsonValue
from genpulse.lifecycle.watch import Update, watch

Document = Mapping[str, JsonValue]
KEEP_ALIVE = b": keep-alive\n\n"


class StatusStreams:
    """Streams of statuses; the last one is that at the end."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue

    async def stream(self, request: Request) -> Response:
        """Each change of a request. Raises `UnknownTask`, `DatabaseUnavailable`."""
        task_id = request_id_in(request)
        await task_for(request, task_id)
        note(request.scope, task_id)
        context = context_in(request.scope)
        documents = self._documents(request, task_id)
        return EventStream(documents, _frame, context.cancel_handles, context.metrics.watchers)

    async def _documents(self, request: Request, task_id: UUID) -> AsyncGenerator[Document | None, None]:
        """None where nothing has happened for long. Logs are those since the document before."""
        context = context_in(request.scope)
        standing: Standing | None = None
        async with aclosing(watch(context.services, task_id, idle_s=context.options.keep_alive_s)) as updates:
            async for update in updates:
                standing = None if update is None else self._moved(request, standing, update)
                yield None if standing is None else await self._queue.document(request, standing)

    def _moved(self, request: Request, standing: Standing | None, update: Update) -> Standing | None:
        if update.task is not None:
            return Standing.of(update.task)
        if standing is None:
            return None
        now = context_in(request.scope).services.now()
        lines = (Line(update.message, now),) if update.message else ()
        return replace(standing, progress=update.progress, lines=lines)


def _frame(document: Document | None) -> bytes:
    return KEEP_ALIVE if document is None else f"data: {json.dumps(document)}\n\n".encode()
