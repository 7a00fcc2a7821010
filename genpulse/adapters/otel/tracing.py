"""The `Tracing` port on OpenTelemetry."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import random

from opentelemetry.context import Context, attach, detach, get_value, set_value
from opentelemetry.trace import Link, NonRecordingSpan, Span, SpanKind, Tracer, get_current_span

from genpulse.adapters.log_ids import bound
from genpulse.adapters.otel import span_kinds
from genpulse.adapters.otel.span_attributes import (
    Attributes,
    failure_in,
    method_of,
    model_name,
    of_outcome,
    of_place,
    of_queue,
    of_step,
    of_task,
    waits_since,
)
from genpulse.adapters.otel.span_contexts import (
    current,
    fail,
    is_traced,
    span_context_of,
    trace_context_of,
    within,
)
from genpulse.adapters.otel.span_kinds import Attribute
from genpulse.adapters.otel.vendor_requests import COUNT, RequestCount
from genpulse.domain.attempt import Attempt, Outcome
from genpulse.domain.task import NewTask, Submitted, Task
from genpulse.domain.trace_context import TaskTrace, TraceContext
from genpulse.domain.webhook_delivery import Answer, Delivery
from genpulse.ports import EngineStep, IncomingRequest, RequestSpan
from genpulse.ports.tracing import NO_HEADERS, NO_TRACING

SAME_TRACE = timedelta(hours=1)
"""So long after the submit, what happens to a task is still told in the trace of its submit."""

CLIENT_GONE = 499
_SERVER_ERROR = 500
_BEGUN_BY_CALLER = "genpulse.begun_by_caller"
_UNMATCHED = "unmatched"
_KEPT_BY_NOBODY = "genpulse.kept_by_nobody"
_WITHOUT_SPANS = set_value(_KEPT_BY_NOBODY, value=True, context=Context())
"""What a request is served in whose trace would begin here, and is not kept: it has no span."""
_ENGINE_SPANS: Mapping[EngineStep, span_kinds.SpanKind] = {
    EngineStep.RUN: span_kinds.RUN,
    EngineStep.GENERATE: span_kinds.GENERATE,
    EngineStep.ORDER: span_kinds.ORDER,
    EngineStep.WAIT: span_kinds.POLL,
    EngineStep.COLLECT: span_kinds.COLLECT,
}


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a span begins: within another one, or as a trace of its own that links to one."""

    tracer: Tracer
    context: Context
    links: tuple[Link, ...] = ()


class OtelTracing:
    """Implements `Tracing`. `tracer` samples; `roots` keeps every trace that it begins, for those that go on with
    one that is kept. Of the traces that begin with a request the part `sample` is kept, from 0 to 1.

    With `trusts_callers` the trace of a caller is gone on with, else one of our own links to it.
    """

    def __init__(
        self,
        tracer: Tracer,
        roots: Tracer,
        *,
        sample: float,
        trusts_callers: bool,
        now: Callable[[], datetime],
    ) -> None:
        self._tracer = tracer
        self._roots = roots
        self._sample = sample
        self._trusts_callers = trusts_callers
        self._now = now

    def request(self, request: IncomingRequest) -> AbstractContextManager[RequestSpan]:
        """A request to this process."""
        if self._goes_on_with(request.context) or random() < self._sample:  # noqa: S311 - nothing is kept secret by it
            return self._request(request)
        return self._kept_by_nobody(request)

    def _goes_on_with(self, context: TraceContext | None) -> bool:
        return context is not None and self._trusts_callers

    @contextmanager
    def _kept_by_nobody(self, request: IncomingRequest) -> Iterator[RequestSpan]:
        token = attach(_WITHOUT_SPANS)
        try:
            with bound(request_id=request.id), NO_TRACING.request(request) as span:
                yield span
        finally:
            detach(token)

    @contextmanager
    def _request(self, request: IncomingRequest) -> Iterator[RequestSpan]:
        place = self._place_of_request(request.context)
        method = method_of(request.method)
        attributes: Attributes = {
            Attribute.METHOD: method,
            Attribute.SCHEME: request.scheme,
            Attribute.REQUEST: request.id,
        }
        span = place.tracer.start_span(
            method, place.context, SpanKind.SERVER, attributes=attributes, links=place.links
        )
        with bound(request_id=request.id), current(span, place.context):
            yield _RequestSpan(span, method)

    def _place_of_request(self, context: TraceContext | None) -> _Place:
        if context is None:
            return _Place(self._roots, Context())
        if not self._trusts_callers:
            return _Place(self._roots, Context(), (Link(span_context_of(context)),))
        return _Place(self._tracer, set_value(_BEGUN_BY_CALLER, value=True, context=within(context)))

    def submission(self, tasks: Sequence[NewTask]) -> AbstractContextManager[Sequence[NewTask]]:
        """Writing new tasks, with the spans that are to be kept with them."""
        if get_value(_KEPT_BY_NOBODY):
            return nullcontext(tasks)
        match tasks:
            case []:
                return nullcontext(tasks)
            case [task]:
                return self._single(task)
            case _:
                return self._batch(tasks)

    @contextmanager
    def _single(self, task: NewTask) -> Iterator[Sequence[NewTask]]:
        attributes = of_queue("send") | of_task(task)
        span = self._tracer.start_span(f"send {task.provider}", kind=SpanKind.PRODUCER, attributes=attributes)
        with current(span):
            yield (replace(task, trace=_kept(span)),)

    @contextmanager
    def _batch(self, tasks: Sequence[NewTask]) -> Iterator[Sequence[NewTask]]:
        """A trace of a thousand tasks is of use to nobody: each has one of its own."""
        attributes = of_queue("send") | {Attribute.MESSAGE_COUNT: len(tasks)}
        span = self._tracer.start_span(span_kinds.SEND_BATCH.name, kind=SpanKind.PRODUCER, attributes=attributes)
        with current(span):
            created = [self._created(span, task) for task in tasks]
            try:
                yield tuple(replace(task, trace=_kept(own)) for task, own in zip(tasks, created, strict=True))
            finally:
                for own in created:
                    own.end()

    def _created(self, batch: Span, task: NewTask) -> Span:
        if not batch.is_recording():
            return NonRecordingSpan(batch.get_span_context())
        return self._roots.start_span(
            f"create {task.provider}",
            Context(),
            SpanKind.PRODUCER,
            attributes=of_queue("create") | of_task(task),
            links=(Link(batch.get_span_context()),),
        )

    def submitted(self, submitted: Sequence[Submitted]) -> None:
        """Note where a task is an earlier one."""
        if len(submitted) == 1 and submitted[0].replayed:
            get_current_span().set_attributes(
                {Attribute.REPLAYED: True, Attribute.MESSAGE: str(submitted[0].task.id)}
            )

    @contextmanager
    def attempt(self, task: Task, attempt: Attempt, trace: TaskTrace | None) -> Iterator[None]:
        """An attempt at a task, and that the task has waited for it."""
        with bound(task_id=str(task.id)):
            if trace is None:
                yield
                return
            since = waits_since(task, attempt.number, trace.last_ended_at)
            place = self._place(trace.context, task.created_at)
            if not place.links:
                self._note_wait(place, task, attempt, since)
            attributes = of_queue("process") | of_task(task) | _of_attempt(attempt, since)
            span = place.tracer.start_span(
                f"process {task.provider}",
                place.context,
                SpanKind.CONSUMER,
                attributes=attributes,
                links=place.links,
            )
            with current(span):
                yield

    def _place(self, context: TraceContext, since: datetime) -> _Place:
        if context.is_sampled and self._now() - since > SAME_TRACE:
            return _Place(self._roots, Context(), (Link(span_context_of(context)),))
        return _Place(self._tracer, within(context))

    def _note_wait(self, place: _Place, task: Task, attempt: Attempt, since: datetime) -> None:
        attributes: Attributes = {
            Attribute.QUEUE: task.provider,
            Attribute.MESSAGE: str(task.id),
            Attribute.ATTEMPT: attempt.number,
        }
        begin = min(since, attempt.started_at)
        span = place.tracer.start_span(
            span_kinds.WAIT.name, place.context, attributes=attributes, start_time=_nanoseconds(begin)
        )
        span.end(_nanoseconds(attempt.started_at))

    def outcome(self, outcome: Outcome) -> None:
        """Note how the attempt ends that goes on."""
        span = get_current_span()
        span.set_attributes(of_outcome(outcome))
        if failure := failure_in(outcome):
            fail(span, failure.code)

    def engine_step(self, step: EngineStep, task: Task) -> AbstractContextManager[None]:
        """What an engine does within an attempt."""
        return self._engine_step(step, task) if is_traced() else nullcontext()

    @contextmanager
    def _engine_step(self, step: EngineStep, task: Task) -> Iterator[None]:
        described, count = _ENGINE_SPANS[step], RequestCount()
        span = self._tracer.start_span(
            described.name.format(model=model_name(task)),
            kind=SpanKind[described.kind],
            attributes=of_step(step, task),
        )
        with current(span, set_value(COUNT, count)):
            try:
                yield
            finally:
                span.set_attribute(Attribute.VENDOR_REQUESTS, count.number)

    def storing(self) -> AbstractContextManager[None]:
        """Storing the outputs of an attempt."""
        return self._storing() if is_traced() else nullcontext()

    @contextmanager
    def _storing(self) -> Iterator[None]:
        with current(self._tracer.start_span(span_kinds.STORE.name)):
            yield

    @contextmanager
    def delivery(self, delivery: Delivery, task: Task, trace: TaskTrace | None) -> Iterator[Mapping[str, str]]:
        """Sending a message about a task, with the headers of its trace."""
        with bound(task_id=str(task.id), message_id=delivery.message_id):
            if trace is None:
                yield NO_HEADERS
                return
            place = self._place(trace.context, task.created_at)
            span = place.tracer.start_span(
                span_kinds.WEBHOOK.name,
                place.context,
                SpanKind.CLIENT,
                attributes=_of_delivery(delivery),
                links=place.links,
            )
            with current(span):
                yield trace_context_of(span.get_span_context()).headers

    def delivered(self, answer: Answer) -> None:
        """Note how the message was taken whose sending goes on."""
        span = get_current_span()
        if answer.status_code is not None:
            span.set_attribute(Attribute.STATUS, answer.status_code)
        if not answer.is_taken:
            fail(span, "no_answer" if answer.status_code is None else str(answer.status_code))


class _RequestSpan:
    """Implements `RequestSpan`."""

    def __init__(self, span: Span, method: str) -> None:
        self._span = span
        self._method = method

    @property
    def trace_id(self) -> str:
        """In lower-case hexadecimal, empty where nobody keeps the trace."""
        context = self._span.get_span_context()
        return f"{context.trace_id:032x}" if context.trace_flags.sampled else ""

    def answered(self, route: str, status: int) -> None:
        """Note how it was answered."""
        if route != _UNMATCHED:
            self._span.update_name(f"{self._method} {route}")
            self._span.set_attribute(Attribute.ROUTE, route)
        if status == CLIENT_GONE:
            self._span.set_attribute(Attribute.ERROR_TYPE, "client_gone")
            return
        self._span.set_attribute(Attribute.STATUS, status)
        if status >= _SERVER_ERROR:
            fail(self._span, str(status))


def _kept(span: Span) -> TraceContext | None:
    """What is kept with a task. Of a trace that began here and that nobody keeps nothing is."""
    context = span.get_span_context()
    is_kept = context.is_valid and (context.trace_flags.sampled or bool(get_value(_BEGUN_BY_CALLER)))
    return trace_context_of(context) if is_kept else None


def _of_attempt(attempt: Attempt, since: datetime) -> Attributes:
    waited_s = max((attempt.started_at - since).total_seconds(), 0.0)
    return {Attribute.ATTEMPT: attempt.number, Attribute.WAITED: waited_s}


def _of_delivery(delivery: Delivery) -> Attributes:
    attributes: Attributes = {
        Attribute.METHOD: "POST",
        Attribute.MESSAGE: delivery.message_id,
        Attribute.WEBHOOK_TYPE: delivery.type,
    }
    if delivery.tries:
        attributes[Attribute.RESENT] = delivery.tries
    return attributes | of_place(delivery.url)


def _nanoseconds(at: datetime) -> int:
    return int(at.timestamp() * 1_000_000) * 1_000
