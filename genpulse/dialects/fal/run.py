"""Calls that are held until their request has ended."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response

from genpulse.api.responses.encoded import JsonResponse
from genpulse.dialects.fal.arguments import asked, order_of
from genpulse.dialects.fal.errors import RealtimeNotSpoken
from genpulse.dialects.fal.queue import Queue, ended
from genpulse.dialects.fal.refusals import TIMEOUT_TYPE, error_response
from genpulse.dialects.fal.request_id import note
from genpulse.dialects.held_calls import task_at_end
from genpulse.dialects.model_names import ModelNames
from genpulse.dialects.repeated_calls import RepeatedCalls
from genpulse.dialects.submission import submit
from genpulse.domain.task import Task

_QUEUE_HOST = "queue."
"""Clients before 0.6 know one host alone, and put this before it for the queue."""


class Runs:
    """Runs of apps. They are held for `wait_s` seconds at most; the request goes on after that."""

    def __init__(self, names: ModelNames, repeated: RepeatedCalls, queue: Queue, wait_s: float) -> None:
        self._names = names
        self._repeated = repeated
        self._queue = queue
        self._wait_s = wait_s

    async def run(self, request: Request) -> Response:
        """The output itself. Raises what submitting raises, and `ClientDisconnect`."""
        if (request.headers.get("host") or "").lower().startswith(_QUEUE_HOST):
            return await self._queue.submit(request)
        return await self._held(request, ended)

    async def stream(self, request: Request) -> Response:
        """The output as the one event of a stream: there is nothing of it before all of it is there.

        What goes wrong is told by the status, as for a run. Raises as that.
        """
        return await self._held(request, _as_stream)

    async def realtime(self, request: Request) -> Response:
        """Raises `RealtimeNotSpoken`."""
        del request
        raise RealtimeNotSpoken

    async def _held(self, request: Request, answer: Callable[[Request, Task], Response]) -> Response:
        call = await asked(request, self._names)

        async def hold(key: str) -> Response:
            task = (await submit(request, await order_of(request, call, key), key)).task
            note(request.scope, task.id)
            task = await task_at_end(request, task, self._wait_s)
            return answer(request, task) if task.status.ended else _too_long(task, self._wait_s)

        return await self._repeated.answer(request, call.canonical, hold)


def _as_stream(request: Request, task: Task) -> Response:
    response = ended(request, task)
    if response.status_code != 200:
        return response
    event = b"data: " + bytes(response.body) + b"\n\n"
    return JsonResponse(event, 200, {"cache-control": "no-cache"}, "text/event-stream; charset=utf-8")


def _too_long(task: Task, wait_s: float) -> Response:
    detail = (
        f"The request {task.id} has not ended within {wait_s:g} s, and goes on. Ask the queue for its result; for"
        " what takes this long, submit is better than run."
    )
    return error_response(504, detail, "request_timeout", TIMEOUT_TYPE)
