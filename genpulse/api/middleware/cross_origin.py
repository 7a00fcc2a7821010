"""Middleware for calls that web pages of other sites make (CORS)."""

from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from genpulse.api.requests.lean_request import headers_of

METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE"
TAKEN = (
    "Authorization, Content-Type, Accept, Idempotency-Key, Prefer, Last-Event-ID, Range, If-Range, If-None-Match,"
    " X-Request-Id, traceparent, tracestate, X-Fal-Target-Url, X-Fal-Queue-Priority, X-Fal-Request-Timeout,"
    " X-Fal-Runner-Hint, X-Fal-Object-Lifecycle, X-Fal-Object-Lifecycle-Preference"
)
EXPOSED = (
    "Location, ETag, Idempotent-Replayed, Preference-Applied, Retry-After, RateLimit, RateLimit-Policy,"
    " X-GenPulse-Cost-USD, X-Request-Id, Content-Range, Content-Disposition, Content-Length, Accept-Ranges,"
    " WWW-Authenticate, Deprecation, Sunset, Link, X-Fal-Request-Id, X-Fal-Error-Type, X-Fal-Request-Timeout-Type"
)
REMEMBERED_S = 600
"""Seconds for which a browser need not ask again."""
ANY = "*"
_VARY = (b"vary", b"Origin")


@dataclass(frozen=True, slots=True)
class CrossOrigin:
    """ASGI middleware that lets pages of these origins read answers, and answers what browsers ask before.

    Nothing is let in that would not be otherwise: a call needs its API key, and no cookie counts. The console's
    goes to its own site alone, and no answer here allows credentials.
    """

    app: ASGIApp
    origins: frozenset[str]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        origin = headers_of(scope).get("origin") or ""
        is_allowed = origin in self.origins or (bool(origin) and ANY in self.origins)
        if is_allowed and _asks_before(scope):
            await _answer(send, origin)
        else:
            await self.app(scope, receive, _readable(send, origin if is_allowed else ""))


def _asks_before(scope: Scope) -> bool:
    return scope["method"] == "OPTIONS" and "access-control-request-method" in headers_of(scope)


async def _answer(send: Send, origin: str) -> None:
    headers = {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Methods": METHODS,
        "Access-Control-Allow-Headers": TAKEN,
        "Access-Control-Max-Age": str(REMEMBERED_S),
        "Vary": "Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
    }
    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": 204, "headers": raw})
    await send({"type": "http.response.body", "body": b""})


def _readable(send: Send, origin: str) -> Send:
    """A `send` whose answers the page may read; caches tell answers to different pages apart in any case."""
    more = [_VARY]
    if origin:
        allowed = (b"access-control-allow-origin", origin.encode("latin-1"))
        more += [allowed, (b"access-control-expose-headers", EXPOSED.encode())]

    async def send_readable(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], *more]
        await send(message)

    return send_readable
