"""Pages about what went wrong."""

from collections.abc import Mapping
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import Scope

from genpulse.api.context import context_in
from genpulse.api.door import Refusal
from genpulse.api.error_status import headers_of, status_of
from genpulse.api.errors import AuthenticationRequired, MethodNotTaken, UnknownCall
from genpulse.console import rendering
from genpulse.console.errors import EnvironmentNotNamed, ForgedForm, UnreadableForm
from genpulse.console.visit import base_of
from genpulse.domain.errors import GenPulseError, Unavailable, UnknownProvider

_STATUS: Mapping[type[GenPulseError], int] = {
    ForgedForm: 403,
    EnvironmentNotNamed: 422,
    UnreadableForm: 400,
    UnknownProvider: 404,
}
_TITLES: Mapping[int, str] = {
    400: "This cannot be read",
    401: "Log in first",
    402: "A budget is used up",
    403: "Not allowed",
    404: "There is no such thing",
    405: "Not from here",
    409: "This cannot be done now",
    410: "It is gone",
    413: "This is too large",
    429: "Too much at once",
    500: "Something went wrong here",
    503: "Something is away",
}
AGAIN_S = 5
"""Seconds after which a page about an outage loads itself again."""


def refuse(error: Refusal, scope: Scope) -> Response:
    """The page for an error. Who has to log in is led there, and comes back afterwards."""
    request, context = Request(scope), context_in(scope)
    base, is_read = base_of(request, context), scope["method"] in {"GET", "HEAD"}
    if isinstance(error, AuthenticationRequired) and is_read:
        path = scope["path"].removeprefix(base).removeprefix("/console")
        query = scope["query_string"].decode("latin-1")
        wanted = quote(f"{path}?{query}" if query else path, safe="")
        return RedirectResponse(f"{base}/console/log-in?next={wanted}", 303)
    status = _STATUS.get(type(error)) or status_of(error)
    comes_back = isinstance(error, Unavailable)
    html = rendering.render(
        "refusal.html",
        title=_TITLES.get(status, "This was refused"),
        base=base,
        environment=context.services.environment,
        said=_said(error),
        comes_back=comes_back,
        again_s=AGAIN_S if comes_back and is_read else 0,
        needs_session=isinstance(error, AuthenticationRequired),
    )
    return HTMLResponse(html, status, headers_of(error))


def _said(error: Refusal) -> str:
    if isinstance(error, UnknownCall):
        return "The console has no such page."
    if isinstance(error, MethodNotTaken):
        return "This address is no page: it is where forms of the console are sent to."
    return str(error)
