"""The client of vendors, each request in a span, with the trace context for those that take it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace

from opentelemetry.context import get_value
from opentelemetry.trace import Span, SpanKind, Tracer, get_current_span

from genpulse.adapters.otel.span_attributes import method_of, of_place
from genpulse.adapters.otel.span_contexts import fail, is_traced, trace_context_of
from genpulse.adapters.otel.span_kinds import Attribute
from genpulse.provider.http import PUBLIC, Http, Reach, Reply, Request, Socket

COUNT = "genpulse.vendor_requests"
"""Key in the context: the `RequestCount` of the step that goes on."""
MOST = 20
"""So many requests of one step have a span each: a job of an hour is asked about hundreds of times."""


@dataclass
class RequestCount:
    """How many requests a step has sent."""

    number: int = 0


class TracedHttp:
    """Implements `Http` by another one. What belongs to no trace goes by as it is."""

    def __init__(self, http: Http, tracer: Tracer) -> None:
        self._http = http
        self._tracer = tracer

    async def send(self, request: Request) -> Reply:
        """The answer, whatever its status."""
        if not is_traced():
            return await self._http.send(request)
        span = self._span(request.method, request.url)
        if request.traced:
            context = trace_context_of((span or get_current_span()).get_span_context())
            request = replace(request, headers={**request.headers, **context.headers})
        try:
            reply = await self._http.send(request)
        except BaseException as error:
            _ended(span, type(error).__name__)
            raise
        if span is not None:
            span.set_attribute(Attribute.STATUS, reply.status)
        _ended(span, "" if reply.status < 400 else str(reply.status))
        return reply

    def fetch_public(
        self, url: str, *, reach: Reach = PUBLIC, limit_bytes: int | None = None, is_fresh: bool = False
    ) -> AsyncIterator[bytes]:
        """The bytes behind a URL that somebody else has named; it is told nothing of the trace."""
        chunks = self._http.fetch_public(url, reach=reach, limit_bytes=limit_bytes, is_fresh=is_fresh)
        return self._noted(url, chunks)

    def fetch_own(
        self, url: str, *, headers: Mapping[str, str], reach: Reach = PUBLIC, limit_bytes: int | None = None
    ) -> AsyncIterator[bytes]:
        """The bytes behind a URL that the adapter itself has built."""
        chunks = self._http.fetch_own(url, headers=headers, reach=reach, limit_bytes=limit_bytes)
        return self._noted(url, chunks)

    def websocket(self, url: str, headers: Mapping[str, str]) -> AbstractAsyncContextManager[Socket]:
        """A WebSocket, which is told nothing of the trace."""
        return self._http.websocket(url, headers)

    async def _noted(self, url: str, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        span = self._span("GET", url)
        try:
            async for chunk in chunks:
                yield chunk
        except BaseException as error:
            _ended(span, "" if isinstance(error, GeneratorExit) else type(error).__name__)
            raise
        _ended(span)

    def _span(self, method: str, url: str) -> Span | None:
        """None where the step has spans enough, and for what belongs to no trace."""
        count = get_value(COUNT)
        if isinstance(count, RequestCount):
            count.number += 1
            if count.number > MOST:
                return None
        if not is_traced():
            return None
        name = method_of(method)
        attributes = of_place(url)
        attributes[Attribute.METHOD] = name
        return self._tracer.start_span(name, kind=SpanKind.CLIENT, attributes=attributes)


def _ended(span: Span | None, why: str = "") -> None:
    if span is None:
        return
    if why:
        fail(span, why)
    span.end()
