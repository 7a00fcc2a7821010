"""Doing what a form asks for, with an entry in the log of actions."""

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import Response

from genpulse.api.context import context_in
from genpulse.console.console import Console
from genpulse.console.errors import EnvironmentNotNamed
from genpulse.console.forms import posted_form
from genpulse.console.forms.posted_form import PageForm
from genpulse.console.visit import Visit, admit
from genpulse.domain.console import ConsoleAction
from genpulse.domain.errors import Refused, Unavailable
from genpulse.domain.keys.api_key import Scope
from genpulse.domain.keys.caller import Caller
from genpulse.domain.text.storable import storable_line
from genpulse.ports import ConsoleStore, Services

DONE = "done"
_log = logging.getLogger(__name__)
BROKEN_OFF = "internal"
_NAMED = ("task_id", "key_id", "name")
_LONGEST_SUBJECT = 2000

T = TypeVar("T")
Doing = Callable[[Visit, PageForm], Awaitable[Response]]


async def change(
    console: Console,
    request: Request,
    action: str,
    do: Doing,
    *,
    scope: Scope = Scope.WRITE,
    is_weighty: bool = False,
) -> Response:
    """Do what a form asks for. An `action` that `is_weighty` costs money or cannot be undone.

    Raises `ForgedForm`, `UnreadableForm`, `EnvironmentNotNamed`, `InsufficientScope`, `AuthenticationRequired`,
    `DatabaseUnavailable`, and what `do` raises.
    """
    visit, form = await opened(console, request)
    visit.require(scope)
    if is_weighty:
        check_name(visit, form)
    return await noted(visit, action, _subject(request, form), lambda: do(visit, form))


def check_name(visit: Visit, form: PageForm) -> None:
    """Whether the environment's name was typed, where that is asked for. Raises `EnvironmentNotNamed`."""
    name = visit.viewer.environment.name
    if visit.console.options.asks_for_name and form.get(posted_form.ENVIRONMENT).strip() != name:
        raise EnvironmentNotNamed(name)


async def opened(console: Console, request: Request) -> tuple[Visit, PageForm]:
    """A form that this console has shown to whoever sends it. Raises as `change`."""
    form = await posted_form.read(request, context_in(request.scope).options.body_limit_bytes)
    visit = await admit(console, request)
    posted_form.check_origin(request, visit.context.options.public_url)
    posted_form.check_token(form, visit.token)
    return visit, form


async def noted(visit: Visit, action: str, subject: str, do: Callable[[], Awaitable[T]]) -> T:
    """Do it between the two halves of its entry in the log: that it is about to be done, and how it went."""
    entry = entry_of(visit.request, visit.services, visit.viewer.caller, action, subject)
    store = visit.services.console
    await store.note(entry)
    outcome = BROKEN_OFF
    try:
        done = await do()
        outcome = DONE
    except (Refused, Unavailable) as error:
        outcome = error.code
        raise
    finally:
        await _settle(store, entry, outcome)
    return done


async def _settle(store: ConsoleStore, entry: ConsoleAction, outcome: str) -> None:
    """What was done is done, whether or not that can be entered now: then the log says that it is not known."""
    try:
        await store.settle(entry.id, outcome)
    except Unavailable as error:
        _log.warning("how %s of the console went (%s) is not in its log: %s", entry.id, outcome, error)


def entry_of(request: Request, services: Services, caller: Caller, action: str, subject: str) -> ConsoleAction:
    """An entry in the log of actions."""
    key, client = caller.key, request.client
    return ConsoleAction(
        id=services.new_id(),
        action=action,
        subject=subject,
        owner=caller.owner,
        key_name=key.name if key else "",
        address=client.host if client else "",
        at=services.now(),
    )


def _subject(request: Request, form: PageForm) -> str:
    """What it is done with: what the path names, or the filter of the form."""
    named = next((request.path_params[one] for one in _NAMED if one in request.path_params), None)
    return storable_line(str(named or form.get("filter") or form.get("model")), _LONGEST_SUBJECT)
