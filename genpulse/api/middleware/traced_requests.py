"""Middleware that notes requests for whoever traces them."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from genpulse.api.context import context_in
from genpulse.api.middleware.request_middleware import CLIENT_GONE, TRACE_ID, request_id, route_of
from genpulse.api.requests.lean_request import headers_of
from genpulse.api.requests.paths import inner_path
from genpulse.domain.trace_context import parse_trace_context
from genpulse.ports import IncomingRequest

NOT_TRACED = frozenset({"/healthz", "/readyz", "/metrics"})
"""What machines ask every few seconds."""


class TracedRequests:
    """ASGI middleware around all that serves a request; stacked only where requests are traced."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request within the span of its own."""
        if scope["type"] != "http" or inner_path(scope) in NOT_TRACED:
            await self._app(scope, receive, send)
            return
        status = CLIENT_GONE

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        with context_in(scope).services.tracing.request(_incoming(scope)) as span:
            scope[TRACE_ID] = span.trace_id
            try:
                await self._app(scope, receive, noted)
            finally:
                span.answered(route_of(scope), status)


def _incoming(scope: Scope) -> IncomingRequest:
    headers = headers_of(scope)
    context = parse_trace_context(headers.getlist("traceparent"), headers.getlist("tracestate"))
    return IncomingRequest(scope["method"], scope["scheme"], request_id(scope), context)
