"""Authentication by API key."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from starlette.requests import HTTPConnection

from genpulse.api.auth.callers import Caller, LoopbackAccess, bearer_of
from genpulse.api.errors import AuthenticationRequired
from genpulse.domain.api_key import ApiKey, KeyState, digest_of
from genpulse.domain.errors import DatabaseUnavailable
from genpulse.ports import KeyStore

KNOWN_S = 10.0
"""How long a key is believed without asking again: a revoked one is refused after that at the latest."""
UNKNOWN_S = 1.0
_REMEMBERED = 10_000
_NOTED_EVERY = timedelta(minutes=1)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Known:
    key: ApiKey | None
    until_s: float


class KeyAccess:
    """Implements `Access`: by key, or as `LoopbackAccess` says where no key was ever created.

    `clock` counts seconds and never jumps.
    """

    def __init__(
        self,
        keys: KeyStore,
        without_key: LoopbackAccess,
        now: Callable[[], datetime],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._keys = keys
        self._without_key = without_key
        self._now = now
        self._clock = clock
        self._known: dict[bytes, _Known] = {}
        self._has_keys: bool | None = None
        self._has_keys_until_s = float("-inf")
        self._noted: dict[UUID, datetime] = {}
        self._notes: set[asyncio.Task[None]] = set()

    async def admit(self, connection: HTTPConnection) -> Caller:
        """Raises `AuthenticationRequired`, `ForeignEnvironment`, `DatabaseUnavailable`."""
        token = bearer_of(connection)
        if not token:
            return await self._admit_without_key(connection)
        self._without_key.refuse_foreign(connection)
        key = await self._find(digest_of(token))
        now = self._now()
        if key is None or key.state(now) is not KeyState.ACTIVE:
            raise AuthenticationRequired(_why_not(key, now))
        self._note_use(key, now)
        return Caller(str(key.id), key)

    async def _admit_without_key(self, connection: HTTPConnection) -> Caller:
        caller = await self._without_key.admit(connection)
        if await self._any_active():
            raise AuthenticationRequired(
                "API keys were created here, and so every call needs one: `Authorization: Bearer …`. The command"
                " line takes it from GENPULSE_API_KEY."
            )
        return caller

    async def _any_active(self) -> bool:
        """As it was last seen, while PostgreSQL is away."""
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

    async def _find(self, digest: bytes) -> ApiKey | None:
        known = self._known.get(digest)
        if known is not None and self._clock() < known.until_s:
            return known.key
        try:
            key = await self._keys.find(digest)
        except DatabaseUnavailable:
            if known is None or known.key is None:
                raise
            return known.key
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        self._known[digest] = _Known(key, self._clock() + (KNOWN_S if key else UNKNOWN_S))
        return key

    def _note_use(self, key: ApiKey, now: datetime) -> None:
        """At most once a minute, and without anybody waiting for it."""
        last = self._noted.get(key.id) or key.last_used_at
        if last is not None and now - last < _NOTED_EVERY:
            return
        self._noted[key.id] = now
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


def _why_not(key: ApiKey | None, now: datetime) -> str:
    if key is None:
        return "This API key is not known here. `genpulse keys list` shows which ones are, by their first letters."
    if key.state(now) is KeyState.REVOKED:
        return f"The API key {key.name!r} was revoked. Ask whoever looks after this service for a new one."
    return f"The API key {key.name!r} has expired. Ask whoever looks after this service for a new one."
