"""Callers that have a client token, and the calls that it is good for."""

import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from starlette.types import Scope

from genpulse.api.door import opened_call
from genpulse.api.errors import AuthenticationRequired, ClientTokenExpired
from genpulse.api.requests.paths import inner_path
from genpulse.domain.errors import DatabaseUnavailable, OutsideClientToken, UnknownClientToken
from genpulse.domain.keys.api_key import digest_of
from genpulse.domain.keys.caller import Caller
from genpulse.domain.keys.client_token import ClientToken
from genpulse.ports import ClientTokenStore

KNOWN_S = 10.0
"""Seconds for which a token is remembered: one that was revoked, or whose key was, is refused after that."""
_MOST_REMEMBERED = 10_000
_UNKNOWN = "This client token is not known here, or was revoked. Ask the server that gave it to you for another."
_ID = "[0-9a-fA-F-]{32,36}"
_READING = ("GET", "HEAD")


@dataclass(frozen=True, slots=True)
class _Call:
    """A call that a client token may be good for, and which of them are, by what the path names at its end."""

    methods: tuple[str, ...]
    path: re.Pattern[str]
    is_open_to: Callable[[ClientToken, str], bool] = lambda _token, _name: True


_CALLS = (
    _Call(("POST",), re.compile("/v1/tasks"), lambda token, _: token.orders is not None),
    _Call(_READING, re.compile(f"/v1/tasks/{_ID}(/events)?")),
    _Call(("POST",), re.compile(f"/v1/tasks/{_ID}/cancel"), lambda token, _: token.may_cancel),
    _Call(_READING, re.compile(f"/v1/assets/{_ID}(/content)?")),
    _Call(("POST",), re.compile("/v1/upload_urls"), lambda token, _: token.takes_files),
    _Call(_READING, re.compile("/v1/models/(?P<name>.+)"), lambda token, name: token.may_order(name)),
    _Call(_READING, re.compile(f"/v1/client_tokens/{_ID}")),
)


def refuse_other_calls(token: ClientToken, scope: Scope) -> None:
    """Raises `OutsideClientToken` for a call that a client token is not good for."""
    if opened_call(scope) is not None:
        raise OutsideClientToken("A client token is good for the calls under /v1 alone. Use an API key here.")
    path, method = inner_path(scope), scope["method"]
    if not any(_is_open(call, token, method, path) for call in _CALLS):
        raise OutsideClientToken(
            f"This client token is not good for {method} {path[:200]}. It opens the tasks that it names or that"
            " were submitted by it, and their files."
        )


def _is_open(call: _Call, token: ClientToken, method: str, path: str) -> bool:
    match = call.path.fullmatch(path) if method in call.methods else None
    return match is not None and call.is_open_to(token, match.groupdict().get("name", ""))


@dataclass(frozen=True, slots=True)
class _Remembered:
    caller: Caller | None
    until_s: float


class ClientTokenCallers:
    """Tells who calls by a client token. `maker` gives the caller that has an owner's key, if it is still good."""

    def __init__(
        self,
        tokens: ClientTokenStore,
        maker: Callable[[str], Awaitable[Caller]],
        now: Callable[[], datetime],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tokens = tokens
        self._maker = maker
        self._now = now
        self._clock = clock
        self._remembered: dict[bytes | UUID, _Remembered] = {}

    async def by_secret(self, text: str) -> Caller:
        """The caller whose client token this is. Raises `AuthenticationRequired`, `DatabaseUnavailable`."""
        digest = digest_of(text)
        return await self._caller(digest, lambda: self._tokens.find(digest))

    async def by_id(self, token_id: UUID) -> Caller:
        """The caller whose client token has this id, for an address that was signed for it. Raises the same."""
        return await self._caller(token_id, lambda: self._found(token_id))

    async def _found(self, token_id: UUID) -> ClientToken | None:
        try:
            return await self._tokens.get(token_id)
        except UnknownClientToken:
            return None

    async def _caller(self, name: bytes | UUID, look_up: Callable[[], Awaitable[ClientToken | None]]) -> Caller:
        remembered = self._remembered.get(name)
        if remembered is None or self._clock() >= remembered.until_s:
            remembered = await self._look_up(name, remembered, look_up)
        caller = remembered.caller
        if caller is None or caller.token is None or caller.token.revoked_at is not None:
            raise AuthenticationRequired(_UNKNOWN)
        if not caller.token.is_active(self._now()):
            raise ClientTokenExpired
        return caller

    async def _look_up(
        self,
        name: bytes | UUID,
        remembered: _Remembered | None,
        look_up: Callable[[], Awaitable[ClientToken | None]],
    ) -> _Remembered:
        """As it was last seen, while PostgreSQL is away."""
        try:
            token = await look_up()
            caller = None if token is None else Caller((await self._maker(token.owner)).key, token)
        except DatabaseUnavailable:
            if remembered is None or remembered.caller is None:
                raise
            return remembered
        if len(self._remembered) >= _MOST_REMEMBERED:
            self._remembered.clear()
        found = self._remembered[name] = _Remembered(caller, self._clock() + (KNOWN_S if caller else 1.0))
        return found
