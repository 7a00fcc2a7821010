"""Authentication by API key."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from starlette.requests import HTTPConnection

from genpulse.api.auth.client_tokens import ClientTokenCallers
from genpulse.api.auth.loopback import LoopbackAccess
from genpulse.api.errors import AuthenticationRequired, ForeignEnvironment
from genpulse.domain.errors import DatabaseUnavailable, UnknownKey
from genpulse.domain.keys.api_key import ApiKey, KeyState, digest_of
from genpulse.domain.keys.caller import WITHOUT_KEY, Caller
from genpulse.domain.keys.client_token import MARK, prefix_of
from genpulse.ports import KeyStore

KNOWN_S = 10.0
"""Seconds for which a key is remembered: a revoked one is refused after that at the latest."""
UNKNOWN_S = 1.0
_MOST_REMEMBERED = 10_000
_SCHEMES = frozenset({"bearer", "token", "key"})
"""What stands before a key: `Key` is fal's word, and `Token` was Replicate's."""
_USE_NOTED_EVERY = timedelta(minutes=1)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Remembered:
    """The caller whose key has a digest, None where there is no such key."""

    caller: Caller | None
    until_s: float


class Authenticator:
    """Tells who makes a call under `/v1`: by its API key, or as `loopback` allows while no key exists.

    `prefixes` names the environment of every prefix that a key may have. `clock` counts seconds and never jumps.
    """

    def __init__(
        self,
        keys: KeyStore,
        loopback: LoopbackAccess,
        prefixes: Mapping[str, str],
        now: Callable[[], datetime],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._keys = keys
        self._loopback = loopback
        self._environment = loopback.environment.name
        foreign = {prefix: name for prefix, name in prefixes.items() if name != self._environment}
        self._foreign = foreign | {prefix_of(prefix): name for prefix, name in foreign.items()}
        self._now = now
        self._clock = clock
        self._remembered: dict[bytes, _Remembered] = {}
        self._has_keys: bool | None = None
        self._has_keys_until_s = float("-inf")
        self._use_noted_at: dict[UUID, datetime] = {}
        self._notes: set[asyncio.Task[None]] = set()
        self.client_tokens = ClientTokenCallers(keys.client_tokens, self.granted_by, now, clock)

    async def authenticate(self, connection: HTTPConnection) -> Caller:
        """The caller. Raises `AuthenticationRequired`, `ForeignEnvironment`, `DatabaseUnavailable`."""
        token = _bearer_token(connection)
        if token.startswith(MARK):
            self._refuse_foreign(token)
            return await self.client_tokens.by_secret(token)
        return await self.by_token(token) if token else await self.without_key(connection)

    async def by_token(self, token: str) -> Caller:
        """The caller whose API key this is; a client token is none. Raises as `authenticate`."""
        self._refuse_foreign(token)
        caller = await self._find(digest_of(token))
        now = self._now()
        if caller is None or caller.key is None or caller.key.state(now) is not KeyState.ACTIVE:
            raise AuthenticationRequired(why_not(caller.key if caller else None, now))
        self._note_use(caller.key, now)
        return caller

    async def granted_by(self, owner: str) -> Caller:
        """The caller that has allowed something to others: the API key with this id, if it still may.

        Empty is a caller without a key, which may as long as there are none. It is looked up each time, so that
        nothing goes on that a key has allowed which is revoked. Raises `AuthenticationRequired`,
        `DatabaseUnavailable`.
        """
        if not owner:
            await self._refuse_keyless()
            return WITHOUT_KEY
        now, key = self._now(), None
        with suppress(UnknownKey):
            key = await self._keys.get(owner)
        if key is None or key.state(now) is not KeyState.ACTIVE:
            raise AuthenticationRequired(f"Who allowed this may not do so any more. {why_not(key, now)}")
        return Caller(key)

    def _refuse_foreign(self, token: str) -> None:
        """Raises `ForeignEnvironment` for a key of another environment, which its prefix gives away."""
        for prefix, environment in self._foreign.items():
            if token.startswith(prefix):
                raise ForeignEnvironment(environment, self._environment)

    async def without_key(self, connection: HTTPConnection) -> Caller:
        """A caller from this machine, as long as no key exists. Raises `AuthenticationRequired`,
        `DatabaseUnavailable`.
        """
        self._loopback.check(connection)
        await self._refuse_keyless()
        return WITHOUT_KEY

    async def _refuse_keyless(self) -> None:
        """Raises `AuthenticationRequired`."""
        if await self._any_active():
            raise AuthenticationRequired(
                "API keys were created here, and so every call needs one: `Authorization: Bearer …`. The command"
                " line takes it from GENPULSE_API_KEY."
            )

    async def _any_active(self) -> bool:
        """Whether any key is active; as it was last seen, while PostgreSQL is away."""
        if self._has_keys is not None and self._clock() < self._has_keys_until_s:
            return self._has_keys
        now = self._now()
        try:
            self._has_keys = any(key.state(now) is KeyState.ACTIVE for key in await self._keys.all())
        except DatabaseUnavailable:
            if self._has_keys is None:
                raise
        self._has_keys_until_s = self._clock() + UNKNOWN_S
        return self._has_keys

    async def _find(self, digest: bytes) -> Caller | None:
        """The caller whose key has this digest; as it was last seen, while PostgreSQL is away."""
        remembered = self._remembered.get(digest)
        if remembered is not None and self._clock() < remembered.until_s:
            return remembered.caller
        try:
            key = await self._keys.find(digest)
        except DatabaseUnavailable:
            if remembered is None or remembered.caller is None:
                raise
            return remembered.caller
        if len(self._remembered) >= _MOST_REMEMBERED:
            self._remembered.clear()
        caller = None if key is None else Caller(key)
        self._remembered[digest] = _Remembered(caller, self._clock() + (KNOWN_S if key else UNKNOWN_S))
        return caller

    def _note_use(self, key: ApiKey, now: datetime) -> None:
        """Note the use of a key, at most once a minute and in the background."""
        last = self._use_noted_at.get(key.id) or key.last_used_at
        if last is not None and now - last < _USE_NOTED_EVERY:
            return
        self._use_noted_at[key.id] = now
        note = asyncio.create_task(self._write_use(key.id, now))
        self._notes.add(note)
        note.add_done_callback(self._notes.discard)

    async def _write_use(self, key_id: UUID, now: datetime) -> None:
        try:
            await self._keys.used(key_id, now)
        except DatabaseUnavailable as error:
            _log.debug("the use of key %s was not noted: %s", key_id, error)

    async def close(self) -> None:
        """Wait for what is being noted."""
        await asyncio.gather(*self._notes)


def _bearer_token(connection: HTTPConnection) -> str:
    """The API key of a call, empty where there is none."""
    authorization = connection.headers.get("authorization")
    if not authorization:
        return ""
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() in _SCHEMES else ""


def why_not(key: ApiKey | None, now: datetime) -> str:
    """Why a key that is not active is refused, None standing for one that is not known."""
    if key is None:
        return "This API key is not known here. `genpulse keys list` shows which ones are, by their first letters."
    if key.state(now) is KeyState.REVOKED:
        return f"The API key {key.name!r} was revoked. Ask whoever looks after this service for a new one."
    return f"The API key {key.name!r} has expired. Ask whoever looks after this service for a new one."
