"""Middleware that limits the size of request bodies."""

from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from genpulse.api.requests.lean_request import headers_of
from genpulse.api.requests.paths import inner_path
from genpulse.domain.errors import ContentTooLarge


class BodySizeLimit:
    """ASGI middleware that raises `ContentTooLarge`, at once when the length is announced, else on the way.

    `exceptions` gives other limits to single paths. All limits are in bytes.
    """

    def __init__(self, app: ASGIApp, limit_bytes: int, exceptions: Mapping[str, int]) -> None:
        self._app = app
        self._limit_bytes = limit_bytes
        self._exceptions = exceptions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, counting what is read."""
        if scope["type"] != "http" or scope["method"] in {"GET", "HEAD"}:
            await self._app(scope, receive, send)
            return
        limit_bytes = self._exceptions.get(inner_path(scope), self._limit_bytes)
        await self._app(scope, limited(scope, receive, limit_bytes), send)


def limited(scope: Scope, receive: Receive, limit_bytes: int) -> Receive:
    """The same body, but no more of it. Raises `ContentTooLarge`, at once where its length is announced."""
    announced = headers_of(scope).get("content-length") or ""
    if not announced.isdecimal():
        return _counted(receive, limit_bytes)
    if int(announced[:20]) > limit_bytes:
        raise ContentTooLarge(limit_bytes)
    # The server reads no more of a body than was announced.
    return receive


def _counted(receive: Receive, limit_bytes: int) -> Receive:
    read_bytes = 0

    async def counted() -> Message:
        nonlocal read_bytes
        message = await receive()
        if message["type"] == "http.request":
            read_bytes += len(message.get("body", b""))
            if read_bytes > limit_bytes:
                raise ContentTooLarge(limit_bytes)
        return message

    return counted
