"""The webhook secrets of API keys: one without an end at most, others sign beside it until theirs.

A row without a secret stands for the shared one, while receivers change over from that.
"""

from datetime import timedelta
from functools import partial
from uuid import UUID

import asyncpg
import uuid_utils.compat

from genpulse.adapters.database.keys import message_keys
from genpulse.adapters.database.keys.sealing import Sealing
from genpulse.adapters.database.tasks.rows import uuid_of
from genpulse.adapters.postgresql.connections import in_transaction, outages
from genpulse.domain.keys.webhook_secret import SigningSecrets

_IN_FORCE = """
SELECT sealed, signs_until FROM key_webhook_secrets
WHERE api_key_id = $1 AND (signs_until IS NULL OR signs_until > now()) ORDER BY created_at DESC, id DESC
"""
_LOCK = "SELECT FROM api_keys WHERE id = $1 FOR UPDATE"
_FORGET = "DELETE FROM key_webhook_secrets WHERE signs_until <= now()"
_END = """
UPDATE key_webhook_secrets SET signs_until = least(coalesce(signs_until, 'infinity'), now() + $2::interval)
WHERE api_key_id = $1
"""
_HAS_ONE = "SELECT EXISTS (SELECT FROM key_webhook_secrets WHERE api_key_id = $1 AND signs_until IS NULL)"
_ADD = """
INSERT INTO key_webhook_secrets (id, api_key_id, sealed, created_at, signs_until)
VALUES ($1, $2, $3, clock_timestamp(), CASE WHEN $4::interval IS NOT NULL THEN now() + $4 END)
"""
_ALL_SEALED = (
    "SELECT id, api_key_id, sealed FROM key_webhook_secrets WHERE sealed IS NOT NULL ORDER BY id FOR UPDATE"
)
_SEAL = "UPDATE key_webhook_secrets SET sealed = $2 WHERE id = $1"


async def in_force(pool: asyncpg.Pool, sealing: Sealing, key_id: UUID) -> SigningSecrets:
    """Raises `SealedSecret`, `DatabaseUnavailable`."""
    with outages():
        rows = await pool.fetch(_IN_FORCE, key_id)
    own = tuple(sealing.open(key_id, row["sealed"]) for row in rows if row["sealed"] is not None)
    lasting = any(row["signs_until"] is None for row in rows)
    return SigningSecrets(own, shared=not lasting or any(row["sealed"] is None for row in rows))


async def add_first(connection: asyncpg.Connection, sealing: Sealing, key_id: UUID, secret: str) -> None:
    """That of a new key. Raises `SealingKeyMissing`."""
    await connection.execute(_ADD, uuid_utils.compat.uuid7(), key_id, sealing.seal(key_id, secret), None)


async def rotate(pool: asyncpg.Pool, sealing: Sealing, key_id: UUID, secret: str, overlap: timedelta) -> None:
    """Whatever signs now, signs beside the new one for the overlap. Raises `SealingKeyMissing`."""
    sealed = sealing.seal(key_id, secret)
    await in_transaction(pool, partial(_rotate, key_id=key_id, sealed=sealed, overlap=overlap))


async def _rotate(connection: asyncpg.Connection, key_id: UUID, sealed: bytes, overlap: timedelta) -> None:
    had_one = await _end(connection, key_id, overlap)
    if not had_one and overlap:
        await connection.execute(_ADD, uuid_utils.compat.uuid7(), key_id, None, overlap)
    await connection.execute(_ADD, uuid_utils.compat.uuid7(), key_id, sealed, None)


async def remove(pool: asyncpg.Pool, key_id: UUID, overlap: timedelta) -> bool:
    """The shared one signs again, and the key's own beside it for the overlap; whether there was one."""
    return await in_transaction(pool, partial(_end, key_id=key_id, overlap=overlap))


async def _end(connection: asyncpg.Connection, key_id: UUID, overlap: timedelta) -> bool:
    await connection.execute(_LOCK, key_id)
    had_one: bool = await connection.fetchval(_HAS_ONE, key_id)
    await connection.execute(_END, key_id, overlap)
    await connection.execute(f"{_FORGET} AND api_key_id = $1", key_id)
    return had_one


async def reseal(pool: asyncpg.Pool, sealing: Sealing) -> int:
    """With the first of the keys, keys of messages too; returns how many secrets.

    What signs no more is forgotten, whatever it was sealed with. Raises `SealedSecret`, and then changes nothing.
    """
    return await in_transaction(pool, partial(_reseal, sealing=sealing))


async def _reseal(connection: asyncpg.Connection, sealing: Sealing) -> int:
    await connection.execute(_FORGET)
    rows = await connection.fetch(_ALL_SEALED)
    for row in rows:
        key_id = uuid_of(row["api_key_id"])
        await connection.execute(_SEAL, row["id"], sealing.seal(key_id, sealing.open(key_id, row["sealed"])))
    await message_keys.reseal(connection, sealing)
    return len(rows)
