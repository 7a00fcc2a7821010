"""The `ConsoleStore` port on PostgreSQL."""

from datetime import timedelta
from uuid import UUID

import asyncpg

from genpulse.adapters.database.tasks.rows import Row, uuid_of
from genpulse.adapters.postgresql.connections import outages
from genpulse.domain.console import SESSION_LASTS, ConsoleAction, ConsoleSession

OPEN = """
WITH old AS (
DELETE FROM console_sessions WHERE digest IN (
    SELECT digest FROM console_sessions WHERE expires_at < now()
    ORDER BY expires_at LIMIT 100 FOR UPDATE SKIP LOCKED))
INSERT INTO console_sessions (digest, key_id, expires_at) VALUES ($1, $2, now() + $3::interval)
RETURNING digest, key_id, created_at, expires_at
"""
SESSION = """
SELECT digest, key_id, created_at, expires_at FROM console_sessions WHERE digest = $1 AND expires_at > now()
"""
CLOSE = "DELETE FROM console_sessions WHERE digest = $1"
NOTE = """
INSERT INTO console_actions (id, action, subject, owner, key_name, address, outcome)
VALUES ($1, $2, $3, $4, $5, $6, $7)
"""
SETTLE = "UPDATE console_actions SET outcome = $2 WHERE id = $1"
ACTIONS = """
SELECT id, action, subject, owner, key_name, address, at, outcome FROM console_actions
WHERE id < coalesce($1, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid) ORDER BY id DESC LIMIT $2
"""
ACTIONS_OF = ACTIONS.replace("WHERE", "WHERE owner = $3 AND")


class PostgresConsole:
    """Implements `ConsoleStore`."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def open_session(self, digest: bytes, key_id: UUID, lasts: timedelta = SESSION_LASTS) -> ConsoleSession:
        """Keep a new session of an API key."""
        with outages():
            return _session_of(await self._pool.fetchrow(OPEN, digest, key_id, lasts))

    async def session(self, digest: bytes) -> ConsoleSession | None:
        """The session with this digest, None where there is none or it has run out."""
        with outages():
            row = await self._pool.fetchrow(SESSION, digest)
        return None if row is None else _session_of(row)

    async def close_session(self, digest: bytes) -> None:
        """Forget it."""
        with outages():
            await self._pool.execute(CLOSE, digest)

    async def note(self, action: ConsoleAction) -> None:
        """Keep that something is about to be done."""
        words = (action.action, action.subject, action.owner, action.key_name, action.address, action.outcome)
        with outages():
            await self._pool.execute(NOTE, action.id, *words)

    async def settle(self, action_id: UUID, outcome: str) -> None:
        """Keep how it went."""
        with outages():
            await self._pool.execute(SETTLE, action_id, outcome)

    async def actions(
        self, *, owner: str | None = None, before: UUID | None = None, limit: int = 50
    ) -> tuple[ConsoleAction, ...]:
        """Actions of an owner (None: of all), newest first."""
        statement, of_owner = (ACTIONS, ()) if owner is None else (ACTIONS_OF, (owner,))
        with outages():
            rows = await self._pool.fetch(statement, before, limit, *of_owner)
        return tuple(map(_action_of, rows))


def _session_of(row: Row) -> ConsoleSession:
    return ConsoleSession(row["digest"], uuid_of(row["key_id"]), row["created_at"], row["expires_at"])


def _action_of(row: Row) -> ConsoleAction:
    return ConsoleAction(
        id=uuid_of(row["id"]),
        action=row["action"],
        subject=row["subject"],
        owner=row["owner"],
        key_name=row["key_name"],
        address=row["address"],
        at=row["at"],
        outcome=row["outcome"],
    )
