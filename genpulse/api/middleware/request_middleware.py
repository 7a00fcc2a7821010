"""Outermost middleware: request id, authentication, problem documents, metrics."""

import logging
import os
import re
import time

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from genpulse.api import problems
from genpulse.api.auth.authorization import authorize
from genpulse.api.context import CALLER, RATE_LIMIT, context_in
from genpulse.api.door import Doors, Headers, opened_call
from genpulse.api.errors import Internal
from genpulse.api.requests.lean_request import Connection, headers_of
from genpulse.api.requests.paths import inner_path
from genpulse.domain.errors import Refused, Unavailable

ROUTE = "genpulse.route"
"""Key in the scope: the template of the path of a request that does not go through the router."""
TRACE_ID = "genpulse.trace_id"
"""Key in the scope: the trace of a request, where somebody keeps it."""
CLIENT_GONE = 499
_ID = "genpulse.request_id"

_REQUEST_ID = re.compile(r"[\w.~+/=:@-]{1,128}", re.ASCII)

_log = logging.getLogger(__name__)


class RequestMiddleware:
    """ASGI middleware around the whole application. A request that comes by a door is answered in its words."""

    def __init__(self, app: ASGIApp, doors: Doors | None = None) -> None:
        self._app = app
        self._doors = doors or Doors()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request. Whatever goes wrong before the response began becomes a problem document."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(scope, send)
        try:
            await self._serve(exchange, scope, receive)
        except ClientDisconnect:
            exchange.status = CLIENT_GONE
        except (Refused, Unavailable) as error:
            await exchange.refuse(error, receive)
        except Exception:
            _log.exception("request %s failed: %s %s", exchange.id, scope["method"], scope["path"])
            if exchange.has_begun:
                raise
            await exchange.refuse(Internal("Something went wrong here. It is in the log."), receive)
        finally:
            exchange.count()

    async def _serve(self, exchange: "_Exchange", scope: Scope, receive: Receive) -> None:
        opened = self._doors.note(scope)
        if opened is not None and opened.call is None:
            raise opened.door.unknown(scope)
        if opened.call.needs_key if opened and opened.call else _needs_caller(scope):
            scope[CALLER] = await authorize(Connection(scope))
        await self._app(scope, receive, exchange.send)


def _needs_caller(scope: Scope) -> bool:
    path = inner_path(scope)
    return path == "/v1" or path.startswith("/v1/")


def request_id(scope: Scope) -> str:
    """The id of a request: what its caller calls it, or one that is made by whoever asks first."""
    id_: str | None = scope.get(_ID)
    if id_ is None:
        claimed = headers_of(scope).get("x-request-id")
        id_ = scope[_ID] = claimed if claimed and _REQUEST_ID.fullmatch(claimed) else os.urandom(16).hex()
    return id_


def route_of(scope: Scope) -> str:
    """The template of the path of a request that was served."""
    routed = getattr(scope.get("route"), "path", "unmatched")
    opened = opened_call(scope)
    return opened.template if opened else str(scope.get(ROUTE, routed))


class _Exchange:
    """A request with its response, as metrics and log tell of it."""

    __slots__ = ("_began_at", "_scope", "_seconds", "_send", "id", "status")

    def __init__(self, scope: Scope, send: Send) -> None:
        self._scope = scope
        self._send = send
        self._began_at = time.perf_counter()
        self._seconds: float | None = None
        self.status = CLIENT_GONE
        self.id = request_id(scope)

    @property
    def has_begun(self) -> bool:
        """Whether the head of the response was sent."""
        return self._seconds is not None

    async def send(self, message: Message) -> None:
        """Send a message to the client, with the id of the request in the head."""
        if message["type"] == "http.response.start":
            self._seconds = time.perf_counter() - self._began_at
            self.status = message["status"]
            message["headers"] = [
                *message["headers"],
                (b"x-request-id", self.id.encode("latin-1")),
                *_encoded(self._scope.get(RATE_LIMIT, ())),
                *self._of_door(),
            ]
        await self._send(message)

    def _of_door(self) -> list[tuple[bytes, bytes]]:
        opened = opened_call(self._scope)
        return _encoded(opened.door.headers(self._scope) if opened else ())

    async def refuse(self, error: Refused | Unavailable | Internal, receive: Receive) -> None:
        """Answer with a problem, or break the connection off when the response has begun."""
        if self.has_begun:
            _log.warning("request %s broke off: %s", self.id, error)
            return
        opened = opened_call(self._scope)
        respond = opened.door.refuse if opened else problems.problem_response
        await respond(error, self._scope)(self._scope, receive, self.send)

    def count(self) -> None:
        """Add this request to the metrics."""
        seconds = time.perf_counter() - self._began_at if self._seconds is None else self._seconds
        scope = self._scope
        trace_id = scope.get(TRACE_ID, "")
        context_in(scope).metrics.request(route_of(scope), scope["method"], self.status, seconds, trace_id)


def _encoded(headers: Headers) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
