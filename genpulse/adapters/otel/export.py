"""Bringing spans to a collector, in a thread of its own that nobody waits for."""

import asyncio
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBased, Sampler, TraceIdRatioBased

from genpulse.adapters.otel.tracing import OtelTracing
from genpulse.adapters.otel.vendor_requests import TracedHttp
from genpulse.provider.http import Http

CLOSE_S = 3.0
"""Seconds in which a process that ends brings its last spans; what has not arrived then is lost."""

_PATH = "/v1/traces"
_SCOPE = "genpulse"


@dataclass(frozen=True, slots=True)
class Collector:
    """Where spans go: the address of OTLP over HTTP, without the path of traces, and headers for it."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def traces_url(self) -> str:
        """Where traces go."""
        url = self.url.rstrip("/")
        return url if url.endswith(_PATH) else f"{url}{_PATH}"


class Export:
    """The spans of this process on their way to a collector. `resource` says what the process is."""

    def __init__(
        self,
        collector: Collector,
        resource: Mapping[str, str],
        *,
        version: str,
        sample: float = 1.0,
        trusts_callers: bool = True,
    ) -> None:
        self._exporter = OTLPSpanExporter(collector.traces_url, headers=dict(collector.headers))
        batches = BatchSpanProcessor(self._exporter)
        self._provider, roots = (
            _provider(sampler, resource, batches)
            for sampler in (ParentBased(TraceIdRatioBased(sample)), ALWAYS_ON)
        )
        self._tracer = self._provider.get_tracer(_SCOPE, version)
        self.tracing = OtelTracing(
            self._tracer,
            roots.get_tracer(_SCOPE, version),
            sample=sample,
            trusts_callers=trusts_callers,
            now=lambda: datetime.now(UTC),
        )

    def traced(self, http: Http) -> Http:
        """The client, with a span for each request."""
        return TracedHttp(http, self._tracer)

    async def close(self, within_s: float = CLOSE_S) -> None:
        """Bring what is left, and wait for `within_s` seconds at most."""
        loop, done = asyncio.get_running_loop(), asyncio.Event()

        def end() -> None:
            self._provider.shutdown()
            with suppress(RuntimeError):  # nobody listens any more
                loop.call_soon_threadsafe(done.set)

        threading.Thread(target=end, name="last spans", daemon=True).start()
        try:
            async with asyncio.timeout(within_s):
                await done.wait()
        except TimeoutError:
            self._exporter.shutdown()  # type: ignore[no-untyped-call]


def _provider(sampler: Sampler, resource: Mapping[str, str], processor: SpanProcessor) -> TracerProvider:
    provider = TracerProvider(sampler, Resource.create(dict(resource)), shutdown_on_exit=False)
    provider.add_span_processor(processor)
    return provider
