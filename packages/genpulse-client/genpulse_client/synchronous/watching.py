# Made from asynchronous/watching.py by make_synchronous.py: change it there.
"""Following a task to its end."""

import time
from collections.abc import Callable, Generator
from contextlib import closing
from typing import Any, TypeVar

from genpulse_client import request as requests
from genpulse_client.errors import ApiTimeout, ApiUnreachable, GenPulseError, TaskNotEnded, UnexpectedAnswer
from genpulse_client.request import Request
from genpulse_client.results.event import Event, event_of
from genpulse_client.results.task import Task, task_of
from genpulse_client.retry import Retries
from genpulse_client.sse import EventParser, ServerEvent
from genpulse_client.synchronous.connection import Connection

E = TypeVar("E")
_SHORTEST_S = 0.2


def events_of(
    connection: Connection, task_id: str, last_id: str | None, timeout_s: float | None
) -> Generator[Event, None, None]:
    """Events until the task has ended. A stream that breaks is taken up where it was. Raises `TaskNotEnded`."""
    deadline = None if timeout_s is None else time.monotonic() + timeout_s
    retries = Retries(requests.events(task_id, None), connection.limits)
    while True:
        left_s = None if deadline is None else deadline - time.monotonic()
        if left_s is not None and left_s <= 0:
            raise TaskNotEnded(task_id, timeout_s or 0.0)
        try:
            request = requests.events(task_id, last_id)
            with closing(stream_of(connection, request, event_of, left_s)) as stream:
                for event in stream:
                    retries.begin_anew()
                    last_id = event.id or last_id
                    yield event
                    if event.task is not None and event.task.ended:
                        return
            task = task_of(connection.document(requests.get(task_id), **_patience(connection, left_s)))
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
            connection.session.sleep(pause_s if left_s is None else min(pause_s, left_s))


def stream_of(
    connection: Connection,
    request: Request,
    read: Callable[[ServerEvent], E | None],
    left_s: float | None,
) -> Generator[E, None, None]:
    """Events of one connection. Where there is a time at which it has to be left, it is left by then or before.

    `read` makes what is yielded of an event; None is left out.
    """
    silence_s = _silence_s(connection, left_s)
    leaves_at = None if left_s is None else time.monotonic() + left_s - silence_s
    parser = EventParser()
    with connection.response(request, **connection.session.within(silence_s)) as response:
        if response.status_code == 204:
            return
        _check(connection, response.status_code, response.headers.get("content-type", ""))
        for chunk in response.iter_bytes():
            for found in parser.feed(chunk):
                event = read(found)
                if event is not None:
                    yield event
            if leaves_at is not None and time.monotonic() > leaves_at:
                raise ApiTimeout(connection.address.url, "left before the time is over", sent=True)


def _silence_s(connection: Connection, left_s: float | None) -> float:
    return connection.silence_s if left_s is None else min(connection.silence_s, max(left_s / 2, _SHORTEST_S))


def _patience(connection: Connection, left_s: float | None) -> dict[str, Any]:
    return connection.session.within(_silence_s(connection, left_s))


def _check(connection: Connection, status: int, media_type: str) -> None:
    if not media_type.startswith("text/event-stream"):
        what = media_type or "no content type"
        raise UnexpectedAnswer(
            f"What answers at {connection.address.url} sends no events: {status}, {what}.", status=status
        )


def ended_task(
    connection: Connection,
    task_id: str,
    timeout_s: float | None,
    on_event: Callable[[Event], None] | None,
) -> Task:
    """The task at its end, however that is. Raises `TaskNotEnded`."""
    with closing(events_of(connection, task_id, None, timeout_s)) as events:
        for event in events:
            if on_event is not None:
                on_event(event)
            if event.task is not None and event.task.ended:
                return event.task
    raise AssertionError("the events of a task end with its end")
