"""API keys inside this process."""

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from genpulse.adapters.memory.keys.client_tokens import MemoryClientTokens
from genpulse.adapters.memory.tasks.store import MemoryTaskStore
from genpulse.domain.errors import NoWebhookSecret, UnknownKey
from genpulse.domain.keys.api_key import ApiKey
from genpulse.domain.keys.message_key import SEED_BYTES, MessageKey, MessageKeys, keys_at
from genpulse.domain.keys.webhook_secret import SigningSecrets
from genpulse.domain.money.allowance import ScopeUsage


@dataclass(frozen=True, slots=True)
class _WebhookSecret:
    """None is the shared one."""

    secret: str | None
    until: datetime | None


class MemoryKeys:
    """Implements `KeyStore`. `clock` is this store's now."""

    def __init__(
        self, store: MemoryTaskStore, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._store = store
        self._clock = clock
        self._webhook_secrets: dict[UUID, list[_WebhookSecret]] = {}
        self._keys: dict[bytes, ApiKey] = {}
        self._secret = secrets.token_bytes(32)
        self._message_keys: list[MessageKey] = []
        self.client_tokens = MemoryClientTokens()

    async def add(self, key: ApiKey, digest: bytes, webhook_secret: str | None = None) -> None:
        """Keep a new key."""
        self._keys[digest] = key
        self._store.weigh(str(key.id), key.limits.weight)
        if webhook_secret is not None:
            self._sign_with(key.id, webhook_secret)

    async def find(self, digest: bytes) -> ApiKey | None:
        """The key with this digest, whatever its state."""
        return self._keys.get(digest)

    async def all(self) -> tuple[ApiKey, ...]:
        """All keys, oldest first."""
        return tuple(sorted(self._keys.values(), key=lambda key: key.id))

    async def get(self, beginning: str) -> ApiKey:
        """The key whose id begins like this."""
        return self._keys[self._digest_of(beginning)]

    async def revoke(self, beginning: str, now: datetime) -> ApiKey:
        """Revoke the key whose id begins like this."""
        digest = self._digest_of(beginning)
        key = self._keys[digest]
        self._keys[digest] = replace(key, revoked_at=key.revoked_at or now)
        return self._keys[digest]

    async def change(self, beginning: str, change: Callable[[ApiKey], ApiKey]) -> ApiKey:
        """Keep what `change` makes of the name, the expiry and the limits of a key."""
        digest = self._digest_of(beginning)
        changed = change(self._keys[digest])
        self._keys[digest] = changed
        self._store.weigh(str(changed.id), changed.limits.weight)
        return changed

    def _digest_of(self, beginning: str) -> bytes:
        lower = beginning.lower()
        digests = [digest for digest, key in self._keys.items() if lower and str(key.id).startswith(lower)]
        if len(digests) != 1:
            raise UnknownKey(beginning, len(digests))
        return digests[0]

    async def used(self, key_id: UUID, now: datetime) -> None:
        """Note that it was used."""
        for digest, key in self._keys.items():
            if key.id == key_id:
                self._keys[digest] = replace(key, last_used_at=now)

    async def usage(self, key_id: UUID) -> ScopeUsage:
        """What it has done by now."""
        return await self._store.usage(str(key_id))

    async def usages(self, key_ids: Iterable[UUID]) -> Mapping[UUID, ScopeUsage]:
        """The same of each of several keys."""
        return {key_id: await self.usage(key_id) for key_id in key_ids}

    async def signing_secret(self) -> bytes:
        """The 32 random bytes that sign addresses of assets."""
        return self._secret

    async def message_keys(self) -> MessageKeys:
        """The keys that sign messages to receivers which check a public key."""
        if not self._message_keys:
            self._keep_message_key()
        return keys_at(self._clock(), self._message_keys)

    async def add_message_key(self) -> MessageKeys:
        """One more, which signs in a day."""
        await self.message_keys()
        self._keep_message_key()
        return await self.message_keys()

    async def forget_message_keys(self) -> int:
        """Drop all of them."""
        count = len(self._message_keys)
        self._message_keys.clear()
        return count

    def _keep_message_key(self) -> None:
        self._message_keys.append(MessageKey(uuid4(), secrets.token_bytes(SEED_BYTES), self._clock()))

    async def rotate_webhook_secret(self, beginning: str, secret: str, overlap: timedelta) -> ApiKey:
        """Let a new secret sign for the key, and whatever signs now beside it for the overlap."""
        digest = self._digest_of(beginning)
        key_id = self._keys[digest].id
        had_one = self._end(key_id, overlap)
        if not had_one and overlap:
            shared = _WebhookSecret(None, self._clock() + overlap)
            self._webhook_secrets.setdefault(key_id, []).append(shared)
        self._sign_with(key_id, secret)
        return self._keys[digest]

    async def remove_webhook_secret(self, beginning: str, overlap: timedelta) -> ApiKey:
        """Let the shared secret sign for the key again, and its own beside it for the overlap."""
        digest = self._digest_of(beginning)
        key = self._keys[digest]
        if not self._end(key.id, overlap):
            raise NoWebhookSecret(key.id)
        self._keys[digest] = replace(key, webhook_secret_at=None)
        return self._keys[digest]

    async def webhook_secrets(self, key_id: UUID) -> SigningSecrets:
        """What signs messages about its tasks now."""
        now = self._clock()
        current = [
            secret
            for secret in self._webhook_secrets.get(key_id, [])
            if secret.until is None or secret.until > now
        ]
        own = tuple(secret.secret for secret in reversed(current) if secret.secret is not None)
        lasting = any(secret.until is None for secret in current)
        return SigningSecrets(own, shared=not lasting or any(secret.secret is None for secret in current))

    async def reseal_webhook_secrets(self) -> int:
        """Nothing is sealed in here."""
        return sum(
            each.secret is not None for own_secrets in self._webhook_secrets.values() for each in own_secrets
        )

    def _end(self, key_id: UUID, overlap: timedelta) -> bool:
        until, current = self._clock() + overlap, self._webhook_secrets.get(key_id, [])
        had_one = any(each.until is None for each in current)
        self._webhook_secrets[key_id] = [
            replace(each, until=until if each.until is None else min(each.until, until)) for each in current
        ]
        return had_one

    def _sign_with(self, key_id: UUID, secret: str) -> None:
        self._webhook_secrets.setdefault(key_id, []).append(_WebhookSecret(secret, None))
        for digest, key in self._keys.items():
            if key.id == key_id:
                self._keys[digest] = replace(key, webhook_secret_at=self._clock())
