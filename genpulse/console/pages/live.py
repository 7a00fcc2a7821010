"""The events by which pages keep themselves up to date: fragments of HTML, as Server-Sent Events."""

from collections.abc import AsyncGenerator
from time import monotonic
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from genpulse.api.responses.streams import EventStream
from genpulse.console.console import Console
from genpulse.console.live import FragmentUpdate
from genpulse.console.pages import gallery, now, task, tasks
from genpulse.console.visit import Visit, admit
from genpulse.domain.errors import Refused, Unavailable

_LEAVE = b"event: leave\ndata: {}\n\n"


async def watch_now(console: Console, request: Request) -> Response:
    """What changes on the first page."""
    visit = await admit(console, request)
    viewer, services = visit.viewer, visit.services
    updates = console.live.watch(
        services.loops, now.KIND, viewer.view, lambda: now.fragments(console, services, viewer), now.EVERY_S
    )
    return _stream(visit, updates)


async def watch_tasks(console: Console, request: Request) -> Response:
    """What changes on the first page of a list of tasks."""
    visit = await admit(console, request)
    viewer, services = visit.viewer, visit.services
    listing = await tasks.read(services, viewer, request.query_params)
    updates = console.live.watch(
        services.loops,
        tasks.KIND,
        (viewer.view, listing.query),
        lambda: tasks.fragments(services, viewer, listing),
        tasks.EVERY_S,
    )
    return _stream(visit, updates)


async def watch_gallery(console: Console, request: Request) -> Response:
    """What changes on the first page of the gallery."""
    visit = await admit(console, request)
    viewer, services = visit.viewer, visit.services
    listing = await gallery.read(services, viewer, request.query_params)
    updates = console.live.watch(
        services.loops,
        gallery.KIND,
        (viewer.view, listing.query),
        lambda: gallery.fragments(services, viewer, listing),
        gallery.EVERY_S,
    )
    return _stream(visit, updates)


async def watch_task(console: Console, request: Request) -> Response:
    """What changes on the page of a task. Raises `UnknownTask`."""
    visit = await admit(console, request)
    viewer, services = visit.viewer, visit.services
    task_id: UUID = (await visit.task()).id
    updates = console.live.watch(
        services.loops,
        task.KIND,
        (viewer.view, task_id),
        lambda: task.fragments(services, viewer, task_id),
        task.EVERY_S,
    )
    return _stream(visit, updates)


def _stream(visit: Visit, updates: AsyncGenerator[FragmentUpdate, None]) -> Response:
    return EventStream(
        _while_admitted(visit, updates), _frame, visit.context.cancel_handles, visit.context.metrics.watchers
    )


async def _while_admitted(
    visit: Visit, updates: AsyncGenerator[FragmentUpdate, None]
) -> AsyncGenerator[FragmentUpdate | None, None]:
    """The updates, and at the end None where the viewer may not be here any more."""
    admitted_at = monotonic()
    try:
        async for update in updates:
            if monotonic() - admitted_at > visit.console.options.look_again_s:
                if not await _may_stay(visit):
                    yield None
                    return
                admitted_at = monotonic()
            yield update
    finally:
        await updates.aclose()


async def _may_stay(visit: Visit) -> bool:
    """Whether the session is still one; as before, while the database is away."""
    try:
        await admit(visit.console, visit.request)
    except Unavailable:
        return True
    except Refused:
        return False
    return True


def _frame(update: FragmentUpdate | None) -> bytes:
    return _LEAVE if update is None else update.frame
