"""Calls that are answered when their task has ended."""

from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive

from genpulse.api.context import context_in
from genpulse.background.cancel_handles import unless_stopping
from genpulse.background.first import first_of
from genpulse.domain.errors import Unavailable, UnknownTask
from genpulse.domain.task import Task
from genpulse.lifecycle.watch import wait


async def task_at_end(request: Request, task: Task, wait_s: float) -> Task:
    """The task at its end, or as it stands after `wait_s` seconds, or when the server stops.

    It is committed: nothing that happens now is an error of its call. A client that goes away cancels nothing.
    Raises `ClientDisconnect`.
    """
    context = context_in(request.scope)
    ended: list[Task] = []

    async def follow() -> None:
        try:
            waited = await unless_stopping(context.stopping, wait(context.services, task.id, wait_s))
        except (Unavailable, UnknownTask):
            waited = None
        ended.append(waited or task)

    await first_of(follow(), _gone(request.receive))
    if not ended:
        raise ClientDisconnect
    return ended[0]


async def _gone(receive: Receive) -> None:
    """Return when the client has gone. The body of the request was read before."""
    while (await receive())["type"] != "http.disconnect":
        continue
