"""One request of somebody who may be here."""

from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import UUID

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from genpulse.api.context import Context, context_in
from genpulse.api.errors import InsufficientScope
from genpulse.console import rendering, sessions
from genpulse.console.console import Console
from genpulse.console.forms.posted_form import token_for
from genpulse.console.sessions import SessionCookie
from genpulse.console.viewer import Viewer, links_of
from genpulse.domain.console import ConsoleSession
from genpulse.domain.errors import UnknownTask
from genpulse.domain.keys.api_key import Scope
from genpulse.domain.task import Task
from genpulse.ports import Services

SAID = {
    "canceled": "Asked to stop.",
    "retried": "Queued again.",
    "sent": "The message is sent again.",
    "sent_many": "What was given up is sent again.",
    "done": "Done.",
}
"""What a page says after something was done, by the word in its address."""


@dataclass(frozen=True, slots=True)
class Visit:
    """A request, who makes it, and the `token` that forms of its pages carry. `session` is None without a key."""

    console: Console
    request: Request
    context: Context
    viewer: Viewer
    session: ConsoleSession | None
    token: str

    @property
    def services(self) -> Services:
        """The ports."""
        return self.context.services

    @property
    def public_base(self) -> str:
        """Where programs reach the API, without a slash at its end."""
        public, url = self.context.options.public_url, self.request.url
        return public.rstrip("/") if public else f"{url.scheme}://{url.netloc}{self.viewer.base}"

    def require(self, scope: Scope) -> None:
        """Raises `InsufficientScope`."""
        key = self.viewer.caller.key
        if key is not None and not key.allows(scope):
            raise InsufficientScope(scope, sorted(key.scopes))

    async def task(self) -> Task:
        """The task in the path, if this viewer may see it. Raises `UnknownTask`, `DatabaseUnavailable`."""
        word = str(self.request.path_params["task_id"])
        try:
            task_id = UUID(word)
        except ValueError:
            raise UnknownTask(repr(word[:100])) from None
        return await self.task_of(task_id)

    async def task_of(self, task_id: UUID) -> Task:
        """A task, if this viewer may see it. Raises `UnknownTask`, `DatabaseUnavailable`."""
        task = await self.services.store.get(task_id)
        if not self.viewer.caller.sees(task.owner):
            raise UnknownTask(task_id)
        return task

    def page(self, template: str, title: str, *, status: int = 200, live: str = "", **view: object) -> Response:
        """A whole page. `live` is the path of the events by which it keeps itself up to date."""
        html = rendering.render(
            template,
            title=title,
            viewer=self.viewer,
            token=self.token,
            has_session=self.session is not None,
            navigation=[one for one in self.console.navigation if self.viewer.allows(one.scope)],
            others=self.console.other_urls(self.viewer.environment.name),
            asks_for_name=self.console.options.asks_for_name,
            here=self.request.scope["path"].removeprefix(self.viewer.base),
            live=self.viewer.path(live) if live else "",
            said=SAID.get(self.request.query_params.get("said", ""), ""),
            **view,
        )
        return HTMLResponse(html, status)

    def redirect(self, path: str) -> Response:
        """Lead the browser to a page of the console, by GET."""
        return RedirectResponse(self.viewer.path(path), 303)


async def admit(console: Console, request: Request) -> Visit:
    """The visit of whoever makes this request.

    Raises `AuthenticationRequired`, `InsufficientScope`, `DatabaseUnavailable`.
    """
    context = context_in(request.scope)
    base = base_of(request, context)
    caller, session = await sessions.caller_of(request, context, SessionCookie.of(request, context, base))
    options = context.options
    signer = await context.signing.fill(context.services, options.asset_url_s, options.events_url_s)
    viewer = Viewer(
        caller=caller,
        base=base,
        environment=context.services.environment,
        hides_content=console.options.hides_content,
        links=links_of(base, context.signed, has_thumbnails=context.services.thumbnails is not None),
    )
    visit = Visit(console, request, context, viewer, session, token_for(signer.secret, session))
    visit.require(Scope.READ)
    return visit


def base_of(request: Request, context: Context) -> str:
    """The path before `/console`, as the browser knows it."""
    if context.options.public_url is not None:
        return urlsplit(context.options.public_url).path.rstrip("/")
    prefix: str = request.scope.get("root_path", "")
    return prefix.rstrip("/")
