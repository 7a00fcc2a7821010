"""The HTTP API as one application."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from genpulse.api import openapi, problems
from genpulse.api.auth.authentication import Authenticator
from genpulse.api.auth.loopback import LoopbackAccess
from genpulse.api.auth.upload_access import granted_bytes
from genpulse.api.context import Context
from genpulse.api.door import Door, Doors, opened_call
from genpulse.api.metrics.metrics import Metrics
from genpulse.api.middleware.body_guard import BodyGuard
from genpulse.api.middleware.cross_origin import CrossOrigin
from genpulse.api.middleware.error_middleware import CatchErrors, RaiseErrors
from genpulse.api.middleware.fast_path import FastPath
from genpulse.api.middleware.head_requests import HeadOfGet
from genpulse.api.middleware.request_middleware import RequestMiddleware
from genpulse.api.middleware.traced_requests import TracedRequests
from genpulse.api.options import ApiOptions
from genpulse.api.requests import multipart
from genpulse.api.routes import (
    api_keys,
    budgets,
    client_tokens,
    docs_page,
    environment,
    health,
    metrics,
    provider_callbacks,
    usage,
    webhook_deliveries,
)
from genpulse.api.routes.assets import assets, signed_uploads, uploads
from genpulse.api.routes.catalogue import model_routes, models, providers
from genpulse.api.routes.tasks import (
    batch_events,
    batches,
    deletion,
    task_actions,
    task_attempts,
    task_events,
    task_ledger,
    task_list,
    tasks,
)
from genpulse.api.server.connections_per_peer import PEERS, Peers, most_connections
from genpulse.api.server.shutdown import on_signal
from genpulse.domain.errors import Unavailable
from genpulse.lifecycle.routing.latencies import EVERY_S, refresh_latencies, timed_models
from genpulse.lifecycle.thumbnails import ThumbnailShelf
from genpulse.ports import Services

OpenServices: TypeAlias = Callable[[], AbstractAsyncContextManager[Services]]

_ROUTE_MODULES = (
    tasks,
    task_list,
    task_actions,
    task_attempts,
    task_ledger,
    webhook_deliveries,
    task_events,
    batches,
    batch_events,
    usage,
    budgets,
    uploads,
    signed_uploads,
    assets,
    deletion,
    providers,
    models,
    model_routes,
    api_keys,
    client_tokens,
    environment,
    provider_callbacks,
    health,
    metrics,
    docs_page,
)


_NONE_OF_THE_FRAMEWORKS: Any = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
}
"""What FastAPI itself would tell OpenTelemetry holds the words of errors, and would be told beside our spans."""


class Api(FastAPI):
    """FastAPI behind the middleware that `surround` stacks, with our own OpenAPI document."""

    entry: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request through the middleware."""
        scope["app"] = self
        await (self.entry or super().__call__)(scope, receive, send)

    def surround(self, options: ApiOptions, doors: Doors) -> None:
        """Stack the middleware: web pages, request id and caller, body guard and fast path, then the framework."""
        upload_limit_bytes = options.upload_limit_bytes + multipart.OVERHEAD_BYTES
        guard = BodyGuard(
            options.body_limit_bytes,
            options.body_idle_s,
            {uploads.UPLOADS_PATH: upload_limit_bytes},
            partial(_granted_bytes, options.upload_limit_bytes, upload_limit_bytes),
        )
        self.add_middleware(CatchErrors)
        framework = RaiseErrors(HeadOfGet(super().__call__, self._takes_head))
        self.entry = RequestMiddleware(FastPath(framework, guard), doors)
        if options.traces_requests:
            self.entry = TracedRequests(self.entry)
        if options.cors_origins:
            self.entry = CrossOrigin(self.entry, options.cors_origins)

    def _takes_head(self, scope: Scope) -> bool:
        return "HEAD" in _methods_of(self.routes, scope)

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document, made once."""
        if self.openapi_schema is None:
            self.openapi_schema = openapi.describe(self)
        return self.openapi_schema


def create_app(open_services: OpenServices, options: ApiOptions, doors: Sequence[Door] = ()) -> FastAPI:
    """The application. It opens its services when the server starts and closes them when it ends.

    `doors` are the APIs of others that it speaks, too.
    """
    app = Api(
        title="GenPulse",
        version=options.version,
        lifespan=_lifespan(open_services, options),
        redirect_slashes=False,
        telemetry=_NONE_OF_THE_FRAMEWORKS,
        docs_url=None,
        redoc_url=None,
    )
    for module in _ROUTE_MODULES:
        app.router.routes.extend(module.routes.routes)
    app.add_exception_handler(HTTPException, _routing_problem)
    app.add_exception_handler(RequestValidationError, _parameter_problem)
    app.surround(options, Doors(doors))
    return app


def _granted_bytes(upload_limit_bytes: int, form_limit_bytes: int, scope: Scope) -> int | None:
    """What the body of a request may have that brings a file, None for all others."""
    opened = opened_call(scope)
    if opened is not None:
        call = opened.call
        return None if call is None else form_limit_bytes if call.takes_files else call.body_bytes
    return granted_bytes(upload_limit_bytes, scope)


def _lifespan(
    open_services: OpenServices, options: ApiOptions
) -> Callable[[FastAPI], AbstractAsyncContextManager[dict[str, Peers]]]:
    peers = Peers(options.connections_per_peer, most_connections(), options.trusted_proxies)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, Peers]]:
        stopping = asyncio.Event()
        async with open_services() as services:
            authenticator = _authenticator(services, options)
            listed = (name for name, _ in services.catalogue.models())
            metrics = Metrics(services.loops, peers, listed)
            thumbnails = ThumbnailShelf(services)
            context = Context(services, options, authenticator, metrics, stopping, thumbnails)
            app.state.context = context
            cancelling = asyncio.create_task(context.cancel_handles.cancel_after(stopping))
            with on_signal(stopping):
                async with _latencies_kept(services):
                    yield {PEERS: peers}
            stopping.set()
            await cancelling
            await thumbnails.close()
            await authenticator.close()

    return lifespan


@asynccontextmanager
async def _latencies_kept(services: Services) -> AsyncIterator[None]:
    """Know how long models take while the body runs, where a route asks for it."""
    if not timed_models(services):
        yield
        return
    loop = services.loops.forever(
        "looking how long models take",
        lambda: refresh_latencies(services),
        pause_s=EVERY_S,
        away=(Unavailable,),
        longest_pause_s=EVERY_S,
    )
    looking = asyncio.create_task(loop)
    try:
        yield
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)


def _authenticator(services: Services, options: ApiOptions) -> Authenticator:
    public_host = urlsplit(options.public_url).hostname if options.public_url else None
    loopback = LoopbackAccess(services.environment, public_host)
    return Authenticator(services.keys, loopback, options.api_key_prefixes, services.now)


async def _routing_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class alone
    methods = _methods_of(request.app.routes, request.scope)
    return problems.routing_response(
        error, request.scope, sorted(methods | {"HEAD"} if "GET" in methods else methods)
    )


def _methods_of(routes: Sequence[BaseRoute], scope: Scope) -> set[str]:
    """Every method that the path takes, over all of its routes; one that is written out goes before a pattern."""
    plain = [route for route in routes if isinstance(route, Route)]
    matching = [route for route in plain if route.matches(scope)[0] is not Match.NONE]
    literal = [route for route in matching if not route.param_convertors]
    return {method for route in literal or matching for method in route.methods or ()}


async def _parameter_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class alone
    return problems.parameters_response(error, request.scope)
