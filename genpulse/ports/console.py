"""The port of what the console keeps: its sessions, and a log of what was done there."""

from datetime import timedelta
from typing import Protocol
from uuid import UUID

from genpulse.domain.console import SESSION_LASTS, ConsoleAction, ConsoleSession


class ConsoleStore(Protocol):
    """Sessions and actions. Moments are the store's own. All raise `DatabaseUnavailable`."""

    async def open_session(self, digest: bytes, key_id: UUID, lasts: timedelta = SESSION_LASTS) -> ConsoleSession:
        """Keep a new session of an API key. Some of those that have run out are forgotten with it."""

    async def session(self, digest: bytes) -> ConsoleSession | None:
        """The session with this digest, None where there is none or it has run out."""

    async def close_session(self, digest: bytes) -> None:
        """Forget it. One that is gone already is no error."""

    async def note(self, action: ConsoleAction) -> None:
        """Keep that something is about to be done. Its moment is the store's."""

    async def settle(self, action_id: UUID, outcome: str) -> None:
        """Keep how it went."""

    async def actions(
        self, *, owner: str | None = None, before: UUID | None = None, limit: int = 50
    ) -> tuple[ConsoleAction, ...]:
        """Actions of an owner (None: of all), newest first: those older than `before`, at most `limit`."""
