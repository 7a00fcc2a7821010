"""The console: who is logged in, and what was done there."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from genpulse.domain.text.storable import storable_line

SESSION_LASTS = timedelta(hours=12)
_LONGEST = 500


@dataclass(frozen=True, slots=True)
class ConsoleSession:
    """A log-in with an API key. `digest` is the SHA-256 of what the browser holds; that itself is not kept."""

    digest: bytes
    key_id: UUID
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class ConsoleAction:
    """Something that somebody did in the console.

    `owner` is the id of the API key and `key_name` its name, both empty where none is needed. `subject` is what it
    was done with, and `address` where the request came from. `outcome` is `done` or the code of a refusal; empty
    while it is not known, and for ever where the process ended before it was.
    """

    id: UUID
    action: str
    subject: str
    owner: str
    key_name: str
    address: str
    at: datetime
    outcome: str = ""

    def __post_init__(self) -> None:
        """Callers choose the words in it, which are made fit to be kept."""
        for name in ("subject", "key_name", "address"):
            object.__setattr__(self, name, storable_line(getattr(self, name), _LONGEST))
