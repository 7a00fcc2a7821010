"""Logging in with an API key, and out."""

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from genpulse.api.context import context_in
from genpulse.api.error_status import status_of
from genpulse.api.errors import AuthenticationRequired, ForeignEnvironment
from genpulse.console import changes, rendering, sessions
from genpulse.console.console import Console
from genpulse.console.forms import posted_form
from genpulse.console.sessions import SessionCookie
from genpulse.console.visit import Visit, admit, base_of
from genpulse.domain.keys.api_key import Scope
from genpulse.domain.keys.caller import Caller

_LONGEST = 1000


async def show_log_in(console: Console, request: Request) -> Response:
    """The form; whoever may be here already is led on."""
    next_page = _next(request.query_params.get("next", ""))
    try:
        await admit(console, request)
    except AuthenticationRequired as error:
        return _form(request, next_page, str(error) if "session is over" in str(error) else "")
    return RedirectResponse(f"{base_of(request, context_in(request.scope))}/console{next_page}", 303)


async def log_in(_console: Console, request: Request) -> Response:
    """Open a session. Raises `ForgedForm`, `UnreadableForm`, `DatabaseUnavailable`."""
    context = context_in(request.scope)
    form = await posted_form.read(request, context_in(request.scope).options.body_limit_bytes)
    posted_form.check_origin(request, context.options.public_url)
    next_page = _next(form.get("next"))
    try:
        caller, value = await sessions.log_in(context, form.get("key").strip())
    except (AuthenticationRequired, ForeignEnvironment) as error:
        return _form(request, next_page, str(error), status_of(error))
    if not _may_look(caller):
        return _form(request, next_page, f"This key may not read: it needs the scope {Scope.READ}.", 403)
    entry = changes.entry_of(request, context.services, caller, "session.begin", "")
    await context.services.console.note(replace(entry, outcome=changes.DONE))
    base = base_of(request, context)
    response = RedirectResponse(f"{base}/console{next_page}", 303)
    SessionCookie.of(request, context, base).hand_out(response, value)
    return response


async def log_out(console: Console, request: Request) -> Response:
    """End the session. Raises `ForgedForm`, `AuthenticationRequired`, `DatabaseUnavailable`."""
    visit, _ = await changes.opened(console, request)
    return await changes.noted(visit, "session.end", "", lambda: _end(visit))


async def _end(visit: Visit) -> Response:
    if visit.session is not None:
        await visit.services.console.close_session(visit.session.digest)
    response = visit.redirect("/log-in")
    SessionCookie.of(visit.request, visit.context, visit.viewer.base).take_back(response)
    return response


def _may_look(caller: Caller) -> bool:
    return caller.key is not None and caller.key.allows(Scope.READ)


def _form(request: Request, next_page: str, message: str, status: int = 200) -> Response:
    context = context_in(request.scope)
    html = rendering.render(
        "log_in.html",
        title="Log in",
        base=base_of(request, context),
        environment=context.services.environment,
        next_page=next_page,
        message=message,
    )
    return HTMLResponse(html, status)


def _next(next_page: str) -> str:
    """The page to go to, below the console: whatever else is asked for is its first page."""
    is_ours = (
        next_page.startswith("/") and not next_page.startswith(("//", "/log-in")) and len(next_page) <= _LONGEST
    )
    is_plain = next_page.isascii() and next_page.isprintable() and "\\" not in next_page
    return next_page if is_ours and is_plain else ""
