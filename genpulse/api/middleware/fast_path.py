"""Middleware that serves the hottest routes without FastAPI, by the same handlers."""

from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from genpulse.api.middleware.body_size_limit import limited
from genpulse.api.middleware.body_timeout import paced
from genpulse.api.middleware.request_middleware import ROUTE
from genpulse.api.requests.lean_request import LeanRequest
from genpulse.api.requests.paths import inner_path
from genpulse.api.routes.task_events import EVENTS_PATH, watch_task
from genpulse.api.routes.tasks import TASK_PATH, TASKS_PATH, show_task, submit_task

_PREFIX = f"{TASKS_PATH}/"
_END = len(_PREFIX) + 36

Handler = Callable[[Request], Awaitable[Response]]

_READS: Mapping[str, tuple[str, Handler]] = {"": (TASK_PATH, show_task), "/events": (EVENTS_PATH, watch_task)}
"""By what comes after the id."""


class FastPath:
    """ASGI middleware that serves `POST /v1/tasks`, `GET /v1/tasks/{id}` and its events, and passes on the rest.

    Bodies are held to `limit_bytes` and to pauses of `idle_s` seconds here as elsewhere.
    """

    def __init__(self, app: ASGIApp, limit_bytes: int, idle_s: float) -> None:
        self._app = app
        self._limit_bytes = limit_bytes
        self._idle_s = idle_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request here when it is one of them."""
        handler = _handler(scope) if scope["type"] == "http" else None
        if handler is None:
            await self._app(scope, receive, send)
            return
        if handler is submit_task:
            receive = paced(limited(scope, receive, self._limit_bytes), self._idle_s)
        response = await handler(LeanRequest(scope, receive))
        await response(scope, receive, send)


def _handler(scope: Scope) -> Handler | None:
    path, method = inner_path(scope), scope["method"]
    if method == "POST" and path == TASKS_PATH:
        scope[ROUTE] = TASKS_PATH
        return submit_task
    if method == "GET" and len(path) >= _END and path.startswith(_PREFIX) and "/" not in path[len(_PREFIX) : _END]:
        route, handler = _READS.get(path[_END:], ("", None))
        if handler is not None:
            scope[ROUTE] = route
            scope["path_params"] = {"task_id": path[len(_PREFIX) : _END]}
        return handler
    return None
