"""The stream of a call for pictures: it waits, and gives each picture when all are made."""

from collections.abc import AsyncGenerator, AsyncIterator
from time import monotonic

from pydantic_core import to_json
from starlette.requests import Request

from genpulse.api.context import context_in, links_for
from genpulse.background.cancel_handles import unless_stopping
from genpulse.dialects.openai.failures import refusal_of, still_running
from genpulse.dialects.openai.images.answers import described, encoded
from genpulse.dialects.openai.parts import Parts
from genpulse.dialects.openai.refusals import SERVER, CallRefused, error_document
from genpulse.domain.errors import StorageLost, Unavailable, UnknownTask
from genpulse.domain.task import Task, TaskStatus
from genpulse.lifecycle.watch import wait

KEEP_ALIVE_S = 15.0
_KEEP_ALIVE = b": keep-alive\n\n"


async def image_events(
    request: Request, task: Task, event: str, parts: Parts, *, as_urls: bool
) -> AsyncGenerator[bytes, None]:
    """The events. What goes wrong is an event as well, since the answer has begun."""
    try:
        ended = task
        async for task_so_far in _waiting(request, task, parts.wait_s):
            ended = task_so_far
            yield _KEEP_ALIVE
        if not ended.status.ended:
            raise still_running(ended, parts.wait_s)
        if ended.status is not TaskStatus.SUCCEEDED:
            raise refusal_of(ended)
        async for piece in _completed(request, ended, event, as_urls=as_urls):
            yield piece
    except CallRefused as error:
        yield _error(error)
    except (Unavailable, UnknownTask, StorageLost) as error:
        yield _error(CallRefused(f"{error} The task is {task.id}.", "unavailable", status=503, kind=SERVER))


async def _waiting(request: Request, task: Task, wait_s: float) -> AsyncIterator[Task]:
    """The task at its end, or as it stands after so long; before that as it stands whenever nothing is to say."""
    context = context_in(request.scope)
    ends_at = monotonic() + wait_s
    while not task.status.ended and (left_s := ends_at - monotonic()) > 0 and not context.stopping.is_set():
        waiting = wait(context.services, task.id, min(left_s, KEEP_ALIVE_S))
        task = await unless_stopping(context.stopping, waiting) or task
        yield task


async def _completed(request: Request, task: Task, event: str, *, as_urls: bool) -> AsyncGenerator[bytes, None]:
    storage, links = context_in(request.scope).services.storage, links_for(request)
    about = described(task)
    about = {"type": event, "created_at": about["created"], "usage": None, **about}
    for asset in task.outputs:
        yield f"event: {event}\ndata: ".encode() + to_json(about)[:-1]
        if as_urls:
            yield b',"url":' + to_json(links.content(asset.id)) + b"}\n\n"
            continue
        yield b',"b64_json":"'
        async for letters in encoded(storage, asset):
            yield letters
        yield b'"}\n\n'


def _error(error: CallRefused) -> bytes:
    document = error_document(str(error), error.kind, error.field, error.word)
    return b"event: error\ndata: " + to_json({"type": "error", **document}) + b"\n\n"
