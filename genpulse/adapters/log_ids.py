"""Ids that every line of the log carries which is written meanwhile."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager

from genpulse.domain.attempt import Attempt
from genpulse.domain.task import Task
from genpulse.domain.trace_context import TaskTrace
from genpulse.domain.webhook_delivery import Delivery
from genpulse.ports import IncomingRequest, NoTracing, RequestSpan
from genpulse.ports.tracing import NO_HEADERS, NO_TRACING
from genpulse.unneeded_packages import without

with without("rich", "greenlet"):  # as in `log.py`
    from structlog.contextvars import bind_contextvars, reset_contextvars


@contextmanager
def bound(**ids: str) -> Iterator[None]:
    """Give these ids to lines that the body writes, also in tasks and threads that begin in it."""
    tokens = bind_contextvars(**ids)
    try:
        yield
    finally:
        reset_contextvars(**tokens)


class LoggedIds(NoTracing):
    """Implements `Tracing` where nothing is traced, and lines of the log tell what they are about."""

    @contextmanager
    def request(self, request: IncomingRequest) -> Iterator[RequestSpan]:
        """With the id of the request."""
        with bound(request_id=request.id), NO_TRACING.request(request) as span:
            yield span

    def attempt(self, task: Task, attempt: Attempt, trace: TaskTrace | None) -> AbstractContextManager[None]:
        """With the id of the task."""
        return bound(task_id=str(task.id))

    @contextmanager
    def delivery(self, delivery: Delivery, task: Task, trace: TaskTrace | None) -> Iterator[Mapping[str, str]]:
        """With the ids of the task and of the message."""
        with bound(task_id=str(task.id), message_id=delivery.message_id):
            yield NO_HEADERS
