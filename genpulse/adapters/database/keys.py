"""The `KeyStore` port on PostgreSQL."""

from datetime import datetime
from uuid import UUID

import asyncpg

from genpulse.adapters.database.counting import today
from genpulse.adapters.database.rows import Row, uuid_of
from genpulse.adapters.postgresql import outages
from genpulse.domain.api_key import ApiKey, KeyLimits, KeyUsage, Scope
from genpulse.domain.errors import UnknownKey
from genpulse.domain.rate import Rate
from genpulse.domain.task import Priority

_ADD = """
INSERT INTO api_keys (id, name, hint, digest, scopes, max_active_tasks, daily_tasks, daily_usd, rate, created_at,
                      expires_at, max_priority)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
"""
_FIND = "SELECT * FROM api_keys WHERE digest = $1"
_ALL = "SELECT * FROM api_keys ORDER BY id"
_BEGINNING = "SELECT id FROM api_keys WHERE id::text LIKE $1 || '%'"
_REVOKE = "UPDATE api_keys SET revoked_at = coalesce(revoked_at, $2) WHERE id = $1 RETURNING *"
_USED = "UPDATE api_keys SET last_used_at = greatest(last_used_at, $2) WHERE id = $1"
_SECRET = "SELECT secret FROM signing_secret"  # noqa: S105 - a statement


class PostgresKeys:
    """Implements `KeyStore`."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def add(self, key: ApiKey, digest: bytes) -> None:
        """Keep a new key."""
        limits = key.limits
        with outages():
            await self._pool.execute(
                _ADD,
                key.id,
                key.name,
                key.hint,
                digest,
                sorted(key.scopes),
                limits.max_active_tasks,
                limits.daily_tasks,
                limits.daily_usd,
                str(limits.rate) if limits.rate else None,
                key.created_at,
                key.expires_at,
                limits.max_priority,
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

    async def revoke(self, beginning: str, now: datetime) -> ApiKey:
        """Revoke the key whose id begins like this."""
        with outages():
            found = await self._pool.fetch(_BEGINNING, beginning.lower()) if _is_beginning(beginning) else []
            if len(found) != 1:
                raise UnknownKey(beginning, len(found))
            return _key_of(await self._pool.fetchrow(_REVOKE, found[0]["id"], now))

    async def used(self, key_id: UUID, now: datetime) -> None:
        """Note that it was used."""
        with outages():
            await self._pool.execute(_USED, key_id, now)

    async def usage(self, key_id: UUID) -> KeyUsage:
        """What it has done by now."""
        owner = str(key_id)
        with outages():
            return (await today(self._pool, [owner])).usage_of(owner)

    async def signing_secret(self) -> bytes:
        """The 32 random bytes that sign addresses of assets."""
        with outages():
            return bytes(await self._pool.fetchval(_SECRET))


def _is_beginning(text: str) -> bool:
    return bool(text) and all(letter in "0123456789abcdef-" for letter in text.lower())


def _key_of(row: Row) -> ApiKey:
    limits = KeyLimits(
        row["max_active_tasks"],
        row["daily_tasks"],
        row["daily_usd"],
        Rate.parse(row["rate"]) if row["rate"] else None,
        None if row["max_priority"] is None else Priority(row["max_priority"]),
    )
    return ApiKey(
        id=uuid_of(row["id"]),
        name=row["name"],
        hint=row["hint"],
        scopes=frozenset(Scope(word) for word in row["scopes"]),
        created_at=row["created_at"],
        limits=limits,
        expires_at=row["expires_at"],
        revoked_at=row["revoked_at"],
        last_used_at=row["last_used_at"],
    )
