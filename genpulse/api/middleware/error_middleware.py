"""Middleware that carries domain errors past Starlette's handling of exceptions."""

from starlette.types import ASGIApp, Receive, Scope, Send

_RAISED = "genpulse.raised"


class RaiseCarried:
    """ASGI middleware for the inside of the framework, which would answer 500 to whatever passes through it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Keep what is raised for `Passage`."""
        try:
            await self._app(scope, receive, send)
        except Exception as error:  # noqa: BLE001 - raised again on the other side
            scope[_RAISED] = error


class CarryErrors:
    """The outside: raises what was carried."""

    def __init__(self, framework: ASGIApp) -> None:
        self._framework = framework

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve by the framework."""
        await self._framework(scope, receive, send)
        if _RAISED in scope:
            raise scope[_RAISED]
