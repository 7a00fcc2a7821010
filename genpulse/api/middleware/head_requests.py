"""Middleware that answers HEAD wherever there is a GET."""

from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_COPIED = ("route", "endpoint", "path_params", "genpulse.raised")
"""What the framework notes in the scope: it goes back from the copy that it was given."""


class HeadOfGet:
    """ASGI middleware that answers HEAD by the head of the GET, but where a route `takes_head` itself.

    What would be streamed is ended as if the client had gone.
    """

    def __init__(self, app: ASGIApp, takes_head: Callable[[Scope], bool]) -> None:
        self._app = app
        self._takes_head = takes_head

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["method"] != "HEAD" or self._takes_head(scope):
            await self._app(scope, receive, send)
            return
        inner = {**scope, "method": "GET"}
        await self._app(inner, _disconnect, _without_body(send))
        scope.update({name: inner[name] for name in _COPIED if name in inner})


async def _disconnect() -> Message:
    return {"type": "http.disconnect"}


def _without_body(send: Send) -> Send:
    async def head(message: Message) -> None:
        if message["type"] == "http.response.start":
            await send(message)
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    return head
