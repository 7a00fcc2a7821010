"""What the console keeps, inside this process."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from genpulse.domain.console import SESSION_LASTS, ConsoleAction, ConsoleSession


class MemoryConsole:
    """Implements `ConsoleStore`. `now` is its clock."""

    def __init__(self, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now = now
        self._sessions: dict[bytes, ConsoleSession] = {}
        self._actions: dict[UUID, ConsoleAction] = {}

    async def open_session(self, digest: bytes, key_id: UUID, lasts: timedelta = SESSION_LASTS) -> ConsoleSession:
        """Keep a new session of an API key."""
        now = self._now()
        self._sessions = {name: one for name, one in self._sessions.items() if one.expires_at > now}
        session = self._sessions[digest] = ConsoleSession(digest, key_id, now, now + lasts)
        return session

    async def session(self, digest: bytes) -> ConsoleSession | None:
        """The session with this digest, None where there is none or it has run out."""
        matching = self._sessions.get(digest)
        return matching if matching is not None and matching.expires_at > self._now() else None

    async def close_session(self, digest: bytes) -> None:
        """Forget it."""
        self._sessions.pop(digest, None)

    async def note(self, action: ConsoleAction) -> None:
        """Keep that something is about to be done."""
        self._actions[action.id] = replace(action, at=self._now())

    async def settle(self, action_id: UUID, outcome: str) -> None:
        """Keep how it went."""
        if action_id in self._actions:
            self._actions[action_id] = replace(self._actions[action_id], outcome=outcome)

    async def actions(
        self, *, owner: str | None = None, before: UUID | None = None, limit: int = 50
    ) -> tuple[ConsoleAction, ...]:
        """Actions of an owner (None: of all), newest first."""
        newest_first = sorted(self._actions.values(), key=lambda one: one.id, reverse=True)
        matching = [
            one
            for one in newest_first
            if (owner is None or one.owner == owner) and (before is None or one.id < before)
        ]
        return tuple(matching[:limit])
