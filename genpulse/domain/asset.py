"""A file that GenPulse keeps: the output of a task, or an upload."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Content:
    """What the bytes themselves say. `key` is where they lie in the storage, made from their SHA-256.

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


def key_of(sha256: str) -> str:
    """Where content of this digest lies: `assets/ab/abcdef…`, so that no folder grows too large."""
    return f"assets/{sha256[:2]}/{sha256}"
