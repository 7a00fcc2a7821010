"""The keys that sign messages to receivers which check a public key. The first is made when it is asked for."""

import secrets
from functools import partial

import asyncpg
import uuid_utils.compat

from genpulse.adapters.database.rows import uuid_of
from genpulse.adapters.postgresql.connections import in_transaction, outages
from genpulse.domain.keys.message_key import SEED_BYTES, MessageKey, MessageKeys, keys_at

_ALL = "SELECT id, seed, created_at, now() AS at FROM message_keys"
_LOCK = "LOCK TABLE message_keys IN SHARE ROW EXCLUSIVE MODE"
_IS_EMPTY = "SELECT NOT EXISTS (SELECT FROM message_keys)"
_ADD = "INSERT INTO message_keys (id, seed) VALUES ($1, $2)"


async def in_force(pool: asyncpg.Pool) -> MessageKeys:
    """Raises `DatabaseUnavailable`."""
    found = await _found(pool)
    if found is None:
        await in_transaction(pool, partial(_add, first=True))
        found = await _found(pool)
    if found is None:
        raise AssertionError("there is a key once it was added")
    return found


async def add(pool: asyncpg.Pool) -> MessageKeys:
    """One more; the first where there is none. Raises `DatabaseUnavailable`."""
    await in_force(pool)
    await in_transaction(pool, partial(_add, first=False))
    return await in_force(pool)


async def _found(pool: asyncpg.Pool) -> MessageKeys | None:
    with outages():
        rows = await pool.fetch(_ALL)
    keys = [MessageKey(uuid_of(row["id"]), bytes(row["seed"]), row["created_at"]) for row in rows]
    return keys_at(rows[0]["at"], keys) if rows else None


async def _add(connection: asyncpg.Connection, *, first: bool) -> None:
    await connection.execute(_LOCK)
    if not first or await connection.fetchval(_IS_EMPTY):
        await connection.execute(_ADD, uuid_utils.compat.uuid7(), secrets.token_bytes(SEED_BYTES))
