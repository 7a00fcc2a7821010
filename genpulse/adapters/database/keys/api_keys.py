"""The `KeyStore` port on PostgreSQL."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

import asyncpg

from genpulse.adapters.database.coalescer import Coalescer
from genpulse.adapters.database.keys import message_keys, webhook_secrets
from genpulse.adapters.database.keys.client_tokens import PostgresClientTokens
from genpulse.adapters.database.keys.limit_columns import columns_of, limits_of
from genpulse.adapters.database.keys.sealing import Sealing
from genpulse.adapters.database.money.spending_counters import today
from genpulse.adapters.database.tasks.rows import Row, uuid_of
from genpulse.adapters.postgresql.connections import in_transaction, outages
from genpulse.domain.errors import NoWebhookSecret, UnknownKey
from genpulse.domain.keys.api_key import ApiKey, KeyLimits, Scope
from genpulse.domain.keys.message_key import MessageKeys
from genpulse.domain.keys.webhook_secret import SigningSecrets
from genpulse.domain.money.allowance import ScopeUsage

_LIMITS = tuple(columns_of(KeyLimits()))
_ADDED = ("id", "name", "hint", "digest", "scopes", "created_at", "expires_at", *_LIMITS)
_ADD = f"""
INSERT INTO api_keys ({", ".join(_ADDED)})
VALUES ({", ".join(f"${number}" for number in range(1, len(_ADDED) + 1))})
"""  # noqa: S608 - our own names
_KEYS = """
SELECT *, (SELECT created_at FROM key_webhook_secrets WHERE api_key_id = api_keys.id AND signs_until IS NULL)
          AS webhook_secret_at
FROM api_keys
"""
_FIND = _KEYS + "WHERE digest = $1"
_ALL = _KEYS + "ORDER BY id"
_THESE = _KEYS + "WHERE id = ANY($1::uuid[])"
_BEGINNING = "SELECT id FROM api_keys WHERE id::text LIKE $1 || '%'"
_REVOKE = "UPDATE api_keys SET revoked_at = coalesce(revoked_at, $2) WHERE id = $1"
_LOCKED = _KEYS + "WHERE id = $1 FOR UPDATE OF api_keys"
_CHANGED = ("name", "expires_at", *_LIMITS)
_CHANGE = f"""
UPDATE api_keys SET {", ".join(f"{name} = ${number}" for number, name in enumerate(_CHANGED, 2))} WHERE id = $1
"""  # noqa: S608 - our own names
_USED = "UPDATE api_keys SET last_used_at = greatest(last_used_at, $2) WHERE id = $1"
_UNSEALED = Sealing()
_SECRET = "SELECT secret FROM signing_secret"  # noqa: S105 - a statement


class PostgresKeys:
    """Implements `KeyStore`. Webhook secrets of keys and keys of messages are kept as `sealing` seals them."""

    def __init__(self, pool: asyncpg.Pool, sealing: Sealing = _UNSEALED) -> None:
        self._pool = pool
        self._sealing = sealing
        self.client_tokens = PostgresClientTokens(pool)
        self._read: Coalescer[UUID, ApiKey] = Coalescer(self._these, flights=2)

    async def add(self, key: ApiKey, digest: bytes, webhook_secret: str | None = None) -> None:
        """Keep a new key."""
        await in_transaction(
            self._pool, partial(_add, sealing=self._sealing, key=key, digest=digest, secret=webhook_secret)
        )

    async def find(self, digest: bytes) -> ApiKey | None:
        """The key with this digest, whatever its state."""
        with outages():
            row = await self._pool.fetchrow(_FIND, digest)
        return _key_of(row) if row else None

    async def all(self) -> tuple[ApiKey, ...]:
        """All keys, oldest first."""
        with outages():
            return tuple(_key_of(row) for row in await self._pool.fetch(_ALL))

    async def get(self, beginning: str) -> ApiKey:
        """The key whose id begins like this; whole ids that come together are looked up together."""
        try:
            key_id = UUID(beginning)
        except ValueError:
            key_id = await self._id_of(beginning)
        return await self._read(key_id)

    async def _these(self, key_ids: Sequence[UUID]) -> Sequence[ApiKey | Exception]:
        with outages():
            keys = [_key_of(row) for row in await self._pool.fetch(_THESE, list(set(key_ids)))]
        found = {key.id: key for key in keys}
        return [found.get(key_id) or UnknownKey(str(key_id), 0) for key_id in key_ids]

    async def revoke(self, beginning: str, now: datetime) -> ApiKey:
        """Revoke the key whose id begins like this."""
        key_id = await self._id_of(beginning)
        with outages():
            await self._pool.execute(_REVOKE, key_id, now)
        return await self._read(key_id)

    async def change(self, beginning: str, change: Callable[[ApiKey], ApiKey]) -> ApiKey:
        """Keep what `change` makes of the name, the expiry and the limits of a key."""
        key_id = await self._id_of(beginning)
        return await in_transaction(self._pool, partial(_change, key_id=key_id, change=change))

    async def rotate_webhook_secret(self, beginning: str, secret: str, overlap: timedelta) -> ApiKey:
        """Let a new secret sign for the key, and whatever signs now beside it for the overlap."""
        key_id = await self._id_of(beginning)
        await webhook_secrets.rotate(self._pool, self._sealing, key_id, secret, overlap)
        return await self._read(key_id)

    async def remove_webhook_secret(self, beginning: str, overlap: timedelta) -> ApiKey:
        """Let the shared secret sign for the key again, and its own beside it for the overlap."""
        key_id = await self._id_of(beginning)
        if not await webhook_secrets.remove(self._pool, key_id, overlap):
            raise NoWebhookSecret(key_id)
        return await self._read(key_id)

    async def webhook_secrets(self, key_id: UUID) -> SigningSecrets:
        """What signs messages about its tasks now."""
        return await webhook_secrets.in_force(self._pool, self._sealing, key_id)

    async def reseal_webhook_secrets(self) -> int:
        """Seal all of them with the first of the keys that seal."""
        return await webhook_secrets.reseal(self._pool, self._sealing)

    async def _id_of(self, beginning: str) -> UUID:
        with outages():
            rows = await self._pool.fetch(_BEGINNING, beginning.lower()) if _is_beginning(beginning) else []
        if len(rows) != 1:
            raise UnknownKey(beginning, len(rows))
        return uuid_of(rows[0]["id"])

    async def used(self, key_id: UUID, now: datetime) -> None:
        """Note that it was used."""
        with outages():
            await self._pool.execute(_USED, key_id, now)

    async def usage(self, key_id: UUID) -> ScopeUsage:
        """What it has done by now."""
        return (await self.usages([key_id]))[key_id]

    async def usages(self, key_ids: Iterable[UUID]) -> Mapping[UUID, ScopeUsage]:
        """The same of each of several keys."""
        owners = {key_id: str(key_id) for key_id in key_ids}
        with outages():
            figures = await today(self._pool, list(owners.values()))
        return {key_id: figures.usage_of(owner) for key_id, owner in owners.items()}

    async def signing_secret(self) -> bytes:
        """The 32 random bytes that sign addresses of assets."""
        with outages():
            return bytes(await self._pool.fetchval(_SECRET))

    async def message_keys(self) -> MessageKeys:
        """The keys that sign messages to receivers which check a public key."""
        return await message_keys.in_force(self._pool, self._sealing)

    async def add_message_key(self) -> MessageKeys:
        """One more, which signs in a day."""
        return await message_keys.add(self._pool, self._sealing)

    async def forget_message_keys(self) -> int:
        """Drop all of them."""
        return await message_keys.forget(self._pool)


async def _add(
    connection: asyncpg.Connection, sealing: Sealing, key: ApiKey, digest: bytes, secret: str | None
) -> None:
    limits = columns_of(key.limits).values()
    of_key = (key.id, key.name, key.hint, digest, sorted(key.scopes), key.created_at, key.expires_at)
    await connection.execute(_ADD, *of_key, *limits)
    if secret is not None:
        await webhook_secrets.add_first(connection, sealing, key.id, secret)


async def _change(connection: asyncpg.Connection, key_id: UUID, change: Callable[[ApiKey], ApiKey]) -> ApiKey:
    changed = change(_key_of(await connection.fetchrow(_LOCKED, key_id)))
    limits = columns_of(changed.limits).values()
    await connection.execute(_CHANGE, key_id, changed.name, changed.expires_at, *limits)
    return changed


def _is_beginning(text: str) -> bool:
    return bool(text) and all(letter in "0123456789abcdef-" for letter in text.lower())


def _key_of(row: Row) -> ApiKey:
    return ApiKey(
        id=uuid_of(row["id"]),
        name=row["name"],
        hint=row["hint"],
        scopes=frozenset(Scope(word) for word in row["scopes"]),
        created_at=row["created_at"],
        limits=limits_of(row),
        expires_at=row["expires_at"],
        revoked_at=row["revoked_at"],
        last_used_at=row["last_used_at"],
        webhook_secret_at=row["webhook_secret_at"],
    )
