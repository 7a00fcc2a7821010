"""The port of tracing: where the time of a request, and of a task, goes."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol

from genpulse.domain.attempt import Attempt, Outcome
from genpulse.domain.task import NewTask, Submitted, Task
from genpulse.domain.trace_context import TaskTrace, TraceContext
from genpulse.domain.webhook_delivery import Answer, Delivery

NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class EngineStep(StrEnum):
    """What an engine is asked for."""

    RUN = "run"
    """Work that is done in this process."""
    GENERATE = "generate"
    """One request that is answered with the output."""
    ORDER = "order"
    WAIT = "wait"
    """Polling until the job has ended."""
    COLLECT = "collect"


@dataclass(frozen=True, slots=True)
class IncomingRequest:
    """A request that begins. `context` is that of its caller, None where that named none."""

    method: str
    scheme: str
    id: str
    context: TraceContext | None = None


class RequestSpan(Protocol):
    """The span of a request. `trace_id` is empty where nobody keeps the trace."""

    @property
    def trace_id(self) -> str:
        """In lower-case hexadecimal."""

    def answered(self, route: str, status: int) -> None:
        """Note how it was answered; `route` is the template of its path."""


class Tracing(Protocol):
    """Notes what happens within which step. No call waits for anything, and none raises.

    Each `with` is a step: what begins in its body lies within it, also in other tasks of the event loop and in
    threads that begin there. What the body raises is noted by the name of its type and raised on.
    """

    def request(self, request: IncomingRequest) -> AbstractContextManager[RequestSpan]:
        """A request to this process."""

    def submission(self, tasks: Sequence[NewTask]) -> AbstractContextManager[Sequence[NewTask]]:
        """Writing new tasks, which are given back with the spans that are to be kept with them."""

    def submitted(self, submitted: Sequence[Submitted]) -> None:
        """Note what became of the submission that goes on."""

    def attempt(self, task: Task, attempt: Attempt, trace: TaskTrace | None) -> AbstractContextManager[None]:
        """An attempt at a task, and that the task has waited for it. Without a trace nothing is noted in it."""

    def outcome(self, outcome: Outcome) -> None:
        """Note how the attempt ends that goes on."""

    def engine_step(self, step: EngineStep, task: Task) -> AbstractContextManager[None]:
        """What an engine does within an attempt at a task."""

    def storing(self) -> AbstractContextManager[None]:
        """Storing the outputs of an attempt."""

    def delivery(
        self, delivery: Delivery, task: Task, trace: TaskTrace | None
    ) -> AbstractContextManager[Mapping[str, str]]:
        """Sending a message about a task, with the headers that it carries for that."""

    def delivered(self, answer: Answer) -> None:
        """Note how the message was taken whose sending goes on."""


class _NoSpan:
    """Implements `RequestSpan` where nothing is traced."""

    trace_id = ""

    def answered(self, route: str, status: int) -> None:
        """Nothing is noted."""


_NOTHING = nullcontext()
_NO_REQUEST: AbstractContextManager[RequestSpan] = nullcontext(_NoSpan())
_WITHOUT_HEADERS = nullcontext(NO_HEADERS)


class NoTracing:
    """Implements `Tracing` where nothing is traced."""

    def request(self, request: IncomingRequest) -> AbstractContextManager[RequestSpan]:
        """Nothing is noted."""
        return _NO_REQUEST

    def submission(self, tasks: Sequence[NewTask]) -> AbstractContextManager[Sequence[NewTask]]:
        """The tasks as they are."""
        return nullcontext(tasks)

    def submitted(self, submitted: Sequence[Submitted]) -> None:
        """Nothing is noted."""

    def attempt(self, task: Task, attempt: Attempt, trace: TaskTrace | None) -> AbstractContextManager[None]:
        """Nothing is noted."""
        return _NOTHING

    def outcome(self, outcome: Outcome) -> None:
        """Nothing is noted."""

    def engine_step(self, step: EngineStep, task: Task) -> AbstractContextManager[None]:
        """Nothing is noted."""
        return _NOTHING

    def storing(self) -> AbstractContextManager[None]:
        """Nothing is noted."""
        return _NOTHING

    def delivery(
        self, delivery: Delivery, task: Task, trace: TaskTrace | None
    ) -> AbstractContextManager[Mapping[str, str]]:
        """No headers."""
        return _WITHOUT_HEADERS

    def delivered(self, answer: Answer) -> None:
        """Nothing is noted."""


NO_TRACING = NoTracing()
