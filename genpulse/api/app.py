"""The HTTP API as one application."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
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
from genpulse.api.auth.api_keys import KeyAccess
from genpulse.api.auth.callers import LoopbackAccess
from genpulse.api.context import Context
from genpulse.api.metrics import Metrics
from genpulse.api.middleware.body_size_limit import BodySizeLimit
from genpulse.api.middleware.body_timeout import BodyTimeout
from genpulse.api.middleware.error_middleware import CarryErrors, RaiseCarried
from genpulse.api.middleware.fast_path import FastPath
from genpulse.api.middleware.head_requests import HeadOfGet
from genpulse.api.middleware.request_middleware import RequestMiddleware
from genpulse.api.options import ApiOptions
from genpulse.api.requests import multipart
from genpulse.api.routes import (
    assets,
    deletion,
    docs_page,
    environment,
    health,
    metrics,
    models,
    provider_callbacks,
    providers,
    task_events,
    task_list,
    tasks,
    uploads,
    webhook_deliveries,
)
from genpulse.api.server.connections_per_peer import PEERS, Peers, most_connections
from genpulse.api.server.shutdown import on_signal
from genpulse.ports import Services

OpenServices: TypeAlias = Callable[[], AbstractAsyncContextManager[Services]]

_ROOMS = (
    tasks,
    task_list,
    webhook_deliveries,
    task_events,
    uploads,
    assets,
    deletion,
    providers,
    models,
    environment,
    provider_callbacks,
    health,
    metrics,
    docs_page,
)


class Api(FastAPI):
    """FastAPI with our own OpenAPI document, behind our own door: it is in nobody's way who does not need it."""

    door: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve through the door, once it is hung."""
        scope["app"] = self
        await (self.door or super().__call__)(scope, receive, send)

    def hang(self, options: ApiOptions) -> None:
        """From the outside to the inside: what surrounds every request, the short way, the guards of bodies."""
        upload_limit_bytes = options.upload_limit_bytes + multipart.OVERHEAD_BYTES
        limits = {uploads.UPLOADS_PATH: upload_limit_bytes}
        self.add_middleware(RaiseCarried)
        framework = CarryErrors(HeadOfGet(super().__call__, self._takes_head))
        paced = BodyTimeout(framework, idle_s=options.body_idle_s)
        guarded = BodySizeLimit(paced, limit_bytes=options.body_limit_bytes, exceptions=limits)
        self.door = RequestMiddleware(
            FastPath(guarded, limit_bytes=options.body_limit_bytes, idle_s=options.body_idle_s)
        )

    def _takes_head(self, scope: Scope) -> bool:
        return "HEAD" in _methods_of(self.routes, scope)

    def openapi(self) -> dict[str, Any]:
        """Made once."""
        if self.openapi_schema is None:
            self.openapi_schema = openapi.describe(self)
        return self.openapi_schema


def create_app(open_services: OpenServices, options: ApiOptions) -> FastAPI:
    """The application. It opens its services when the server starts and closes them when it ends."""
    app = Api(
        title="GenPulse",
        version=options.version,
        lifespan=_lifespan(open_services, options),
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
    )
    for room in _ROOMS:
        app.router.routes.extend(room.routes.routes)
    app.add_exception_handler(HTTPException, _routing_problem)
    app.add_exception_handler(RequestValidationError, _parameter_problem)
    app.hang(options)
    return app


def _lifespan(
    open_services: OpenServices, options: ApiOptions
) -> Callable[[FastAPI], AbstractAsyncContextManager[dict[str, Peers]]]:
    peers = Peers(options.connections_per_peer, most_connections(), options.trusted_proxies)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, Peers]]:
        stopping = asyncio.Event()
        async with open_services() as services:
            access = _access(services, options)
            metrics = Metrics(services.loops, peers)
            context = app.state.context = Context(services, options, access, metrics, stopping)
            ending = asyncio.create_task(context.endings.stop_with(stopping))
            with on_signal(stopping):
                yield {PEERS: peers}
            stopping.set()
            await ending
            await access.close()

    return lifespan


def _access(services: Services, options: ApiOptions) -> KeyAccess:
    public_host = urlsplit(options.public_url).hostname if options.public_url else None
    without_key = LoopbackAccess(services.environment, options.api_key_prefixes, public_host)
    return KeyAccess(services.keys, without_key, services.now)


async def _routing_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class alone
    methods = _methods_of(request.app.routes, request.scope)
    return problems.answer_routing(
        error, request.scope, sorted(methods | {"HEAD"} if "GET" in methods else methods)
    )


def _methods_of(routes: Sequence[BaseRoute], scope: Scope) -> set[str]:
    """Every method that the path takes, over all of its routes; one that is written out goes before a pattern."""
    plain = [route for route in routes if isinstance(route, Route)]
    fitting = [route for route in plain if route.matches(scope)[0] is not Match.NONE]
    written_out = [route for route in fitting if not route.param_convertors]
    return {method for route in written_out or fitting for method in route.methods or ()}


async def _parameter_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class alone
    return problems.answer_parameters(error, request.scope)
