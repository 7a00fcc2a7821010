"""Following a task to its end."""

import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any, TypeVar

from genpulse_client import request as requests
from genpulse_client.asynchronous.connection import AsyncConnection
from genpulse_client.errors import ApiTimeout, ApiUnreachable, GenPulseError, TaskNotEnded, UnexpectedAnswer
from genpulse_client.request import Request
from genpulse_client.results.event import Event, event_of
from genpulse_client.results.task import Task, task_of
from genpulse_client.retry import Retries
from genpulse_client.sse import EventParser, ServerEvent

E = TypeVar("E")
_SHORTEST_S = 0.2


async def events_of(
    connection: AsyncConnection, task_id: str, last_id: str | None, timeout_s: float | None
) -> AsyncGenerator[Event, None]:
    """Events until the task has ended. A stream that breaks is taken up where it was. Raises `TaskNotEnded`."""
    deadline = None if timeout_s is None else time.monotonic() + timeout_s
    retries = Retries(requests.events(task_id, None), connection.limits)
    while True:
        left_s = None if deadline is None else deadline - time.monotonic()
        if left_s is not None and left_s <= 0:
            raise TaskNotEnded(task_id, timeout_s or 0.0)
        try:
            request = requests.events(task_id, last_id)
            async with aclosing(stream_of(connection, request, event_of, left_s)) as stream:
                async for event in stream:
                    retries.begin_anew()
                    last_id = event.id or last_id
                    yield event
                    if event.task is not None and event.task.ended:
                        return
            task = task_of(await connection.document(requests.get(task_id), **_patience(connection, left_s)))
            if task.ended:
                yield Event(last_id or "0", task, None, None)
                return
            raise ApiUnreachable(connection.address.url, "the stream ended before the task", sent=True)
        except GenPulseError as error:
            if isinstance(error, ApiTimeout) and left_s is not None and error.sent:
                continue
            pause_s = retries.pause_s(error)
            if pause_s is None:
                raise
            await connection.session.sleep(pause_s if left_s is None else min(pause_s, left_s))


async def stream_of(
    connection: AsyncConnection,
    request: Request,
    read: Callable[[ServerEvent], E | None],
    left_s: float | None,
) -> AsyncGenerator[E, None]:
    """Events of one connection. Where there is a time at which it has to be left, it is left by then or before.

    `read` makes what is yielded of an event; None is left out.
    """
    silence_s = _silence_s(connection, left_s)
    leaves_at = None if left_s is None else time.monotonic() + left_s - silence_s
    parser = EventParser()
    async with connection.response(request, **connection.session.within(silence_s)) as response:
        if response.status_code == 204:
            return
        _check(connection, response.status_code, response.headers.get("content-type", ""))
        async for chunk in response.aiter_bytes():
            for found in parser.feed(chunk):
                event = read(found)
                if event is not None:
                    yield event
            if leaves_at is not None and time.monotonic() > leaves_at:
                raise ApiTimeout(connection.address.url, "left before the time is over", sent=True)


def _silence_s(connection: AsyncConnection, left_s: float | None) -> float:
    return connection.silence_s if left_s is None else min(connection.silence_s, max(left_s / 2, _SHORTEST_S))


def _patience(connection: AsyncConnection, left_s: float | None) -> dict[str, Any]:
    return connection.session.within(_silence_s(connection, left_s))


def _check(connection: AsyncConnection, status: int, media_type: str) -> None:
    if not media_type.startswith("text/event-stream"):
        what = media_type or "no content type"
        raise UnexpectedAnswer(
            f"What answers at {connection.address.url} sends no events: {status}, {what}.", status=status
        )


async def ended_task(
    connection: AsyncConnection,
    task_id: str,
    timeout_s: float | None,
    on_event: Callable[[Event], None] | None,
) -> Task:
    """The task at its end, however that is. Raises `TaskNotEnded`."""
    async with aclosing(events_of(connection, task_id, None, timeout_s)) as events:
        async for event in events:
            if on_event is not None:
                on_event(event)
            if event.task is not None and event.task.ended:
                return event.task
    raise AssertionError("the events of a task end with its end")
