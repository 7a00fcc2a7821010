"""Middleware that serves the most frequent calls without FastAPI, by the same handlers."""

import re
from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from genpulse.api.door import opened_call
from genpulse.api.middleware.body_guard import BodyGuard
from genpulse.api.middleware.request_middleware import ROUTE
from genpulse.api.requests.lean_request import LeanRequest
from genpulse.api.requests.paths import inner_path
from genpulse.api.routes.assets.assets import CONTENT_PATH, show_content
from genpulse.api.routes.tasks.task_events import EVENTS_PATH, watch_task
from genpulse.api.routes.tasks.tasks import TASK_PATH, TASKS_PATH, show_task, submit_task

_PREFIX = f"{TASKS_PATH}/"
_END = len(_PREFIX) + 36

_CONTENT = re.compile("/v1/assets/([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})/content")

Handler = Callable[[Request], Awaitable[Response]]

_READS: Mapping[str, tuple[str, Handler]] = {"": (TASK_PATH, show_task), "/events": (EVENTS_PATH, watch_task)}
"""The route and its handler by what follows the id in the path."""


class FastPath:
    """ASGI middleware that guards every body, and serves the most frequent calls by itself.

    The calls of doors go to their handlers, and so do `POST /v1/tasks`, `GET /v1/tasks/{id}` and its events, and
    the bytes of assets. Everything else goes to `framework`.
    """

    def __init__(self, framework: ASGIApp, guard: BodyGuard) -> None:
        self._framework = framework
        self._guard = guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request. Raises `ContentTooLarge` and `BodyTooSlow` as soon as a body is read."""
        if scope["type"] != "http":
            await self._framework(scope, receive, send)
            return
        handler = _handler(scope)
        receive = self._guard.guarded(scope, receive)
        if handler is None:
            await self._framework(scope, receive, send)
        else:
            response = await handler(LeanRequest(scope, receive))
            await response(scope, receive, send)


def _handler(scope: Scope) -> Handler | None:
    """The handler of a frequent call, whose route and parameters are noted in the scope."""
    if (opened := opened_call(scope)) is not None and opened.call is not None:
        return opened.call.handler
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
    if method == "GET" and b"w=" not in scope["query_string"] and (content := _CONTENT.fullmatch(path)):
        scope[ROUTE] = CONTENT_PATH
        scope["path_params"] = {"asset_id": content[1]}
        return show_content
    return None
