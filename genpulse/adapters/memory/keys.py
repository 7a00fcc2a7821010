"""API keys inside this process."""

import secrets
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from genpulse.adapters.memory.store import MemoryTaskStore
from genpulse.domain.api_key import ApiKey, KeyUsage
from genpulse.domain.errors import UnknownKey


class MemoryKeys:
    """Implements `KeyStore`."""

    def __init__(self, store: MemoryTaskStore) -> None:
        self._store = store
        self._keys: dict[bytes, ApiKey] = {}
        self._secret = secrets.token_bytes(32)

    async def add(self, key: ApiKey, digest: bytes) -> None:
        """Keep a new key."""
        self._keys[digest] = key

    async def find(self, digest: bytes) -> ApiKey | None:
        """The key with this digest, whatever its state."""
        return self._keys.get(digest)

    async def all(self) -> tuple[ApiKey, ...]:
        """All keys, oldest first."""
        return tuple(sorted(self._keys.values(), key=lambda key: key.id))

    async def revoke(self, beginning: str, now: datetime) -> ApiKey:
        """Revoke the key whose id begins like this."""
        lower = beginning.lower()
        found = [digest for digest, key in self._keys.items() if lower and str(key.id).startswith(lower)]
        if len(found) != 1:
            raise UnknownKey(beginning, len(found))
        key = self._keys[found[0]]
        self._keys[found[0]] = replace(key, revoked_at=key.revoked_at or now)
        return self._keys[found[0]]

    async def used(self, key_id: UUID, now: datetime) -> None:
        """Note that it was used."""
        for digest, key in self._keys.items():
            if key.id == key_id:
                self._keys[digest] = replace(key, last_used_at=now)

    async def usage(self, key_id: UUID) -> KeyUsage:
        """What it has done by now."""
        return await self._store.usage(str(key_id))

    async def signing_secret(self) -> bytes:
        """The 32 random bytes that sign addresses of assets."""
        return self._secret
