"""Who is logged in: a session on the server, and a cookie in the browser that names it."""

import hashlib
import secrets
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from genpulse.api.context import Context
from genpulse.api.errors import AuthenticationRequired
from genpulse.domain.console import SESSION_LASTS, ConsoleSession
from genpulse.domain.keys.caller import Caller

_RANDOM_BYTES = 32
_LONGEST_COOKIE = 200


@dataclass(frozen=True, slots=True)
class SessionCookie:
    """The cookie of an environment: bound to this host by its name where the browser came by https."""

    name: str
    path: str
    is_secure: bool

    @classmethod
    def of(cls, request: Request, context: Context, base: str) -> "SessionCookie":
        """The cookie for whoever made this request."""
        name = f"genpulse_{context.services.environment.name}"
        public = urlsplit(context.options.public_url or "").scheme
        if "https" in {request.scope["scheme"], public}:
            return cls(f"__Host-{name}", "/", is_secure=True)
        return cls(name, f"{base}/console", is_secure=False)

    def digest(self, request: Request) -> bytes | None:
        """The digest of the session that the request names, if it names one."""
        value = request.cookies.get(self.name, "")
        return digest_of(value) if 0 < len(value) <= _LONGEST_COOKIE else None

    def hand_out(self, response: Response, value: str) -> None:
        """Let the browser name the session from now on."""
        response.set_cookie(
            self.name,
            value,
            max_age=int(SESSION_LASTS.total_seconds()),
            path=self.path,
            secure=self.is_secure,
            httponly=True,
            samesite="strict",
        )

    def take_back(self, response: Response) -> None:
        """Let the browser forget it."""
        response.delete_cookie(self.name, path=self.path, secure=self.is_secure, httponly=True, samesite="strict")


def digest_of(value: str) -> bytes:
    """What is kept of a session in place of what names it."""
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).digest()


async def log_in(context: Context, token: str) -> tuple[Caller, str]:
    """Open a session for an API key; returns whose it is, and what the browser is to name it by.

    Raises `AuthenticationRequired`, `ForeignEnvironment`, `DatabaseUnavailable`.
    """
    caller = await context.authenticator.by_token(token)
    assert caller.key is not None  # noqa: S101 - who is known by a token has a key
    value = secrets.token_urlsafe(_RANDOM_BYTES)
    await context.services.console.open_session(digest_of(value), caller.key.id)
    return caller, value


async def caller_of(
    request: Request, context: Context, cookie: SessionCookie
) -> tuple[Caller, ConsoleSession | None]:
    """Who makes this request: by a session, whose key is looked up each time, or as nobody needs a key here.

    Raises `AuthenticationRequired`, `DatabaseUnavailable`.
    """
    digest = cookie.digest(request)
    session = await context.services.console.session(digest) if digest else None
    if session is not None:
        return await context.authenticator.granted_by(str(session.key_id)), session
    try:
        return await context.authenticator.without_key(request), None
    except AuthenticationRequired:
        said = "Your session is over. Log in again." if digest else "Log in with an API key to see this page."
        raise AuthenticationRequired(said) from None
