"""Spans as they end, without a collector."""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBased, TraceIdRatioBased

from genpulse.adapters.otel.span_kinds import SPAN_KINDS
from genpulse.adapters.otel.tracing import OtelTracing
from genpulse.adapters.otel.vendor_requests import TracedHttp


def check_span(name: str, kind: str, attributes: Iterable[str]) -> None:
    """Whether there is such a span, with such attributes, by the table of which the reference is made."""
    known = [one for one in SPAN_KINDS if one.kind == kind and _pattern(one.name).fullmatch(name)]
    assert known, f"{kind} {name}"
    assert any(set(attributes) <= set(one.attributes) for one in known), (name, set(attributes))


def _pattern(name: str) -> re.Pattern[str]:
    # Of a request without a route the method alone is known.
    optional = re.escape(name).replace(r"\ \{route\}", "( .+)?")
    return re.compile(re.sub(r"\\{\w+\\}", ".+", optional))


class SpanBook:
    """A tracing of the product, whose spans are written down here."""

    def __init__(
        self,
        sample: float = 1.0,
        *,
        trusts_callers: bool = True,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._exporter = InMemorySpanExporter()
        processor = SimpleSpanProcessor(self._exporter)
        tracers = []
        for sampler in (ParentBased(TraceIdRatioBased(sample)), ALWAYS_ON):
            provider = TracerProvider(sampler, shutdown_on_exit=False)
            provider.add_span_processor(processor)
            tracers.append(provider.get_tracer("test"))
        self._tracer, roots = tracers
        self.tracing = OtelTracing(self._tracer, roots, sample=sample, trusts_callers=trusts_callers, now=now)

    def traced(self, http):
        """The client, whose requests are written down."""
        return TracedHttp(http, self._tracer)

    @property
    def spans(self) -> list[ReadableSpan]:
        """In the order in which they began."""
        for span in self._exporter.get_finished_spans():
            check_span(span.name, span.kind.name, span.attributes)
        return sorted(self._exporter.get_finished_spans(), key=lambda span: (span.start_time, span.end_time))

    def named(self, name: str) -> list[ReadableSpan]:
        return [span for span in self.spans if span.name == name]

    def roots(self) -> list[tuple]:
        """Each span that lies in no other one here, as a tree of names."""
        ids = {span.context.span_id for span in self.spans}
        return [self.tree(span) for span in self.spans if span.parent is None or span.parent.span_id not in ids]

    def tree(self, span: ReadableSpan) -> tuple:
        below = [
            one for one in self.spans if one.parent is not None and one.parent.span_id == span.context.span_id
        ]
        return span.name, *(self.tree(one) for one in below)
