"""The keys that sign messages to receivers which check a public key. The first is made when it is asked for.

They are sealed where there is something to seal with.
"""

import secrets
from base64 import b64decode, b64encode
from functools import partial
from uuid import UUID

import asyncpg
import uuid_utils.compat

from genpulse.adapters.database.keys.sealing import Sealing
from genpulse.adapters.database.tasks.rows import Row, uuid_of
from genpulse.adapters.postgresql.connections import in_transaction, outages
from genpulse.domain.errors import SealedMessageKey, SealedSecret
from genpulse.domain.keys.message_key import SEED_BYTES, MessageKey, MessageKeys, keys_at

_ALL = "SELECT id, seed, is_sealed, created_at, now() AS at FROM message_keys ORDER BY id"
_LOCK = "LOCK TABLE message_keys IN SHARE ROW EXCLUSIVE MODE"
_IS_EMPTY = "SELECT NOT EXISTS (SELECT FROM message_keys)"
_ADD = "INSERT INTO message_keys (id, seed, is_sealed) VALUES ($1, $2, $3)"
_SEAL = "UPDATE message_keys SET seed = $2, is_sealed = true WHERE id = $1"
_FORGET = "DELETE FROM message_keys"


async def in_force(pool: asyncpg.Pool, sealing: Sealing) -> MessageKeys:
    """Raises `SealedMessageKey`, `DatabaseUnavailable`."""
    keys = await _found(pool, sealing)
    if keys is None:
        await in_transaction(pool, partial(_add, sealing=sealing, first=True))
        keys = await _found(pool, sealing)
    if keys is None:
        raise AssertionError("there is a key once it was added")
    return keys


async def add(pool: asyncpg.Pool, sealing: Sealing) -> MessageKeys:
    """One more, beside the first. Raises `SealedMessageKey`, `DatabaseUnavailable`."""
    await in_force(pool, sealing)
    await in_transaction(pool, partial(_add, sealing=sealing, first=False))
    return await in_force(pool, sealing)


async def forget(pool: asyncpg.Pool) -> int:
    """Drop all of them; returns how many. Raises `DatabaseUnavailable`."""
    with outages():
        done: str = await pool.execute(_FORGET)
    return int(done.rpartition(" ")[2])


async def reseal(connection: asyncpg.Connection, sealing: Sealing) -> None:
    """With the first key of `sealing`, if it has any. Raises `SealedMessageKey`."""
    await connection.execute(_LOCK)
    for row in await connection.fetch(_ALL):
        seed = _seed(row, sealing)
        if sealing.has_key:
            await connection.execute(_SEAL, row["id"], _sealed(sealing, uuid_of(row["id"]), seed))


async def _found(pool: asyncpg.Pool, sealing: Sealing) -> MessageKeys | None:
    with outages():
        rows = await pool.fetch(_ALL)
    keys = [MessageKey(uuid_of(row["id"]), _seed(row, sealing), row["created_at"]) for row in rows]
    return keys_at(rows[0]["at"], keys) if rows else None


async def _add(connection: asyncpg.Connection, sealing: Sealing, *, first: bool) -> None:
    await connection.execute(_LOCK)
    if not first or await connection.fetchval(_IS_EMPTY):
        key_id, seed = uuid_utils.compat.uuid7(), secrets.token_bytes(SEED_BYTES)
        kept = _sealed(sealing, key_id, seed) if sealing.has_key else seed
        await connection.execute(_ADD, key_id, kept, sealing.has_key)


def _sealed(sealing: Sealing, key_id: UUID, seed: bytes) -> bytes:
    return sealing.seal(key_id, b64encode(seed).decode())


def _seed(row: Row, sealing: Sealing) -> bytes:
    if not row["is_sealed"]:
        return bytes(row["seed"])
    key_id = uuid_of(row["id"])
    try:
        return b64decode(sealing.open(key_id, row["seed"]))
    except SealedSecret as error:
        raise SealedMessageKey(key_id, has_key=sealing.has_key) from error
