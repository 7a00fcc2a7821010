"""A file that GenPulse keeps: the output of a task, or an upload."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Content:
    """What the bytes themselves say. `key` is where they lie in the storage, see `key_of`.

    `size` is in bytes, `width` and `height` in pixels, `duration_s` in seconds; None where it does not apply.
    """

    key: str
    sha256: str
    size: int
    media_type: str
    width: int | None = None
    height: int | None = None
    duration_s: float | None = None


@dataclass(frozen=True, slots=True)
class Asset:
    """Content with an identity. Two assets may share the same content; content never changes."""

    id: UUID
    content: Content
    created_at: datetime
    environment: str
    task_id: UUID | None = None
    owner: str = ""


KEY_LASTS = timedelta(days=7)
"""So long at most the same content gets the same key; afterwards nobody looks for content under it."""


def key_of(sha256: str, at: datetime) -> str:
    """Where content of this digest that is stored now lies: `assets/2030-W05/ab/abcdef…`.

    The ISO week in it (UTC) lets bytes be removed safely: see ADR 11. The two digits keep folders small.
    """
    year, week, _ = at.astimezone(UTC).isocalendar()
    return f"assets/{year}-W{week:02}/{sha256[:2]}/{sha256}"
