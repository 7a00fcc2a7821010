"""Middleware that carries domain errors past Starlette's handling of exceptions."""

from starlette.types import ASGIApp, Receive, Scope, Send

_RAISED = "genpulse.raised"


class CatchErrors:
    """ASGI middleware inside the framework: catches what the framework would answer with 500."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request, and leave what it raises in the scope."""
        try:
            await self._app(scope, receive, send)
        except Exception as error:  # noqa: BLE001 - raised again by `RaiseErrors`
            scope[_RAISED] = error


class RaiseErrors:
    """ASGI middleware around the framework: raises what `CatchErrors` has left in the scope."""

    def __init__(self, framework: ASGIApp) -> None:
        self._framework = framework

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request by the framework."""
        await self._framework(scope, receive, send)
        if _RAISED in scope:
            raise scope[_RAISED]
