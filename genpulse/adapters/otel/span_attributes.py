"""What spans say of tasks, attempts and messages."""

from collections.abc import Mapping
from datetime import datetime
from typing import TypeAlias
from urllib.parse import urlsplit

from genpulse.adapters.otel.span_kinds import Attribute
from genpulse.domain.attempt import Canceled, Failed, MovedOn, Outcome, Released, RetryLater, Succeeded
from genpulse.domain.failure import Failure
from genpulse.domain.task import NewTask, Task
from genpulse.ports import EngineStep

Attributes: TypeAlias = dict[str, str | int | float | bool]

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "QUERY"})
OTHER_METHOD = "_OTHER"
_SYSTEM = "genpulse"
_OUTCOMES: Mapping[type[Outcome], str] = {
    Succeeded: "succeeded",
    Failed: "failed",
    RetryLater: "retry_later",
    MovedOn: "moved_on",
    Canceled: "canceled",
    Released: "released",
}
OPERATIONS: Mapping[EngineStep, str] = {step: step.value for step in EngineStep} | {
    EngineStep.GENERATE: "generate_content"
}


def method_of(method: str) -> str:
    """One of those that HTTP knows."""
    return method if method in _METHODS else OTHER_METHOD


def of_queue(operation: str) -> Attributes:
    """`create`, `send` or `process`."""
    return {
        Attribute.QUEUE_SYSTEM: _SYSTEM,
        Attribute.QUEUE_OPERATION: operation,
        Attribute.QUEUE_OPERATION_TYPE: operation,
    }


def of_task(task: NewTask | Task) -> Attributes:
    """Which task it is, and for whose workers."""
    return {Attribute.QUEUE: task.provider, Attribute.MESSAGE: str(task.id), Attribute.KIND: task.kind}


def of_step(step: EngineStep, task: Task) -> Attributes:
    """What is asked of whom."""
    kind = task.kind.rpartition("-to-")
    output: Attributes = {Attribute.GEN_AI_OUTPUT: kind[2]} if kind[1] else {}
    return {
        Attribute.GEN_AI_OPERATION: OPERATIONS[step],
        Attribute.GEN_AI_PROVIDER: task.provider,
        Attribute.GEN_AI_MODEL: model_name(task),
    } | output


def model_name(task: Task) -> str:
    """As its provider knows it."""
    return task.model.partition("/")[2]


def of_outcome(outcome: Outcome) -> Attributes:
    """How an attempt ended."""
    attributes: Attributes = {Attribute.OUTCOME: _OUTCOMES[type(outcome)]}
    if isinstance(outcome, Succeeded):
        attributes[Attribute.OUTPUT_COUNT] = len(outcome.outputs)
        attributes[Attribute.OUTPUT_BYTES] = sum(asset.content.size for asset in outcome.outputs)
    return attributes


def failure_in(outcome: Outcome) -> Failure | None:
    """Why it is no success; a cancel is none of the service's failures."""
    return outcome.failure if isinstance(outcome, Failed | RetryLater | MovedOn) else None


def of_place(url: str) -> Attributes:
    """Host and port of an address, and nothing else of it."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return {}
    attributes: Attributes = {Attribute.HOST: host} if host else {}
    return attributes | ({Attribute.PORT: port} if port else {})


def waits_since(task: Task, number: int, last_ended_at: datetime | None) -> datetime:
    """Since when it was to be begun: its time, its last attempt's end, or when somebody wanted it again."""
    if number == 1 or last_ended_at is None:
        return max(task.created_at, task.run_at or task.created_at)
    return max(last_ended_at, task.retried_at or last_ended_at)
