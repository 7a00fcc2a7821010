"""Spans of OpenTelemetry, and the contexts that are kept and sent."""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.context import Context, attach, detach
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    Status,
    StatusCode,
    TraceFlags,
    TraceState,
    get_current_span,
    set_span_in_context,
)

from genpulse.adapters.log_ids import bound
from genpulse.adapters.otel.span_kinds import Attribute
from genpulse.domain.trace_context import TraceContext


def span_context_of(context: TraceContext) -> SpanContext:
    """A span of another process."""
    return SpanContext(
        int(context.trace_id, 16),
        int(context.span_id, 16),
        is_remote=True,
        trace_flags=TraceFlags(context.flags),
        trace_state=TraceState.from_header([context.state] if context.state else []),
    )


def trace_context_of(context: SpanContext) -> TraceContext:
    """As it is kept and sent."""
    return TraceContext(
        f"{context.trace_id:032x}",
        f"{context.span_id:016x}",
        int(context.trace_flags),
        context.trace_state.to_header(),
    )


def within(context: TraceContext, base: Context | None = None) -> Context:
    """Where spans begin that lie within one of another process."""
    return set_span_in_context(NonRecordingSpan(span_context_of(context)), Context() if base is None else base)


def is_traced() -> bool:
    """Whether what goes on here belongs to a trace, be it one that nobody keeps."""
    return get_current_span().get_span_context().is_valid


@contextmanager
def current(span: Span, base: Context | None = None) -> Iterator[Span]:
    """Let the body be what the span is about, and end it then."""
    context = span.get_span_context()
    token = attach(set_span_in_context(span, base))
    try:
        with bound(trace_id=f"{context.trace_id:032x}", span_id=f"{context.span_id:016x}"):
            yield span
    except BaseException as error:
        fail(span, type(error).__name__)
        raise
    finally:
        detach(token)
        span.end()


def fail(span: Span, why: str) -> None:
    """Say that it failed, by a word that holds nothing of anybody."""
    span.set_attribute(Attribute.ERROR_TYPE, why)
    span.set_status(Status(StatusCode.ERROR))
