"""The calls of the console, and the one that leads a browser there."""

from collections.abc import Awaitable, Callable
from functools import partial

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import Scope

from genpulse.api import problems
from genpulse.api.context import context_in
from genpulse.api.door import Door, DoorCall, Headers, Refusal
from genpulse.console import changes, refusals
from genpulse.console.changes import Doing
from genpulse.console.console import Console, NavigationEntry
from genpulse.console.options import ConsoleOptions
from genpulse.console.pages import (
    action_log,
    bulk,
    environment,
    gallery,
    keys,
    live,
    log_in,
    models,
    now,
    playground,
    provider,
    task,
    tasks,
    usage,
    webhooks,
)
from genpulse.console.static_files import fetch_static
from genpulse.console.visit import Visit, admit, base_of
from genpulse.domain.keys.api_key import Scope as KeyScope

PREFIX = "/console"
_NAVIGATION = (
    NavigationEntry("", "Now", "n"),
    NavigationEntry("/tasks", "Tasks", "t"),
    NavigationEntry("/gallery", "Gallery", "a"),
    NavigationEntry("/playground", "Playground", "p", KeyScope.WRITE),
    NavigationEntry("/models", "Models", "m"),
    NavigationEntry("/webhooks", "Webhooks", "w", KeyScope.VIEW),
    NavigationEntry("/usage", "Usage", "u"),
    NavigationEntry("/keys", "Keys", "k", KeyScope.ADMIN),
    NavigationEntry("/log", "Log", "l"),
    NavigationEntry("/environment", "Environment", "e"),
)
_POLICY = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
_HEADERS = (
    ("Content-Security-Policy", _POLICY),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=()"),
    ("Referrer-Policy", "same-origin"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
)
_NEVER_KEPT = ("Cache-Control", "no-store")

Showing = Callable[[Visit], Awaitable[Response]]
Answering = Callable[[Console, Request], Awaitable[Response]]


def console_doors(options: ConsoleOptions) -> tuple[Door, Door]:
    """The console, and what leads there from `/`."""
    console = Console(options, _NAVIGATION)
    calls = (
        *_pages(console),
        *_changes(console),
        *_others(console),
        DoorCall("GET", "/static/{name}", fetch_static, needs_key=False),
    )
    return Door("console", PREFIX, calls, refusals.refuse, _headers), _front()


_PAGES: tuple[tuple[str, Showing], ...] = (
    ("", now.show),
    ("/tasks", tasks.show),
    ("/tasks/{task_id}", task.show),
    ("/actions", bulk.ask),
    ("/gallery", gallery.show),
    ("/compare", gallery.compare),
    ("/playground", playground.show),
    ("/models", models.show),
    ("/models/{model_id:path}", models.show_one),
    ("/providers/{name}", provider.show),
    ("/webhooks", webhooks.show),
    ("/usage", usage.show),
    ("/usage.csv", usage.fetch_csv),
    ("/keys", keys.show),
    ("/environment", environment.show),
    ("/log", action_log.show),
)
_OTHERS: tuple[tuple[str, str, Answering], ...] = (
    ("GET", "/log-in", log_in.show_log_in),
    ("POST", "/log-in", log_in.log_in),
    ("POST", "/log-out", log_in.log_out),
    ("GET", "/live/now", live.watch_now),
    ("GET", "/live/tasks", live.watch_tasks),
    ("GET", "/live/task/{task_id}", live.watch_task),
    ("GET", "/live/gallery", live.watch_gallery),
    ("POST", "/keys", keys.create),
)


_WITH_FILES: tuple[tuple[str, Answering], ...] = (
    ("/playground", playground.submit),
    ("/playground/price", playground.price),
)


def _others(console: Console) -> list[DoorCall]:
    calls = [DoorCall(method, path, partial(answer, console), needs_key=False) for method, path, answer in _OTHERS]
    return calls + [
        DoorCall("POST", path, partial(answer, console), needs_key=False, takes_files=True)
        for path, answer in _WITH_FILES
    ]


def _pages(console: Console) -> list[DoorCall]:
    def call(path: str, show: Showing) -> DoorCall:
        async def answer(request: Request) -> Response:
            return await show(await admit(console, request))

        return DoorCall("GET", path, answer, needs_key=False)

    return [call(path, show) for path, show in _PAGES]


def _changes(console: Console) -> list[DoorCall]:
    def call(path: str, action: str, do: Doing, *, is_weighty: bool, scope: KeyScope = KeyScope.WRITE) -> DoorCall:
        async def answer(request: Request) -> Response:
            return await changes.change(console, request, action, do, scope=scope, is_weighty=is_weighty)

        return DoorCall("POST", path, answer, needs_key=False)

    return [
        call("/tasks/{task_id}/cancel", "task.cancel", task.cancel, is_weighty=True),
        call("/tasks/{task_id}/retry", "task.retry", task.retry, is_weighty=True),
        call("/tasks/{task_id}/deliveries/{delivery_id:uuid}", "message.send", task.send_again, is_weighty=False),
        call("/webhooks", "messages.send", webhooks.send_again, is_weighty=False, scope=KeyScope.ADMIN),
        call("/keys/{key_id:uuid}/revoke", "key.revoke", keys.revoke, is_weighty=True, scope=KeyScope.ADMIN),
        call("/providers/{name}", "provider.probe", provider.probe, is_weighty=False, scope=KeyScope.ADMIN),
        call("/actions", "tasks.act", bulk.act, is_weighty=True),
    ]


def _headers(scope: Scope) -> Headers:
    is_file = "/static/" in scope["path"]
    is_stream = "/live/" in scope["path"]
    return _HEADERS if is_file or is_stream else (*_HEADERS, _NEVER_KEPT)


def _front() -> Door:
    """What is at `/`: a browser is led to the console, and programs hear as before that nothing is there."""

    def refuse(_error: Refusal, scope: Scope) -> Response:
        return problems.routing_response(HTTPException(404), scope)

    async def lead(request: Request) -> Response:
        if "text/html" not in request.headers.get("accept", ""):
            return problems.routing_response(HTTPException(404), request.scope)
        return RedirectResponse(f"{base_of(request, context_in(request.scope))}{PREFIX}", 303)

    return Door("front", "/", (DoorCall("GET", "", lead, needs_key=False),), refuse)
